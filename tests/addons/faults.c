/* Ways in which a process ends or stands still, and a function to call JavaScript below which they happen. */
#include "common.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static napi_value process_id(napi_env env, napi_callback_info info) {
  return t_number(env, getpid());
}

static napi_value null_deref(napi_env env, napi_callback_info info) {
  volatile int *volatile nowhere = NULL;
  *nowhere = 1;
  return NULL;
}

static napi_value call_abort(napi_env env, napi_callback_info info) {
  abort();
}

static napi_value exit_with(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  exit(t_int(env, argv[0]));
}

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

/* call(function): what it returned, called from native code. */
static napi_value call(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = NULL;
  t_args(env, info, argv, 1);
  if (napi_call_function(env, t_undefined(env), argv[0], 0, NULL, &result) != napi_ok) return NULL;
  return result;
}

static const struct t_function functions[] = {
    {"pid", process_id},      {"null_deref", null_deref}, {"abort", call_abort},
    {"exit_with", exit_with}, {"kill_self", kill_self},   {"block", block},
    {"hold", hold},           {"print", print},           {"call", call},
};
T_INIT(functions)
