/* An env that ends while works of it are queued, and hooks that never finish. */
#include "common.h"

#include <unistd.h>

struct work {
  napi_async_work handle;
  int number;
  unsigned milliseconds;
};

static void execute(napi_env env, void *data) {
  usleep(((struct work *)data)->milliseconds * 1000);
}

static void complete(napi_env env, napi_status status, void *data) {
  struct work *work = data;
  printf("work %d: %s\n", work->number, t_status_name(status));
  fflush(stdout);
  T_OK(napi_delete_async_work(env, work->handle));
  free(work);
}

/* (number, milliseconds) */
static napi_value queue(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  struct work *work = malloc(sizeof *work);
  if (!work) abort();
  *work = (struct work){.number = t_int(env, argv[0]), .milliseconds = t_uint(env, argv[1])};
  T_OK(napi_create_async_work(env, NULL, t_string(env, "busy"), execute, complete, work, &work->handle));
  T_OK(napi_queue_async_work(env, work->handle));
  return NULL;
}

static void gone(napi_env env, void *data, void *hint) {
  printf("bytes %d are gone\n", *(int *)data);
  fflush(stdout);
  free(data);
}

/* (number): an external buffer that tells when it goes. */
static napi_value bytes(napi_env env, napi_callback_info info) {
  napi_value argv[1], result;
  t_args(env, info, argv, 1);
  int *memory = malloc(sizeof *memory);
  if (!memory) abort();
  *memory = t_int(env, argv[0]);
  T_OK(napi_create_external_buffer(env, sizeof *memory, memory, gone, NULL, &result));
  return result;
}

static void tell(void *argument) {
  printf("a hook\n");
  fflush(stdout);
}

static napi_value tells(napi_env env, napi_callback_info info) {
  static int argument;
  T_OK(napi_add_env_cleanup_hook(env, tell, &argument));
  return NULL;
}

static void never(napi_async_cleanup_hook_handle handle, void *argument) {
  printf("a hook that never finishes\n");
  fflush(stdout);
}

static void hang(void *argument) {
  printf("a hook that hangs\n");
  fflush(stdout);
  for (;;) pause();
}

/* (hangs): the hook returns and is never removed, or does not even return. */
static napi_value hook(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  if (t_bool(env, argv[0]))
    T_OK(napi_add_env_cleanup_hook(env, hang, NULL));
  else
    T_OK(napi_add_async_cleanup_hook(env, never, NULL, NULL));
  return t_number(env, getpid());
}

static const struct t_function functions[] = {{"queue", queue}, {"bytes", bytes}, {"tells", tells}, {"hook", hook}};
T_INIT(functions)
