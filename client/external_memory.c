/*
 * External buffers: their memory is the addon's own, and stays where it is; JavaScript has a copy. What is in the host
 * goes over with the call, later changes as with any pair (memory.c).
 *
 * Addons make such buffers of a gigabyte over the little that is mapped. Of large ones only those pages go over that
 * are there: others may be no memory at all, and those that nobody has touched are zeros.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/client-private.h"

/* Buffers below are taken to be what their length says. */
#define NR_EXTERNAL_SPARSE (UINT64_C(64) << 20)
#define NR_PAGE UINT64_C(4096)

struct pieces {
  Nr__Piece *items;
  Nr__Piece **pointers;
  size_t count;
  size_t room;
};

static bool add_piece(struct nr_call *call, struct pieces *pieces, const uint8_t *data, uint64_t from, uint64_t to) {
  if (pieces->count == pieces->room) {
    size_t room = pieces->room == 0 ? 16 : pieces->room * 2;
    Nr__Piece *items = realloc(pieces->items, room * sizeof *items);
    if (items == NULL) return false;
    pieces->items = items;
    pieces->room = room;
  }
  nr_span span = nr_call_bytes(call, data + from, to - from);
  if (span == NR_SPAN_NULL) return false;
  Nr__Piece *piece = &pieces->items[pieces->count++];
  nr__piece__init(piece);
  piece->offset = from;
  piece->bytes = span;
  return true;
}

/* Has this page of an anonymous mapping ever been written? (The bits are those of Linux's pagemap: present, swapped.)
 */
static bool is_there(int pagemap, uint64_t page) {
  uint64_t entry = 0;
  if (pread(pagemap, &entry, sizeof entry, (off_t)(page / NR_PAGE * sizeof entry)) != sizeof entry) return true;
  return entry >> 62 != 0;
}

/* The pages of one mapping that are there, in stretches. */
static bool add_anonymous(struct nr_call *call, struct pieces *pieces, const uint8_t *data, int pagemap, uint64_t from,
                          uint64_t to) {
  uint64_t base = (uint64_t)(uintptr_t)data;
  while (from < to) {
    uint64_t start = from;
    while (from < to && is_there(pagemap, from)) from = (from / NR_PAGE + 1) * NR_PAGE;
    if (from > start && !add_piece(call, pieces, data, start - base, (from < to ? from : to) - base)) return false;
    if (from < to) from = (from / NR_PAGE + 1) * NR_PAGE;
  }
  return true;
}

/* What of the memory is readable, as /proc/self/maps tells; of files all, of the rest what is there. */
static bool add_sparse(struct nr_call *call, struct pieces *pieces, const uint8_t *data, uint64_t length) {
  FILE *maps = fopen("/proc/self/maps", "re");
  int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  uint64_t base = (uint64_t)(uintptr_t)data, from, to, inode;
  char line[512], access;
  bool good = maps != NULL && pagemap >= 0;
  while (good && fgets(line, sizeof line, maps) != NULL) {
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %c%*s %*s %*s %" SCNu64, &from, &to, &access, &inode) != 4) continue;
    if (from < base) from = base;
    if (to > base + length) to = base + length;
    if (from >= to || access != 'r') continue;
    good = inode != 0 ? add_piece(call, pieces, data, from - base, to - base)
                      : add_anonymous(call, pieces, data, pagemap, from, to);
  }
  if (pagemap >= 0) close(pagemap);
  if (maps != NULL) fclose(maps);
  return good;
}

static bool add_all(struct nr_call *call, struct pieces *pieces, const void *data, uint64_t length) {
  if (data == NULL || length == 0) return true;
  if (length >= NR_EXTERNAL_SPARSE ? !add_sparse(call, pieces, data, length)
                                   : !add_piece(call, pieces, data, 0, length))
    return false;
  pieces->pointers = calloc(pieces->count + 1, sizeof *pieces->pointers);
  if (pieces->pointers == NULL) return false;
  for (size_t i = 0; i < pieces->count; i++) pieces->pointers[i] = &pieces->items[i];
  return true;
}

static napi_status create(napi_env env, unsigned opcode, void *data, size_t length, napi_finalize finalize_cb,
                          void *finalize_hint, napi_value *result) {
  Nr__CreateExternalMemoryRequest request = NR__CREATE_EXTERNAL_MEMORY_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, opcode, &request.base);
  struct pieces pieces = {.count = 0};
  if (!add_all(&call, &pieces, data, length)) call.out_of_memory = true;
  request.length = length;
  request.pieces = pieces.pointers;
  request.n_pieces = pieces.pointers == NULL ? 0 : pieces.count;
  if (finalize_cb != NULL) {
    request.object_id = nr_object_add(env, data, finalize_cb, finalize_hint);
    if (request.object_id == 0) call.out_of_memory = true;
  }
  request.result = nr_call_result(&call);
  napi_status status = nr_call_wait(&call);
  if (status == napi_ok) {
    const Nr__ViewReply *reply = call.reply;
    if (result != NULL) *result = nr_unwire(reply->result);
    nr_memory_adopt(env->channel, reply->view, data, length < NR_EXTERNAL_SPARSE);
  }
  /* Where it failed, the server has seen to the finalizer: Node calls it in some cases. */
  free(pieces.items);
  free(pieces.pointers);
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_create_external_buffer(napi_env env, size_t length, void *data,
                                                             node_api_basic_finalize finalize_cb, void *finalize_hint,
                                                             napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_ARG(env, result);
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
