/*
 * External buffers: their memory is the addon's own, and stays where it is; JavaScript has a copy, which the server
 * makes and keeps up to date as with any pair (server/memory/foreign.c).
 *
 * Addons make such buffers of a gigabyte over the little that is mapped. Of large ones only those pages go over that
 * are there: others may be no memory at all, and those that nobody has touched are zeros.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/client-private.h"
#include "client/channel.h"
#include "client/memory/memory.h"
#include "wire/track.h"
#include "wire/pages.h"

struct stretches {
  struct nr_tracker *tracker; /* NULL: the kernel does not tell of many pages at once */
  Nr__Stretch *items;
  Nr__Stretch **pointers;
  size_t count;
  size_t room;
  uint64_t reach; /* so far from the beginning on there is memory of this process alone, touched or not */
};

static bool add_stretch(struct stretches *stretches, uint64_t from, uint64_t to, bool constant) {
  if (stretches->count == stretches->room) {
    size_t room = stretches->room == 0 ? 16 : stretches->room * 2;
    Nr__Stretch *items = realloc(stretches->items, room * sizeof *items);
    if (items == NULL) return false;
    stretches->items = items;
    stretches->room = room;
  }
  Nr__Stretch *stretch = &stretches->items[stretches->count++];
  nr__stretch__init(stretch);
  stretch->offset = from;
  stretch->length = to - from;
  stretch->constant = constant;
  return true;
}

/* Has this page of an anonymous mapping ever been written? (The bits are those of Linux's pagemap: present, swapped.)
 */
static bool is_there(int pagemap, uint64_t page) {
  uint64_t entry = 0;
  if (pread(pagemap, &entry, sizeof entry, (off_t)(page / NR_PAGE * sizeof entry)) != sizeof entry) return true;
  return entry >> 62 != 0;
}

static bool add_pages(struct stretches *stretches, uint64_t base, int pagemap, uint64_t from, uint64_t to) {
  while (from < to) {
    uint64_t start = from;
    while (from < to && is_there(pagemap, from)) from = (from / NR_PAGE + 1) * NR_PAGE;
    if (from > start && !add_stretch(stretches, start - base, (from < to ? from : to) - base, false)) return false;
    if (from < to) from = (from / NR_PAGE + 1) * NR_PAGE;
  }
  return true;
}

struct adding {
  struct stretches *stretches;
  uint64_t offset;
  bool failed;
};

static bool add_there(struct nr_range range, void *context) {
  struct adding *adding = context;
  adding->failed = !add_stretch(adding->stretches, adding->offset + range.from, adding->offset + range.to, false);
  return !adding->failed;
}

/* The pages of one mapping that are there: 128 MiB of which none is take 1 us, 12 ms one by one. */
static bool add_anonymous(struct stretches *stretches, uint64_t base, int pagemap, uint64_t from, uint64_t to) {
  struct adding adding = {stretches, from - base, false};
  if (stretches->tracker == NULL ||
      nr_tracker_present(stretches->tracker, (const void *)(uintptr_t)from, to - from, add_there, &adding) < 0)
    return add_pages(stretches, base, pagemap, from, to);
  return !adding.failed;
}

/* The pages of shared memory that anybody has touched. */
static bool add_shared(struct stretches *stretches, uint64_t base, uint64_t from, uint64_t to) {
  unsigned char there[64];
  uint64_t page = from / NR_PAGE * NR_PAGE;
  while (page < to) {
    size_t count = 0, i = 0;
    while (count < sizeof there && page + count * NR_PAGE < to) count++;
    if (mincore((void *)(uintptr_t)page, count * NR_PAGE, there) != 0) return true; /* unmapped meanwhile */
    while (i < count) {
      size_t first = i;
      while (i < count && (there[i] & 1) != 0) i++;
      uint64_t start = page + first * NR_PAGE, end = page + i * NR_PAGE;
      if (i > first &&
          !add_stretch(stretches, (start > from ? start : from) - base, (end < to ? end : to) - base, false))
        return false;
      while (i < count && (there[i] & 1) == 0) i++;
    }
    page += count * NR_PAGE;
  }
  return true;
}

/* One mapping, cut to what is asked about. Of files all, of the rest what is there. The rings and the recorder are no
 * memory that the addon could know: that they are written is nothing to tell. */
static bool add_mapping(struct stretches *stretches, uint64_t base, int pagemap, uint64_t from, uint64_t to,
                        const char *access, const char *path) {
  static const char ours[] = "/memfd:napi-remote", blocks[] = "/memfd:napi-remote-bytes";
  if (strncmp(path, blocks, sizeof blocks - 1) == 0) return add_shared(stretches, base, from, to);
  if (path[0] != '/') return add_anonymous(stretches, base, pagemap, from, to);
  bool constant = access[1] != 'w' || strncmp(path, ours, sizeof ours - 1) == 0;
  return add_stretch(stretches, from - base, to - base, constant);
}

/* What of the memory is readable, as /proc/self/maps tells. */
static bool add_sparse(struct stretches *stretches, uint64_t base, uint64_t length) {
  FILE *maps = fopen("/proc/self/maps", "re");
  int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  uint64_t from, to;
  char line[512], access[5];
  bool good = maps != NULL && pagemap >= 0;
  while (good && fgets(line, sizeof line, maps) != NULL) {
    int path = 0;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %*s %n", &from, &to, access, &path) != 3) continue;
    if (from < base) from = base;
    if (to > base + length) to = base + length;
    if (from >= to || access[0] != 'r') continue;
    if (from == base + stretches->reach && strncmp(access, "rw-p", sizeof access) == 0 && line[path] != '/')
      stretches->reach = to - base;
    good = add_mapping(stretches, base, pagemap, from, to, access, line + path);
  }
  if (pagemap >= 0) close(pagemap);
  if (maps != NULL) fclose(maps);
  /* Nothing at all is there: one that is empty says so. */
  return good && (stretches->count > 0 || add_stretch(stretches, 0, 0, false));
}

/* Of a small one nothing is said: it is what its length says. */
static bool fill(struct stretches *stretches, const void *data, uint64_t length) {
  if (data == NULL || length < NR_SPARSE_MIN) return true;
  if (!add_sparse(stretches, (uint64_t)(uintptr_t)data, length)) return false;
  stretches->pointers = calloc(stretches->count, sizeof *stretches->pointers);
  if (stretches->pointers == NULL) return false;
  for (size_t i = 0; i < stretches->count; i++) stretches->pointers[i] = &stretches->items[i];
  return true;
}

/* The part whose changes are worth tracking: all of it, or, where not all is memory, the largest stretch. */
static struct nr_range largest(const struct stretches *stretches, uint64_t length) {
  struct nr_range range = {0, stretches->count == 0 || stretches->reach == length ? length : 0};
  for (size_t i = 0; i < stretches->count; i++) {
    const Nr__Stretch *stretch = &stretches->items[i];
    if (!stretch->constant && stretch->length > range.to - range.from)
      range = (struct nr_range){stretch->offset, stretch->offset + stretch->length};
  }
  return range;
}

static napi_status create(napi_env env, unsigned opcode, void *data, size_t length, napi_finalize finalize_cb,
                          void *finalize_hint, napi_value *result) {
  Nr__CreateExternalMemoryRequest request = NR__CREATE_EXTERNAL_MEMORY_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, opcode, &request.base);
  struct stretches stretches = {.tracker = env->channel->tracker};
  if (!fill(&stretches, data, length)) call.out_of_memory = true;
  request.length = length;
  /* Before the server reads it: what a thread writes in between is not lost. */
  bool sparse = stretches.count > 0;
  struct nr_pair *pair =
      nr_memory_foreign(env, data, length, largest(&stretches, length), sparse, stretches.reach == length);
  if (pair == NULL) {
    call.out_of_memory = true;
  } else {
    request.tracked_offset = pair->tracked.from;
    request.tracked_length = pair->tracked.to - pair->tracked.from;
  }
  request.address = (uint64_t)(uintptr_t)data;
  request.stretches = stretches.pointers;
  request.n_stretches = stretches.pointers == NULL ? 0 : stretches.count;
  if (finalize_cb != NULL) {
    request.object_id = nr_object_add(env, data, finalize_cb, finalize_hint);
    if (request.object_id == 0) call.out_of_memory = true;
  }
  request.result = nr_call_result(&call);
  napi_status status = nr_call_wait(&call);
  if (status == napi_ok) {
    const Nr__ViewReply *reply = call.reply;
    if (result != NULL) *result = nr_unwire(reply->result);
    nr_memory_adopt(env->channel, reply->view, pair, stretches.pointers, sparse ? stretches.count : 0);
    if (!sparse) nr_learn_view(&call, reply->result, reply->view);
    if (opcode == NR_OP_NAPI_CREATE_EXTERNAL_BUFFER) nr_fresh_add_buffer(env->channel, reply->result);
  } else if (pair != NULL) {
    nr_memory_drop(env->channel, pair);
  }
  if (status != napi_ok && opcode == NR_OP_NODE_API_CREATE_EXTERNAL_SHAREDARRAYBUFFER)
    free(nr_table_remove(env->channel->objects, request.object_id, NR_SORT_OBJECT));
  /* Where it failed, the server has seen to the finalizer of a buffer: Node calls it in some cases. */
  status = nr_call_end(&call, status); /* which prints the request */
  free(stretches.items);
  free(stretches.pointers);
  return status;
}

NR_EXPORT napi_status NAPI_CDECL napi_create_external_buffer(napi_env env, size_t length, void *data,
                                                             node_api_basic_finalize finalize_cb, void *finalize_hint,
                                                             napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, result);
  return create(env, NR_OP_NAPI_CREATE_EXTERNAL_BUFFER, data, length, finalize_cb, finalize_hint, result);
}

/* Node does not mind a result that is NULL here: it makes the Buffer, and asks for its ArrayBuffer. */
NR_EXPORT napi_status NAPI_CDECL napi_create_external_arraybuffer(napi_env env, void *external_data, size_t byte_length,
                                                                  node_api_basic_finalize finalize_cb,
                                                                  void *finalize_hint, napi_value *result) {
  NR_PREAMBLE(env);
  return create(env, NR_OP_NAPI_CREATE_EXTERNAL_ARRAYBUFFER, external_data, byte_length, finalize_cb, finalize_hint,
                result);
}

/* The finalizer of a SharedArrayBuffer gets no env. */
struct shared_finalizer {
  void (*callback)(void *data, void *hint);
  void *hint;
};

static void finalize_shared(napi_env env, void *data, void *hint) {
  struct shared_finalizer finalizer = *(struct shared_finalizer *)hint;
  (void)env;
  free(hint);
  finalizer.callback(data, finalizer.hint);
}

/* The finalizer of bytes at NULL is never called. */
NR_EXPORT napi_status NAPI_CDECL node_api_create_external_sharedarraybuffer(
    napi_env env, void *external_data, size_t byte_length,
    void (*finalize_cb)(void *external_data, void *finalize_hint), void *finalize_hint, napi_value *result) {
  struct shared_finalizer *finalizer = NULL;
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, result);
  if (finalize_cb != NULL && external_data != NULL) {
    finalizer = malloc(sizeof *finalizer);
    if (finalizer == NULL) return nr_refuse_js(env, __func__, napi_generic_failure);
    *finalizer = (struct shared_finalizer){.callback = finalize_cb, .hint = finalize_hint};
  }
  napi_status status = create(env, NR_OP_NODE_API_CREATE_EXTERNAL_SHAREDARRAYBUFFER, external_data, byte_length,
                              finalizer == NULL ? NULL : finalize_shared, finalizer, result);
  if (status != napi_ok) free(finalizer);
  return status;
}
