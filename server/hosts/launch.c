/*
 * The options of a start, from JavaScript, and what is made of them: limits and stdio.
 */
#include "server/hosts/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/hosts/pump.h"

static const struct {
  const char *name;
  __rlimit_resource_t resource;
} limits[NR_LAUNCH_LIMITS] = {
    {"addressSpace", RLIMIT_AS},
    {"cpuSeconds", RLIMIT_CPU},
    {"processes", RLIMIT_NPROC},
    {"openFiles", RLIMIT_NOFILE},
};

static uint64_t take_number(napi_env napi, napi_value options, const char *name) {
  napi_value value;
  int64_t number = 0;
  if (napi_get_named_property(napi, options, name, &value) == napi_ok) napi_get_value_int64(napi, value, &number);
  return number > 0 ? (uint64_t)number : 0;
}

static char *take_text(napi_env napi, napi_value value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(napi, value, NULL, 0, &length) != napi_ok) return NULL;
  char *text = malloc(length + 1);
  if (text != NULL) napi_get_value_string_utf8(napi, value, text, length + 1, &length);
  return text;
}

static void free_texts(char **texts) {
  for (char **text = texts; text != NULL && *text != NULL; text++) free(*text);
  free(texts);
}

/* An array of strings, with a NULL at its end. *texts stays NULL when there is none. False: without memory. */
static bool take_texts(napi_env napi, napi_value options, const char *name, char ***texts) {
  napi_value list, value;
  bool is_array = false;
  uint32_t count = 0;
  if (napi_get_named_property(napi, options, name, &list) != napi_ok ||
      napi_is_array(napi, list, &is_array) != napi_ok || !is_array ||
      napi_get_array_length(napi, list, &count) != napi_ok) {
    return true;
  }
  *texts = calloc((size_t)count + 1, sizeof **texts);
  for (uint32_t i = 0; *texts != NULL && i < count; i++) {
    if (napi_get_element(napi, list, i, &value) != napi_ok || ((*texts)[i] = take_text(napi, value)) == NULL)
      return false;
  }
  return *texts != NULL;
}

bool nr_launch_take(napi_env napi, napi_value options, struct nr_launch *launch) {
  static const char *const streams[NR_LAUNCH_STREAMS] = {"stdin", "stdout", "stderr"};
  launch->call_ms = (uint32_t)take_number(napi, options, "callTimeout");
  launch->load_ms = (uint32_t)take_number(napi, options, "loadTimeout");
  launch->again = take_number(napi, options, "again") != 0;
  launch->restarts = take_number(napi, options, "restarts") != 0;
  launch->times = take_number(napi, options, "times") != 0;
  launch->apart = take_number(napi, options, "apart") != 0;
  launch->resident = take_number(napi, options, "resident");
  for (size_t i = 0; i < NR_LAUNCH_LIMITS; i++) launch->limits[i] = take_number(napi, options, limits[i].name);
  for (size_t i = 0; i < NR_LAUNCH_STREAMS; i++) launch->streams[i] = (uint32_t)take_number(napi, options, streams[i]);
  if (take_texts(napi, options, "wrapper", &launch->wrapper) && take_texts(napi, options, "env", &launch->env))
    return true;
  napi_throw_error(napi, "ERR_NAPI_REMOTE_LAUNCH", "Out of memory for the options of a host");
  return false;
}

void nr_launch_free(struct nr_launch *launch) {
  free(launch->group);
  free_texts(launch->wrapper);
  free_texts(launch->env);
}

#define NR_HANDSHAKE_MILLISECONDS 10000

/* A debugger or valgrind takes its time. */
int nr_launch_patience(const struct nr_launch *launch) {
  if (launch->wrapper == NULL) return NR_HANDSHAKE_MILLISECONDS;
  return launch->load_ms == 0 ? -1 : (int)launch->load_ms;
}

/* ---- stdio ----------------------------------------------------------------------------------------------------------
 */

static void close_all(int *fds) {
  for (size_t i = 0; i < NR_LAUNCH_STREAMS; i++) {
    if (fds[i] >= 0) close(fds[i]);
    fds[i] = -1;
  }
}

void nr_launch_close_child(struct nr_launch_files *files) {
  close_all(files->child);
}

void nr_launch_close_own(struct nr_launch_files *files) {
  close_all(files->own);
}

int nr_launch_open(const struct nr_launch *launch, struct nr_launch_files *files) {
  int error = 0;
  *files = (struct nr_launch_files){.child = {-1, -1, -1}, .own = {-1, -1, -1}};
  for (size_t i = 0; i < NR_LAUNCH_STREAMS && error == 0; i++) {
    if (launch->streams[i] == NR_STREAM_PIPE) {
      error = nr_pump_open(&files->child[i], &files->own[i]);
    } else if (launch->streams[i] == NR_STREAM_IGNORE) {
      files->child[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
      if (files->child[i] < 0) error = -errno;
    }
  }
  if (error == 0) return 0;
  nr_launch_close_child(files);
  nr_launch_close_own(files);
  return error;
}

/* The pump passes it on when the child has closed its end. */
#define NR_LAST_WORDS_MILLISECONDS 200

void nr_launch_read_stderr(const struct nr_launch_files *files, char *text, size_t size) {
  size_t length = 0;
  struct pollfd poll_fd = {.fd = files->own[2], .events = POLLIN};
  while (files->own[2] >= 0 && length + 1 < size && poll(&poll_fd, 1, NR_LAST_WORDS_MILLISECONDS) > 0) {
    ssize_t got = read(files->own[2], text + length, size - 1 - length);
    if (got <= 0) break;
    length += (size_t)got;
  }
  text[length] = '\0';
}

/* ---- limits ---------------------------------------------------------------------------------------------------------
 */

int nr_launch_limit(const struct nr_launch *launch, pid_t pid) {
  for (size_t i = 0; i < NR_LAUNCH_LIMITS; i++) {
    struct rlimit limit;
    if (launch->limits[i] == 0) continue;
    if (prlimit(pid, limits[i].resource, NULL, &limit) < 0) return -errno;
    limit.rlim_cur = launch->limits[i] < limit.rlim_max ? launch->limits[i] : limit.rlim_max;
    /* SIGXCPU, which says why, and only for who survives that SIGKILL. */
    if (limits[i].resource != RLIMIT_CPU)
      limit.rlim_max = limit.rlim_cur;
    else if (limit.rlim_cur < limit.rlim_max)
      limit.rlim_max = limit.rlim_cur + 1;
    if (prlimit(pid, limits[i].resource, &limit, NULL) < 0) return -errno;
  }
  return 0;
}
