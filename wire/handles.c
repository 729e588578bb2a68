/*
 * The handle stack, in segments that come and go: an index chosen by a hostile peer costs one segment, wherever it
 * lies.
 */
#include "wire/handles.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/pages.h"

#define SEGMENT_BITS 12u
#define SEGMENT_PLACES (UINT32_C(1) << SEGMENT_BITS)
#define GENERATION_MAX 0x7fffu

struct place {
  void *item;
  uint16_t generation;
};

/* A segment that is not there holds nothing. Above `top` all places are empty. */
struct nr_handles {
  uint32_t top;
  uint32_t limit;
  uint16_t generation;
  struct place *spare; /* an empty segment: a scope at the edge of one would pay calloc each time */
  struct place *segments[];
};

static uint32_t segment_count(uint32_t limit) {
  return limit / SEGMENT_PLACES + (limit % SEGMENT_PLACES != 0);
}

struct nr_handles *nr_handles_create(uint32_t limit) {
  struct nr_handles *handles = nr_pages_calloc(sizeof *handles + segment_count(limit) * sizeof *handles->segments);
  if (!handles) return NULL;
  handles->limit = limit;
  handles->generation = 1;
  return handles;
}

void nr_handles_destroy(struct nr_handles *handles) {
  if (!handles) return;
  for (uint32_t i = 0; i < segment_count(handles->limit); i++) free(handles->segments[i]);
  free(handles->spare);
  free(handles);
}

/* The place, with its segment made when there is none. */
static struct place *place_at(struct nr_handles *handles, uint32_t index) {
  struct place **segment = &handles->segments[index >> SEGMENT_BITS];
  if (!*segment) {
    *segment = handles->spare ? handles->spare : nr_pages_calloc(SEGMENT_PLACES * sizeof **segment);
    handles->spare = NULL;
    if (!*segment) return NULL;
  }
  return *segment + (index & (SEGMENT_PLACES - 1));
}

int nr_handles_push(struct nr_handles *handles, void *item, uint32_t *index, uint16_t *generation) {
  if (handles->top >= handles->limit) return -EDQUOT;
  struct place *place = place_at(handles, handles->top);
  if (!place) return -ENOMEM;
  place->item = item;
  place->generation = handles->generation;
  *index = handles->top++;
  *generation = handles->generation;
  return 0;
}

int nr_handles_put(struct nr_handles *handles, uint32_t index, uint16_t generation, void *item) {
  if (!item || generation == 0 || generation > GENERATION_MAX) return -EINVAL;
  if (index >= handles->limit) return -EDQUOT;
  struct place *place = place_at(handles, index);
  if (!place) return -ENOMEM;
  if (place->item) return -EEXIST;
  place->item = item;
  place->generation = generation;
  if (index >= handles->top) handles->top = index + 1;
  return 0;
}

void *nr_handles_get(const struct nr_handles *handles, uint32_t index, uint16_t generation) {
  if (index >= handles->top) return NULL;
  const struct place *segment = handles->segments[index >> SEGMENT_BITS];
  if (!segment) return NULL;
  const struct place *place = segment + (index & (SEGMENT_PLACES - 1));
  return place->generation == generation ? place->item : NULL;
}

uint32_t nr_handles_top(const struct nr_handles *handles) {
  return handles->top;
}

/* Empties the places of a segment from `first` on; one that becomes empty altogether is given back. */
static void segment_clear(struct nr_handles *handles, uint32_t number, uint32_t first, uint32_t end) {
  struct place *segment = handles->segments[number];
  if (!segment) return;
  memset(segment + first, 0, (end - first) * sizeof *segment);
  if (first > 0) return;
  handles->segments[number] = NULL;
  if (handles->spare)
    free(segment);
  else
    handles->spare = segment;
}

void nr_handles_truncate(struct nr_handles *handles, uint32_t top) {
  if (top >= handles->top) return;
  uint32_t last = (handles->top - 1) >> SEGMENT_BITS;
  for (uint32_t number = top >> SEGMENT_BITS; number <= last; number++) {
    uint32_t base = number << SEGMENT_BITS;
    uint32_t first = top > base ? top - base : 0;
    uint32_t end = handles->top - base < SEGMENT_PLACES ? handles->top - base : SEGMENT_PLACES;
    segment_clear(handles, number, first, end);
  }
  handles->top = top;
  handles->generation = handles->generation == GENERATION_MAX ? 1 : handles->generation + 1;
}

uint16_t nr_handles_generation(const struct nr_handles *handles) {
  return handles->generation;
}
