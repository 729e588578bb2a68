/*
 * Blocks: where the host's half of a pair lies. In memory that both processes map, which JavaScript never sees: the
 * server alone copies between a block and the real ArrayBuffer, against the block's twin, which is this side's own.
 *
 * One memfd a host, that only grows, in extents. Small blocks lie in extents of their size class; larger ones have an
 * extent each. Those that are free again are kept for the next ones: first touch of new shared pages costs many times a
 * copy. Belongs to the agent's thread.
 */
#ifndef NR_SERVER_BLOCKS_H
#define NR_SERVER_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "server/memory/spares.h"

struct nr_blocks;
struct nr_extent;

struct nr_block {
  uint8_t *memory; /* the host writes here at any time: look at each byte once. NULL: no block, or only a twin */
  uint8_t *twin;   /* what both sides had last */
  uint64_t place;  /* in the memfd, bytes */
  uint64_t size;   /* at least what was asked for */
  struct nr_extent *extent;
  bool born;
  bool lent;  /* the twin is somebody else's */
  bool fresh; /* of a large one: nobody has had its memory before, which is all zeros */
};

/* Tells the host of an extent (map) or that it is gone. */
typedef void nr_extent_told(void *context, uint64_t place, uint64_t length, bool map);

/* Takes the memfd over. */
struct nr_blocks *nr_blocks_create(int memfd, nr_extent_told *tell, void *context);
/* All blocks are gone with it. */
/* The host is gone: closes the memfd, and from now on keeps nothing that is free. Blocks that live stay where they are.
 */
void nr_blocks_retire(struct nr_blocks *blocks);
void nr_blocks_destroy(struct nr_blocks *blocks);

/* Room for `length` bytes, not zeroed; above NR_BLOCK_PAGED it starts on a page of its own. False without memory. */
bool nr_block_create(struct nr_blocks *blocks, uint64_t length, struct nr_block *block);
/* A twin without shared memory, for bytes that are elsewhere in the host. */
bool nr_block_create_twin(struct nr_blocks *blocks, uint64_t length, struct nr_block *block);
/* The same with a twin that is somebody's who keeps it until the block is freed. */
void nr_block_lend(struct nr_blocks *blocks, uint8_t *twin, uint64_t length, struct nr_block *block);
/* Bytes of all blocks that have been created and not freed. */
uint64_t nr_blocks_live(const struct nr_blocks *blocks);
/* In collections, too. */
void nr_block_free(struct nr_blocks *blocks, struct nr_block *block);

/* The same for a block whose pages are mapped a second time, as memory of a Buffer, that begins at `offset` on its
 * page. It may be freed while that memory lives on (an ArrayBuffer that was transferred): it is used again when the
 * mapping is gone. */
bool nr_block_create_born(struct nr_blocks *blocks, uint64_t length, uint64_t offset, struct nr_block *block);
/* Puts the pages [from, to) of the block, whole ones, in place of those at `bytes`. Many of them cost nothing before
 * they are touched. */
bool nr_block_map(struct nr_blocks *blocks, const struct nr_block *block, uint8_t *bytes, uint64_t from, uint64_t to);

/* Gives memory that nobody needs back to the system, and tells the host. Not in a collection. */
void nr_blocks_trim(struct nr_blocks *blocks);

/* Memory of this process' own, which begins on a page and may hold what it held before: from NR_SPARE_MAX on it is all
 * zeros, and pages cost nothing before they are touched. NULL without memory. */
uint8_t *nr_spare_create(struct nr_blocks *blocks, uint64_t length);
/* NULL: no effect. */
void nr_spare_free(struct nr_blocks *blocks, uint8_t *memory, uint64_t length);
/* nr_spares_are_due(), nr_spares_get_ready(): for whoever has to wait. */
bool nr_blocks_are_due(const struct nr_blocks *blocks);
void nr_blocks_get_ready(struct nr_blocks *blocks);
#define NR_BLOCK_PAGED (UINT64_C(128) << 10)

/* The memfd for them: sealed against shrinking, so that neither side can take pages away from the other. A descriptor,
 * or a negative errno. */
int nr_blocks_memfd(void);

#endif
