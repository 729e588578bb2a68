/*
 * What else the server finds in a Node: libuv's handles, which the fuzz target rings, and a watcher whose hosts are
 * memory in the hands of the fuzz target.
 */
#include "fake_node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "napi.pb-c.h"
#include "server/hosts/watcher.h"
#include "wire/protocol.h"
#include "wire/socket.h"

/* ---- libuv ---- */

/* Larger than any of libuv's, which all begin with `data`. */
struct fake_handle {
  union {
    uv_handle_t handle;
    char room[512];
  };
  void (*call)(void *handle); /* NULL: not started */
  uv_poll_cb polled;
  uv_timer_cb timed;
  uv_close_cb closed;
  struct fake_handle *next;
};

static struct fake_handle *handles;

size_t uv_handle_size(uv_handle_type type) {
  (void)type;
  return sizeof(struct fake_handle);
}

static int init(void *handle) {
  struct fake_handle *fake = handle;
  fake->next = handles;
  handles = fake;
  return 0;
}

static int start(void *handle, void *call) {
  memcpy(&((struct fake_handle *)handle)->call, &call, sizeof call);
  return 0;
}

#define FAKE_TURNER(name)                                                                                              \
  int uv_##name##_init(uv_loop_t *loop, uv_##name##_t *handle) {                                                       \
    return init(handle);                                                                                               \
  }                                                                                                                    \
  int uv_##name##_start(uv_##name##_t *handle, uv_##name##_cb call) {                                                  \
    return start(handle, (void *)call);                                                                                \
  }                                                                                                                    \
  int uv_##name##_stop(uv_##name##_t *handle) {                                                                        \
    return start(handle, NULL);                                                                                        \
  }
FAKE_TURNER(check)
FAKE_TURNER(prepare)
FAKE_TURNER(idle)

int uv_poll_init(uv_loop_t *loop, uv_poll_t *handle, int fd) {
  return init(handle);
}
int uv_poll_start(uv_poll_t *handle, int events, uv_poll_cb call) {
  ((struct fake_handle *)(void *)handle)->polled = call;
  return 0;
}
int uv_async_init(uv_loop_t *loop, uv_async_t *handle, uv_async_cb call) {
  return init(handle);
}
int uv_async_send(uv_async_t *handle) {
  return 0;
}
int uv_timer_init(uv_loop_t *loop, uv_timer_t *handle) {
  return init(handle);
}
int uv_timer_start(uv_timer_t *handle, uv_timer_cb call, uint64_t timeout, uint64_t repeat) {
  ((struct fake_handle *)(void *)handle)->timed = call;
  return 0;
}
int uv_timer_stop(uv_timer_t *handle) {
  ((struct fake_handle *)(void *)handle)->timed = NULL;
  return 0;
}
uint64_t uv_now(const uv_loop_t *loop) {
  return 1;
}
void uv_ref(uv_handle_t *handle) {
}
void uv_unref(uv_handle_t *handle) {
}
void uv_update_time(uv_loop_t *loop) {
}
void uv_stop(uv_loop_t *loop) {
}
int uv_run(uv_loop_t *loop, uv_run_mode mode) {
  fake_uv_turn();
  return 0;
}
napi_status napi_get_uv_event_loop(node_api_basic_env env, uv_loop_t **loop) {
  static uv_loop_t only;
  *loop = &only;
  return napi_ok;
}

void uv_close(uv_handle_t *handle, uv_close_cb closed) {
  struct fake_handle *fake = (struct fake_handle *)(void *)handle;
  if (fake->closed != NULL) abort();
  fake->closed = closed;
  fake->call = NULL;
  fake->polled = NULL;
  fake->timed = NULL;
}

void fake_uv_turn(void) {
  for (struct fake_handle *fake = handles; fake != NULL; fake = fake->next) {
    if (fake->polled != NULL) fake->polled((uv_poll_t *)fake, 0, UV_READABLE);
    if (fake->call != NULL) fake->call(fake);
  }
}

void fake_uv_expire(void) {
  for (struct fake_handle *fake = handles; fake != NULL; fake = fake->next) {
    if (fake->timed != NULL) fake->timed((uv_timer_t *)fake);
  }
}

void fake_uv_close(void) {
  while (handles != NULL) {
    struct fake_handle *fake = handles;
    handles = fake->next;
    if (fake->closed != NULL) fake->closed(&fake->handle);
  }
}

/* ---- The watcher ---- */

struct nr_child {
  int socket;
  void (*died)(void *context, const struct nr_child_end *end);
  void *context;
};

static struct nr_child *child;
int fake_host_memfd = -1;

/* The answer waits in the socket before the question is asked. */
int nr_child_start(const char *path, const struct nr_launch *launch, const struct nr_launch_files *files, int socket,
                   void (*died)(void *context, const struct nr_child_end *end), void *context,
                   struct nr_child **result) {
  Nr__Welcome welcome = NR__WELCOME__INIT;
  welcome.protocol = NR_PROTOCOL_VERSION;
  welcome.pointer_size = sizeof(void *);
  welcome.libuv = (char *)"";
  welcome.pid = 1;
  int error = nr_socket_send(socket, &welcome.base, &fake_host_memfd, 1);
  if (error < 0) return error;
  *result = child = calloc(1, sizeof **result);
  *child = (struct nr_child){dup(socket), died, context};
  return 0;
}

bool nr_child_adopt(struct nr_child *adopted, pid_t pid) {
  return adopted != NULL && pid == 1;
}

void nr_child_limit_resident(struct nr_child *limited, uint64_t bytes, void (*exceeded)(void *context)) {
}

void nr_child_kill(struct nr_child *dying) {
  if (dying->died == NULL) return;
  void (*died)(void *context, const struct nr_child_end *end) = dying->died;
  dying->died = NULL;
  const struct nr_child_end end = {.signal = 9};
  died(dying->context, &end);
}

void fake_host_die(void) {
  if (child != NULL) nr_child_kill(child);
}

void nr_child_continue(struct nr_child *stopped) {
  (void)stopped;
}

pid_t nr_child_pid(const struct nr_child *of) {
  return of == NULL ? 0 : 1;
}

ssize_t nr_child_copy(struct nr_child *of, const struct iovec *own, size_t own_count, const struct iovec *theirs,
                      size_t their_count, bool writes) {
  ssize_t copied = 0;
  if (of->died == NULL) return -ESRCH;
  for (size_t i = 0; i < their_count; i++) {
    if (((uintptr_t)theirs[i].iov_base & 1) != 0) return i == 0 ? -EFAULT : copied;
    copied += (ssize_t)theirs[i].iov_len;
  }
  for (size_t i = 0; i < own_count && !writes; i++) memset(own[i].iov_base, 5, own[i].iov_len);
  return copied;
}

void nr_child_free(struct nr_child *of) {
  if (of == child) child = NULL;
  close(of->socket);
  free(of);
}
