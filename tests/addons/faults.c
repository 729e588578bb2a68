/* Ways in which a process ends or stands still, and a function to call JavaScript below which they happen. */
#include "ends.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static napi_value kill_self(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return t_number(env, kill(getpid(), t_int(env, argv[0])));
}

/* block(fd or path of a FIFO): waits for a byte; the byte, -1 at the end of the file. Opening a FIFO waits for its
 * writer. */
static napi_value block(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  unsigned char byte;
  t_args(env, info, argv, 1);
  int fd;
  if (t_typeof(env, argv[0]) == napi_number) {
    fd = t_int(env, argv[0]);
  } else {
    char *path = t_text(env, argv[0]);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
  }
  return t_number(env, read(fd, &byte, 1) == 1 ? byte : -1);
}

/* hold(path of a FIFO): opens it for writing and keeps it, so that its reader sees the end of this process. */
static napi_value hold(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  char *path = t_text(env, argv[0]);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  free(path);
  return t_number(env, fd);
}

/* print(text): through C stdio, without an end of line. */
static napi_value print(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  char *text = t_text(env, argv[0]);
  printf("%s", text);
  free(text);
  return NULL;
}

static const struct t_function functions[] = {
    {"pid", t_pid},   {"null_deref", t_crash}, {"abort", t_abort}, {"exit_with", t_exit}, {"kill_self", kill_self},
    {"block", block}, {"hold", hold},          {"print", print},   {"call", t_call},
};
T_INIT(functions)
