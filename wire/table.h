/*
 * Ids for things that live longer than a handle (references, callbacks, wraps, finalizers, deferreds, pairs, envs):
 * slot and generation, 64 bits, 0 is never an id. A slot that is freed and used again has another generation, so a
 * stale id is recognised, not followed. `kind` keeps one sort from being taken for another. Not thread-safe.
 */
#ifndef NR_WIRE_TABLE_H
#define NR_WIRE_TABLE_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t nr_id; /* generation << 32 | slot + 1 */

struct nr_table;

struct nr_table *nr_table_create(uint32_t limit);
void nr_table_destroy(struct nr_table *table);

/* Takes a free slot; 0 over the limit or without memory. kind: 1 to 255. item may be NULL for none. */
nr_id nr_table_add(struct nr_table *table, unsigned kind, void *item);

/*
 * Registers an id that the other side chose (it has a table of its own that hands them out). 0, -EEXIST when that slot
 * is taken, -EINVAL for an id that cannot be, -EDQUOT over the limit, -ENOMEM. A table is used either with add or with
 * adopt, not both.
 */
int nr_table_adopt(struct nr_table *table, nr_id id, unsigned kind, void *item);

/* The id that lives in this id's slot, whatever its generation; 0: none. */
nr_id nr_table_tenant(const struct nr_table *table, nr_id id);

/* The item of a live id of this kind; NULL otherwise. */
void *nr_table_get(const struct nr_table *table, nr_id id, unsigned kind);
/* The same, and frees the slot. */
void *nr_table_remove(struct nr_table *table, nr_id id, unsigned kind);

size_t nr_table_count(const struct nr_table *table);
/* Calls visit for every live item, oldest slot first; visit may remove the id that it is given. */
void nr_table_each(struct nr_table *table, void (*visit)(nr_id id, unsigned kind, void *item, void *context),
                   void *context);

#endif
