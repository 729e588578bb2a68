/*
 * Requests and descriptors on the loop of the env: a pipe that is polled, datagrams, uv_queue_work, files, addresses
 * and a child process. Each calls its function with a text; all is closed afterwards.
 */
#define _GNU_SOURCE
#include "uv_kit.h"

#include <fcntl.h>
#include <netinet/in.h>

struct request {
  union {
    uv_work_t work;
    uv_fs_t fs;
    uv_getaddrinfo_t address;
    uv_udp_send_t send;
    uv_process_t process;
  } uv;
  napi_env env;
  napi_ref function;
  char bytes[64];
  int number;
};

static struct request *request_for(napi_env env, napi_value function) {
  struct request *request = calloc(1, sizeof *request);
  if (!request) abort();
  request->env = env;
  T_OK(napi_create_reference(env, function, 1, &request->function));
  return request;
}

static void end(struct request *request, const char *text) {
  t_tell(request->env, request->function, text);
  T_OK(napi_delete_reference(request->env, request->function));
  free(request);
}

/* ---- A pipe ------------------------------------------------------------------------------------------------------ */

struct watch {
  uv_poll_t poll;
  napi_env env;
  napi_ref function;
  int ends[2];
};

static struct watch watches[64];
static uint32_t used;

static void on_readable(uv_poll_t *poll, int status, int events) {
  struct watch *watch = poll->data;
  char bytes[64], text[128];
  ssize_t length = read(watch->ends[0], bytes, sizeof bytes - 1);
  bytes[length > 0 ? length : 0] = '\0';
  snprintf(text, sizeof text, "%d %d %zd %s", status, events, length, bytes);
  t_tell(watch->env, watch->function, text);
}

static void on_watch_closed(uv_handle_t *handle) {
  struct watch *watch = handle->data;
  close(watch->ends[0]);
  T_OK(napi_delete_reference(watch->env, watch->function));
}

/* (function): the number of a pipe that is watched. */
static napi_value watch_pipe(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  if (used == T_COUNT(watches)) abort();
  struct watch *watch = &watches[used];
  watch->env = env;
  T_OK(napi_create_reference(env, argv[0], 1, &watch->function));
  if (pipe2(watch->ends, O_CLOEXEC | O_NONBLOCK) != 0) abort();
  T_UV(uv_poll_init(t_loop(env), &watch->poll, watch->ends[0]));
  watch->poll.data = watch;
  T_UV(uv_poll_start(&watch->poll, UV_READABLE, on_readable));
  return t_number(env, used++);
}

static napi_value write_pipe(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  char *text = t_text(env, argv[1]);
  ssize_t length = write(watches[t_uint(env, argv[0])].ends[1], text, strlen(text));
  free(text);
  return t_number(env, (double)length);
}

/* Readable from now on: the end of the file. */
static napi_value end_pipe(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  close(watches[t_uint(env, argv[0])].ends[1]);
  return NULL;
}

static napi_value stop_pipe(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  struct watch *watch = &watches[t_uint(env, argv[0])];
  T_UV(uv_poll_stop(&watch->poll));
  uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
  return NULL;
}

/* ---- Datagrams --------------------------------------------------------------------------------------------------- */

struct socket {
  uv_udp_t udp;
  napi_env env;
  napi_ref function;
  char bytes[256];
};

static struct socket *open_socket;

static void on_allocate(uv_handle_t *handle, size_t size, uv_buf_t *buffer) {
  struct socket *socket = handle->data;
  *buffer = uv_buf_init(socket->bytes, sizeof socket->bytes - 1);
}

static void on_receive(uv_udp_t *udp, ssize_t length, const uv_buf_t *buffer, const struct sockaddr *from,
                       unsigned flags) {
  struct socket *socket = udp->data;
  if (length <= 0) return;
  buffer->base[length] = '\0';
  t_tell(socket->env, socket->function, buffer->base);
}

/* (function): for the texts that arrive at one socket. */
static napi_value receive(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  struct sockaddr_in address;
  t_args(env, info, argv, 1);
  struct socket *socket = calloc(1, sizeof *socket);
  if (!socket) abort();
  socket->env = env;
  T_OK(napi_create_reference(env, argv[0], 1, &socket->function));
  T_UV(uv_udp_init(t_loop(env), &socket->udp));
  socket->udp.data = socket;
  T_UV(uv_ip4_addr("127.0.0.1", 0, &address));
  T_UV(uv_udp_bind(&socket->udp, (const struct sockaddr *)&address, 0));
  T_UV(uv_udp_recv_start(&socket->udp, on_allocate, on_receive));
  open_socket = socket;
  return NULL;
}

static void on_sent(uv_udp_send_t *sent, int status) {
  end(sent->data, status == 0 ? "sent" : uv_strerror(status));
}

/* (text, function): sends it to the socket itself. */
static napi_value send_text(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  struct sockaddr_in address;
  int length = sizeof address;
  t_args(env, info, argv, 2);
  struct request *request = request_for(env, argv[1]);
  char *text = t_text(env, argv[0]);
  snprintf(request->bytes, sizeof request->bytes, "%s", text);
  free(text);
  request->uv.send.data = request;
  uv_buf_t buffer = uv_buf_init(request->bytes, (unsigned)strlen(request->bytes));
  T_UV(uv_udp_getsockname(&open_socket->udp, (struct sockaddr *)&address, &length));
  T_UV(uv_udp_send(&request->uv.send, &open_socket->udp, &buffer, 1, (const struct sockaddr *)&address, on_sent));
  return NULL;
}

static void on_socket_closed(uv_handle_t *handle) {
  struct socket *socket = handle->data;
  t_tell(socket->env, socket->function, "closed");
  T_OK(napi_delete_reference(socket->env, socket->function));
  free(socket);
}

static napi_value close_socket(napi_env env, napi_callback_info info) {
  uv_close((uv_handle_t *)&open_socket->udp, on_socket_closed);
  open_socket = NULL;
  return NULL;
}

/* ---- Work -------------------------------------------------------------------------------------------------------- */

static void on_work(uv_work_t *work) {
  struct request *request = work->data;
  request->number *= 2;
}

static void after_work(uv_work_t *work, int status) {
  struct request *request = work->data;
  char text[64];
  snprintf(text, sizeof text, "%d, status %d", request->number, status);
  end(request, text);
}

/* (number, function) */
static napi_value queue_work(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  struct request *request = request_for(env, argv[1]);
  request->number = t_int(env, argv[0]);
  request->uv.work.data = request;
  T_UV(uv_queue_work(t_loop(env), &request->uv.work, on_work, after_work));
  return NULL;
}

/* ---- Files ------------------------------------------------------------------------------------------------------- */

static void on_stat(uv_fs_t *fs) {
  struct request *request = fs->data;
  char text[128];
  snprintf(text, sizeof text, "%s, %llu bytes", fs->result < 0 ? uv_strerror((int)fs->result) : "there",
           fs->result < 0 ? 0ull : (unsigned long long)fs->statbuf.st_size);
  uv_fs_req_cleanup(fs);
  end(request, text);
}

/* (path, function) */
static napi_value stat_file(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  struct request *request = request_for(env, argv[1]);
  char *path = t_text(env, argv[0]);
  request->uv.fs.data = request;
  T_UV(uv_fs_stat(t_loop(env), &request->uv.fs, path, on_stat));
  free(path);
  return NULL;
}

static void on_closed(uv_fs_t *fs) {
  struct request *request = fs->data;
  uv_fs_req_cleanup(fs);
  end(request, request->bytes);
}

static void on_read(uv_fs_t *fs) {
  struct request *request = fs->data;
  if (fs->result >= 0) request->bytes[fs->result] = '\0';
  uv_fs_req_cleanup(fs);
  T_UV(uv_fs_close(t_loop(request->env), fs, request->number, on_closed));
}

static void on_open(uv_fs_t *fs) {
  struct request *request = fs->data;
  request->number = (int)fs->result;
  uv_fs_req_cleanup(fs);
  if (request->number < 0) {
    end(request, uv_strerror(request->number));
    return;
  }
  uv_buf_t buffer = uv_buf_init(request->bytes, sizeof request->bytes - 1);
  T_UV(uv_fs_read(t_loop(request->env), fs, request->number, &buffer, 1, 0, on_read));
}

/* (path, function): opens, reads and closes. */
static napi_value read_file(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  struct request *request = request_for(env, argv[1]);
  char *path = t_text(env, argv[0]);
  request->uv.fs.data = request;
  T_UV(uv_fs_open(t_loop(env), &request->uv.fs, path, O_RDONLY, 0, on_open));
  free(path);
  return NULL;
}

/* ---- Addresses and children -------------------------------------------------------------------------------------- */

static void on_address(uv_getaddrinfo_t *address, int status, struct addrinfo *found) {
  struct request *request = address->data;
  char text[64] = "";
  if (status == 0) T_UV(uv_ip4_name((const struct sockaddr_in *)found->ai_addr, text, sizeof text));
  uv_freeaddrinfo(found);
  end(request, status == 0 ? text : uv_strerror(status));
}

/* (name, function) */
static napi_value look_up(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
  struct request *request = request_for(env, argv[1]);
  char *name = t_text(env, argv[0]);
  request->uv.address.data = request;
  T_UV(uv_getaddrinfo(t_loop(env), &request->uv.address, on_address, name, NULL, &hints));
  free(name);
  return NULL;
}

static void on_process_closed(uv_handle_t *handle) {
  struct request *request = handle->data;
  end(request, request->bytes);
}

static void on_exit_of(uv_process_t *process, int64_t status, int signal) {
  struct request *request = process->data;
  snprintf(request->bytes, sizeof request->bytes, "ended with %lld, signal %d", (long long)status, signal);
  uv_close((uv_handle_t *)process, on_process_closed);
}

/* (shell command, function) */
static napi_value spawn(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  struct request *request = request_for(env, argv[1]);
  char *command = t_text(env, argv[0]), *arguments[] = {"sh", "-c", command, NULL};
  uv_process_options_t options = {.exit_cb = on_exit_of, .file = "/bin/sh", .args = arguments};
  request->uv.process.data = request;
  T_UV(uv_spawn(t_loop(env), &request->uv.process, &options));
  free(command);
  return NULL;
}

static const struct t_function functions[] = {
    {"watchPipe", watch_pipe}, {"writePipe", write_pipe}, {"endPipe", end_pipe},   {"stopPipe", stop_pipe},
    {"receive", receive},      {"send", send_text},       {"close", close_socket}, {"queueWork", queue_work},
    {"stat", stat_file},       {"read", read_file},       {"lookUp", look_up},     {"spawn", spawn},
};
T_INIT(functions)
