/*
 * Tables of ids, in segments like the handle stacks. A slot keeps its generation when it is freed.
 */
#include "wire/table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SEGMENT_BITS 9u
#define SEGMENT_SLOTS (UINT32_C(1) << SEGMENT_BITS)
#define NO_SLOT UINT32_MAX

struct slot {
  void *item;
  uint32_t generation;
  uint32_t next_free;
  uint8_t kind; /* 0: free */
};

struct nr_table {
  uint32_t limit;
  uint32_t end;  /* no slot at or above was ever used */
  uint32_t free; /* the slot that was freed last */
  size_t count;
  struct slot *segments[];
};

static uint32_t segment_count(uint32_t limit) {
  return limit / SEGMENT_SLOTS + (limit % SEGMENT_SLOTS != 0);
}

static size_t size_of(uint32_t limit) {
  return sizeof(struct nr_table) + segment_count(limit) * sizeof(struct slot *);
}

/* Straight from the kernel: of 256 KiB of zeros most is never looked at, and calloc() may clear them all, 80 us. */
struct nr_table *nr_table_create(uint32_t limit) {
  if (limit == NO_SLOT) limit--;
  struct nr_table *table =
      mmap(NULL, size_of(limit), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (table == MAP_FAILED) return NULL;
  table->limit = limit;
  table->free = NO_SLOT;
  return table;
}

void nr_table_destroy(struct nr_table *table) {
  if (!table) return;
  for (uint32_t i = 0; i < segment_count(table->end); i++) free(table->segments[i]);
  munmap(table, size_of(table->limit));
}

static struct slot *slot_at(const struct nr_table *table, uint32_t number) {
  struct slot *segment = table->segments[number >> SEGMENT_BITS];
  return segment ? segment + (number & (SEGMENT_SLOTS - 1)) : NULL;
}

static struct slot *slot_make(struct nr_table *table, uint32_t number) {
  struct slot **segment = &table->segments[number >> SEGMENT_BITS];
  if (!*segment) *segment = calloc(SEGMENT_SLOTS, sizeof **segment);
  return *segment ? *segment + (number & (SEGMENT_SLOTS - 1)) : NULL;
}

static void slot_occupy(struct nr_table *table, struct slot *slot, unsigned kind, void *item) {
  slot->kind = (uint8_t)kind;
  slot->item = item;
  table->count++;
}

nr_id nr_table_add(struct nr_table *table, unsigned kind, void *item) {
  if (kind == 0 || kind > UINT8_MAX) return 0;
  uint32_t number = table->free;
  bool fresh = number == NO_SLOT;
  if (fresh) number = table->end;
  if (number >= table->limit) return 0;
  struct slot *slot = slot_make(table, number);
  if (!slot) return 0;
  if (fresh)
    table->end++;
  else
    table->free = slot->next_free;
  slot->generation++;
  slot_occupy(table, slot, kind, item);
  return (nr_id)slot->generation << 32 | (number + 1);
}

int nr_table_adopt(struct nr_table *table, nr_id id, unsigned kind, void *item) {
  uint32_t number = (uint32_t)id - 1, generation = (uint32_t)(id >> 32);
  if (number == NO_SLOT || generation == 0 || kind == 0 || kind > UINT8_MAX) return -EINVAL;
  if (number >= table->limit) return -EDQUOT;
  struct slot *slot = slot_make(table, number);
  if (!slot) return -ENOMEM;
  if (slot->kind != 0) return -EEXIST;
  slot->generation = generation;
  slot_occupy(table, slot, kind, item);
  if (number >= table->end) table->end = number + 1;
  return 0;
}

static struct slot *slot_find(const struct nr_table *table, nr_id id, unsigned kind) {
  uint32_t number = (uint32_t)id - 1;
  if (number >= table->end || kind == 0) return NULL;
  struct slot *slot = slot_at(table, number);
  return slot && slot->kind == kind && slot->generation == (uint32_t)(id >> 32) ? slot : NULL;
}

nr_id nr_table_tenant(const struct nr_table *table, nr_id id) {
  uint32_t number = (uint32_t)id - 1;
  const struct slot *slot = number < table->end ? slot_at(table, number) : NULL;
  return slot != NULL && slot->kind != 0 ? (nr_id)slot->generation << 32 | (uint32_t)id : 0;
}

void *nr_table_get(const struct nr_table *table, nr_id id, unsigned kind) {
  const struct slot *slot = slot_find(table, id, kind);
  return slot ? slot->item : NULL;
}

void *nr_table_remove(struct nr_table *table, nr_id id, unsigned kind) {
  struct slot *slot = slot_find(table, id, kind);
  if (!slot) return NULL;
  void *item = slot->item;
  slot->kind = 0;
  slot->item = NULL;
  table->count--;
  /* A slot whose generations are used up stays free for ever, or an id would come back. */
  if (slot->generation == UINT32_MAX) return item;
  slot->next_free = table->free;
  table->free = (uint32_t)id - 1;
  return item;
}

size_t nr_table_count(const struct nr_table *table) {
  return table->count;
}

void nr_table_each(struct nr_table *table, void (*visit)(nr_id id, unsigned kind, void *item, void *context),
                   void *context) {
  for (uint32_t number = 0; number < table->end; number++) {
    const struct slot *slot = slot_at(table, number);
    if (!slot) {
      number |= SEGMENT_SLOTS - 1;
      continue;
    }
    if (slot->kind != 0) visit((nr_id)slot->generation << 32 | (number + 1), slot->kind, slot->item, context);
  }
}
