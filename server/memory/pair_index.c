/*
 * Pairs by the address of their bytes. A program that passes one fresh small Buffer after the other has many: with a
 * fixed number of buckets finding one took most of a call.
 */
#include <stdlib.h>

#include "server/memory/memory.h"

#define NR_BITS_MIN 4u

struct nr_pair_index {
  struct nr_pair **buckets;
  unsigned bits;
  uint32_t count;
  size_t turn; /* the bucket that nr_pair_index_some() begins with */
};

struct nr_pair_index *nr_pair_index_create(void) {
  struct nr_pair_index *index = calloc(1, sizeof *index);
  if (index == NULL) return NULL;
  index->bits = NR_BITS_MIN;
  index->buckets = calloc((size_t)1 << index->bits, sizeof *index->buckets);
  if (index->buckets != NULL) return index;
  free(index);
  return NULL;
}

void nr_pair_index_destroy(struct nr_pair_index *index) {
  if (index == NULL) return;
  free(index->buckets);
  free(index);
}

static struct nr_pair **bucket_of(const struct nr_pair_index *index, const void *bytes) {
  uint64_t hash = ((uint64_t)(uintptr_t)bytes >> 4) * UINT64_C(0x9e3779b97f4a7c15);
  return &index->buckets[hash >> (64 - index->bits)];
}

static void link_pair(struct nr_pair_index *index, struct nr_pair *pair) {
  struct nr_pair **bucket = bucket_of(index, pair->bytes);
  pair->next = *bucket;
  *bucket = pair;
}

/* Without memory for more buckets the chains get longer. */
static void grow(struct nr_pair_index *index) {
  struct nr_pair_index before = *index;
  struct nr_pair **buckets = calloc((size_t)2 << before.bits, sizeof *buckets);
  if (buckets == NULL) return;
  index->buckets = buckets;
  index->bits++;
  for (size_t i = 0; i < (size_t)1 << before.bits; i++) {
    for (struct nr_pair *pair = before.buckets[i], *next; pair != NULL; pair = next) {
      next = pair->next;
      link_pair(index, pair);
    }
  }
  free(before.buckets);
}

void nr_pair_index_add(struct nr_pair_index *index, struct nr_pair *pair) {
  if (index->count >> index->bits != 0) grow(index);
  index->count++;
  link_pair(index, pair);
}

void nr_pair_index_remove(struct nr_pair_index *index, struct nr_pair *pair) {
  for (struct nr_pair **link = bucket_of(index, pair->bytes); *link != NULL; link = &(*link)->next) {
    if (*link != pair) continue;
    *link = pair->next;
    index->count--;
    return;
  }
}

struct nr_pair *nr_pair_index_first(const struct nr_pair_index *index, const void *bytes) {
  return *bucket_of(index, bytes);
}

uint32_t nr_pair_index_count(const struct nr_pair_index *index) {
  return index->count;
}

static void visit_bucket(struct nr_pair *first, void (*visit)(struct nr_pair *pair, void *context), void *context) {
  for (struct nr_pair *pair = first, *next; pair != NULL; pair = next) {
    next = pair->next;
    visit(pair, context);
  }
}

void nr_pair_index_each(struct nr_pair_index *index, void (*visit)(struct nr_pair *pair, void *context),
                        void *context) {
  for (size_t i = 0; i < (size_t)1 << index->bits; i++) visit_bucket(index->buckets[i], visit, context);
}

/* There is about one to a bucket at most. */
void nr_pair_index_some(struct nr_pair_index *index, uint32_t count, void (*visit)(struct nr_pair *pair, void *context),
                        void *context) {
  size_t buckets = (size_t)1 << index->bits;
  if (count >= buckets) {
    nr_pair_index_each(index, visit, context);
    return;
  }
  for (uint32_t i = 0; i < count; i++) {
    index->turn = (index->turn + 1) & (buckets - 1);
    visit_bucket(index->buckets[index->turn], visit, context);
  }
}
