/*
 * Shared at birth: a large Buffer or ArrayBuffer that native code makes is made by the real function, so that it is
 * transferred and detached as any other, and the whole pages inside its memory are replaced by pages that the host maps
 * as well. They need no copies. What is left at both ends stays a pair.
 *
 * Only memory that nobody holds yet, and only where malloc is glibc's and the block is a mapping of its own, which
 * free() unmaps. A trusted host only (load()'s option): JavaScript sees what it writes
 * while it writes.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "server/memory/memory.h"
#include "wire/pages.h"

/* glibc's own threshold follows what is freed, up to 32 MiB, and cannot be asked for or given back: it is fixed in
 * between when this has been used for the first time. */
#define NR_MALLOC_THRESHOLD (8 << 20)

#define NR_ATTEMPTS 8

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_glibc;

/* Does glibc count a mapping more when malloc() makes one? The address of malloc() tells nothing: in most builds of
 * Node it is a jump in the executable. (Another thread may do the same just now.) */
static bool counts_mappings(void) {
  for (int attempt = 0; attempt < NR_ATTEMPTS; attempt++) {
    size_t before = mallinfo2().hblks;
    void *probe = malloc(NR_MALLOC_THRESHOLD + 1);
    size_t after = mallinfo2().hblks;
    free(probe);
    if (probe != NULL && after == before + 1) return true;
  }
  return false;
}

static void look_at_malloc(void) {
  is_glibc = mallopt(M_MMAP_THRESHOLD, NR_MALLOC_THRESHOLD) == 1 &&
             mallopt(M_TRIM_THRESHOLD, 2 * NR_MALLOC_THRESHOLD) == 1 && counts_mappings();
}

/* Is the block a mapping of its own? Its header lies on the same page, right before it (malloc.c of glibc: a size whose
 * second bit says so, and how far the mapping's beginning is). */
static bool is_mapping(const uint8_t *bytes, uint64_t length) {
  __asm__("" : "+r"(bytes)); /* compilers know what malloc() is, and that nobody may look there */
  if ((uintptr_t)bytes % NR_PAGE != 2 * sizeof(size_t)) return false;
  const size_t *header = (const size_t *)(uintptr_t)(bytes - 2 * sizeof(size_t));
  size_t size = header[1] & ~(size_t)7;
  return header[0] == 0 && (header[1] & 2) != 0 && size % NR_PAGE == 0 && size >= length + 2 * sizeof(size_t);
}

/* malloc() makes a mapping only where none of its free chunks is large enough, and there is nearly always one: the end
 * of its heap. So those are taken out of its sight: `birth` holds them. False: there are too many. */
static bool hide_chunks(struct nr_birth *birth, uint64_t length) {
  while (birth->count < NR_BIRTH_CHUNKS) {
    uint8_t *chunk = malloc(length);
    if (chunk == NULL) return false;
    if (is_mapping(chunk, length)) {
      free(chunk);
      return true;
    }
    birth->chunks[birth->count++] = chunk;
    /* The end of the heap may be many times as large. */
    size_t rest = birth->count == 1 ? mallinfo2().keepcost : 0;
    if (rest > length && birth->count < NR_BIRTH_CHUNKS) birth->chunks[birth->count++] = malloc(rest - NR_PAGE);
  }
  return false;
}

bool nr_birth_begin(struct nr_birth *birth, uint64_t length) {
  *birth = (struct nr_birth){.length = length};
  if (length < NR_BLOCK_PAGED || length > INT64_MAX / 4) return false;
  pthread_once(&once, look_at_malloc);
  if (!is_glibc) return false;
  birth->begun = true;
  if (length < NR_MALLOC_THRESHOLD) mallopt(M_MMAP_THRESHOLD, (int)NR_BLOCK_PAGED);
  if (hide_chunks(birth, length)) return true;
  nr_birth_end(birth);
  return false;
}

void nr_birth_end(struct nr_birth *birth) {
  if (!birth->begun) return;
  birth->begun = false;
  while (birth->count > 0) free(birth->chunks[--birth->count]);
  if (birth->length < NR_MALLOC_THRESHOLD) mallopt(M_MMAP_THRESHOLD, NR_MALLOC_THRESHOLD);
}

bool nr_birth_share(struct nr_connection *connection, uint8_t *bytes, uint64_t length, bool zeros,
                    struct nr_block *block, struct nr_range *inner) {
  uint64_t begin = (uint64_t)(uintptr_t)bytes;
  if (!is_mapping(bytes, length)) return false;
  *inner = (struct nr_range){(begin + NR_PAGE - 1) / NR_PAGE * NR_PAGE - begin,
                             (begin + length) / NR_PAGE * NR_PAGE - begin};
  if (!nr_block_create_born(connection->blocks, length, begin % NR_PAGE, block)) return false;
  if (!nr_block_map(connection->blocks, block, bytes, inner->from, inner->to)) {
    nr_block_free(connection->blocks, block);
    return false;
  }
  /* These pages may have been another buffer's, which the host has seen; at the ends is Node's memory, which it has
   * not.
   */
  if (zeros && !block->fresh) memset(bytes, 0, length);
  memset(bytes, 0, inner->from);
  memset(bytes + inner->to, 0, length - inner->to);
  memcpy(block->twin, bytes, inner->from);
  memcpy(block->memory, bytes, inner->from);
  memcpy(block->twin + inner->to, bytes + inner->to, length - inner->to);
  memcpy(block->memory + inner->to, bytes + inner->to, length - inner->to);
  return true;
}
