/* External buffers over memory that changes in ways of its own: it is mapped anew, or others write to it as well. */
#define _GNU_SOURCE /* memfd_create */
#include "common.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

static struct {
  uint8_t *bytes;
  size_t length;
  int file; /* -1: none */
} last;

static napi_value external(napi_env env, int file, int flags, size_t length) {
  napi_value result = NULL;
  last.bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, file, 0);
  if (last.bytes == MAP_FAILED) abort();
  last.length = length;
  last.file = file;
  memset(last.bytes, 1, length);
  T_OK(napi_create_external_buffer(env, length, last.bytes, NULL, NULL, &result));
  return result;
}

/* (length): over pages of its own. */
static napi_value mapped(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return external(env, -1, MAP_PRIVATE | MAP_ANONYMOUS, t_uint(env, argv[0]));
}

/* (length): over a file. */
static napi_value shared(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  int file = memfd_create("shared", MFD_CLOEXEC);
  if (file < 0 || ftruncate(file, (off_t)t_uint(env, argv[0])) != 0) abort();
  return external(env, file, MAP_SHARED, t_uint(env, argv[0]));
}

/* (offset, value): into the file of the last one, past its memory. */
static napi_value put_file(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  uint8_t value = (uint8_t)t_uint(env, argv[1]);
  if (pwrite(last.file, &value, 1, (off_t)t_uint(env, argv[0])) != 1) abort();
  return NULL;
}

/* (value): other memory is where that of the last one was. */
static napi_value remap(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE;
  if (mmap(last.bytes, last.length, PROT_READ | PROT_WRITE, flags, -1, 0) != last.bytes) abort();
  memset(last.bytes, (int)t_uint(env, argv[0]), last.length);
  return NULL;
}

/* (offset, value) */
static napi_value put(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  last.bytes[t_uint(env, argv[0])] = (uint8_t)t_uint(env, argv[1]);
  return NULL;
}

/* (offset) */
static napi_value get(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return t_number(env, last.bytes[t_uint(env, argv[0])]);
}

/* What is beside the last one on its first and its last page. */
#define BESIDE 100

/* (length): in the midst of other memory. */
static napi_value inside(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = NULL;
  t_args(env, info, argv, 1);
  size_t length = t_uint(env, argv[0]), whole = length + 2 * BESIDE;
  uint8_t *block = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) abort();
  memset(block, 1, whole);
  last.bytes = block + BESIDE;
  last.length = length;
  T_OK(napi_create_external_buffer(env, length, last.bytes, NULL, NULL, &result));
  return result;
}

/* (value): into all that is beside the last one. */
static napi_value put_beside(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  memset(last.bytes - BESIDE, (int)t_uint(env, argv[0]), BESIDE);
  memset(last.bytes + last.length, (int)t_uint(env, argv[0]), BESIDE);
  return NULL;
}

/* (hidden): the first page of what is inside cannot be read, or can again. */
static napi_value hide(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  bool hidden;
  t_args(env, info, argv, 1);
  T_OK(napi_get_value_bool(env, argv[0], &hidden));
  if (mprotect(last.bytes - BESIDE, 1, hidden ? PROT_NONE : PROT_READ | PROT_WRITE) != 0) abort();
  return NULL;
}

static napi_value idle(napi_env env, napi_callback_info info) {
  return NULL;
}

/* Another thread writes what JavaScript asks for without a call: it has the turn all the while. */
static struct {
  pthread_t thread;
  int wishes, done;
} writer;

/* A wish is two bytes, offset and value; each is answered with its value. */
static void *write_as_asked(void *context) {
  uint8_t wish[2];
  while (read(writer.wishes, wish, 2) == 2) {
    last.bytes[wish[0]] = wish[1];
    if (write(writer.done, &wish[1], 1) != 1) abort();
  }
  return context;
}

/* (wishes, done): two pipes by name, which are open at the other end. */
static napi_value start_writer(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  char path[256];
  t_args(env, info, argv, 2);
  T_OK(napi_get_value_string_utf8(env, argv[0], path, sizeof path, NULL));
  writer.wishes = open(path, O_RDONLY | O_CLOEXEC);
  T_OK(napi_get_value_string_utf8(env, argv[1], path, sizeof path, NULL));
  writer.done = open(path, O_WRONLY | O_CLOEXEC);
  if (pthread_create(&writer.thread, NULL, write_as_asked, NULL) != 0) abort();
  return NULL;
}

/* Nobody has the pipe open to write any more. */
static napi_value join_writer(napi_env env, napi_callback_info info) {
  if (pthread_join(writer.thread, NULL) != 0) abort();
  close(writer.wishes);
  close(writer.done);
  return NULL;
}

static const struct t_function functions[] = {
    {"mapped", mapped},
    {"shared", shared},
    {"putFile", put_file},
    {"remap", remap},
    {"put", put},
    {"get", get},
    {"idle", idle},
    {"inside", inside},
    {"putBeside", put_beside},
    {"hide", hide},
    {"startWriter", start_writer},
    {"joinWriter", join_writer},
};
T_INIT(functions)
