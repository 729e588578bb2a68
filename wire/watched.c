#include "wire/watched.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "wire/faults.h"
#include "wire/pages.h"
#include "wire/parts.h"

/* Of all lists: each may split a mapping of this process in three, and Linux allows 65,530 of those. */
#define NR_WATCHED_MAX 8192u

/* What may lie between two parts that are asked about together: of other mappings, each of which costs some 50 ns, that
 * is few. */
#define NR_GAP (UINT64_C(64) << 10)
/* In a list that renews, one look out of so many finds what was mapped anew in the midst of a page. */
#define NR_STRICT 64u

struct field {
  uint64_t from, to; /* addresses */
  bool registered;
};

struct nr_watched {
  struct nr_watched *next; /* of all */
  struct nr_tracker *tracker;
  bool renews;
  bool owes;            /* some part is owed */
  long faults;          /* and disturbances, at the last look */
  uint32_t rows, looks; /* rows that were looked at; and looks */
  struct nr_parts parts;
  struct field *fields;
  uint32_t field_count, field_room;
  struct nr_range *found; /* addresses, of the question that is being asked */
  size_t found_count, found_room;
};

/* The kernel forgets what was written for all who ask, so no page is in two lists. Whose list it is changes it with the
 * lock held, and reads it without. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct nr_watched *lists;
static uint32_t all_parts;

#define NR_FOUND_ROOM 256u

struct nr_watched *nr_watched_create(struct nr_tracker *tracker, bool renews) {
  struct nr_watched *watched = nr_pages_calloc(sizeof *watched);
  struct nr_range *found = nr_pages_calloc(NR_FOUND_ROOM * sizeof *found);
  if (watched == NULL || found == NULL) {
    free(watched);
    free(found);
    return NULL;
  }
  watched->tracker = tracker;
  watched->renews = renews;
  watched->faults = -1;
  watched->found = found;
  watched->found_room = NR_FOUND_ROOM;
  pthread_mutex_lock(&lock);
  watched->next = lists;
  lists = watched;
  pthread_mutex_unlock(&lock);
  return watched;
}

void nr_watched_destroy(struct nr_watched *watched) {
  pthread_mutex_lock(&lock);
  struct nr_watched **link = &lists;
  while (*link != watched) link = &(*link)->next;
  *link = watched->next;
  all_parts -= watched->parts.count;
  pthread_mutex_unlock(&lock);
  free(watched->parts.items);
  free(watched->fields);
  free(watched->found);
  free(watched);
}

bool nr_watched_is_empty(const struct nr_watched *watched) {
  return watched->parts.count == 0;
}

static bool register_all(struct nr_watched *watched, uint64_t from, uint64_t to) {
  return nr_tracker_register(watched->tracker, (const void *)(uintptr_t)from, to - from) == 0;
}

/* ---- fields -------------------------------------------------------------------------------------------------------
 */

bool nr_watched_field(struct nr_watched *watched, const void *memory, size_t length) {
  uint64_t from = (uint64_t)(uintptr_t)memory;
  if (watched->field_count == watched->field_room) {
    uint32_t room = watched->field_room == 0 ? 16 : watched->field_room * 2;
    struct field *fields = realloc(watched->fields, room * sizeof *fields);
    if (fields == NULL) return false;
    watched->fields = fields;
    watched->field_room = room;
  }
  watched->fields[watched->field_count++] = (struct field){.from = from, .to = from + length};
  return true;
}

void nr_watched_no_field(struct nr_watched *watched, const void *memory) {
  uint64_t from = (uint64_t)(uintptr_t)memory;
  for (uint32_t i = 0; i < watched->field_count; i++) {
    struct field field = watched->fields[i];
    if (field.from != from) continue;
    if (field.registered) nr_tracker_remove(watched->tracker, memory, field.to - from);
    watched->fields[i] = watched->fields[--watched->field_count];
    return;
  }
}

/* The one that they are in; NULL: there is none. */
static struct field *field_of(const struct nr_watched *watched, uint64_t from, uint64_t to) {
  for (uint32_t i = 0; i < watched->field_count; i++) {
    if (watched->fields[i].from <= from && watched->fields[i].to >= to) return &watched->fields[i];
  }
  return NULL;
}

/* A field as a whole, with the first part in it: until then the kernel maps its pages sixteen at a time when they are
 * touched first, afterwards one by one. */
static bool register_for(struct nr_watched *watched, uint64_t from, uint64_t to) {
  struct field *field = field_of(watched, from, to);
  if (field == NULL) return register_all(watched, from, to);
  if (!field->registered) field->registered = register_all(watched, field->from, field->to);
  return field->registered;
}

/* ---- parts --------------------------------------------------------------------------------------------------------
 */

static void stop(struct nr_watched *watched, uint64_t from, uint64_t to) {
  struct nr_range pages;
  if (field_of(watched, from, to) != NULL) return;
  while (nr_parts_next_free(&watched->parts, &from, to, &pages))
    nr_tracker_remove(watched->tracker, (const void *)(uintptr_t)pages.from, pages.to - pages.from);
}

/* That large it is the memory of external buffers, of which nothing may be there. The host's is shared. */
static bool is_sparse(const struct nr_watched *watched, uint64_t from, uint64_t to) {
  return !watched->renews && to - from >= NR_SPARSE_MIN;
}

static void ignore(uint64_t from, uint64_t to, void *context) {
  (void)from;
  (void)to;
  (void)context;
}

/* All of it is registered, since what others touch may have been unmapped since, but only what no other part touches
 * begins anew: on the other pages there may be something to tell. */
static bool start(struct nr_watched *watched, uint64_t from, uint64_t to) {
  struct nr_range pages;
  uint64_t at = from;
  if (!register_for(watched, from, to)) return false;
  while (nr_parts_next_free(&watched->parts, &at, to, &pages)) {
    bool sparse = is_sparse(watched, pages.from, pages.to);
    if (nr_tracker_find(watched->tracker, pages.from, pages.to, false, sparse, ignore, NULL) == 0) continue;
    stop(watched, from, to);
    return false;
  }
  return true;
}

static bool is_anothers(const struct nr_watched *watched, uint64_t from, uint64_t to) {
  for (const struct nr_watched *other = lists; other != NULL; other = other->next) {
    if (other != watched && !nr_parts_leave_free(&other->parts, from, to)) return true;
  }
  return false;
}

/* forgets: what was written so far is not told. */
static bool insert(struct nr_watched *watched, struct nr_part part, bool forgets) {
  uint64_t from = nr_page_of(part.from), to = nr_page_end(part.to);
  if (all_parts >= NR_WATCHED_MAX || is_anothers(watched, from, to)) return false;
  bool shares = !nr_parts_leave_free(&watched->parts, from, to);
  const struct field *field = field_of(watched, from, to);
  part.field = field == NULL ? 0 : field->to;
  if (!(forgets ? start(watched, from, to) : register_all(watched, from, to))) return false;
  if (!nr_parts_insert(&watched->parts, part)) {
    stop(watched, from, to);
    return false;
  }
  all_parts++;
  watched->owes |= part.owed;
  /* Pages of others may have been mapped anew since: then nothing there faults. */
  if (shares || !forgets) watched->faults = -1;
  return true;
}

void *nr_watched_owner(const struct nr_watched *watched, const void *memory, size_t length) {
  uint64_t from = nr_page_of((uint64_t)(uintptr_t)memory), to = nr_page_end((uint64_t)(uintptr_t)memory + length);
  for (uint32_t i = nr_parts_near(&watched->parts, from);
       i < watched->parts.count && nr_page_of(watched->parts.items[i].from) < to; i++) {
    if (nr_page_end(watched->parts.items[i].to) > from) return watched->parts.items[i].owner;
  }
  return NULL;
}

bool nr_watched_anywhere(const void *memory, size_t length) {
  uint64_t begin = (uint64_t)(uintptr_t)memory;
  pthread_mutex_lock(&lock);
  bool is = is_anothers(NULL, nr_page_of(begin), nr_page_end(begin + length));
  pthread_mutex_unlock(&lock);
  return is;
}

/* How a part begins. */
enum start {
  NR_START_ANEW,
  NR_START_ON,   /* what was written so far is told */
  NR_START_OWED, /* ... and anyway, all of it */
};

/* What lies around a hole is two parts of one owner, who is told of both from the same base. */
static bool add(struct nr_watched *watched, uint64_t base, struct nr_range range, void *owner, enum start start) {
  struct nr_part part = {
      .from = base + range.from, .to = base + range.to, .base = base, .owner = owner, .owed = start == NR_START_OWED};
  pthread_mutex_lock(&lock);
  bool added = insert(watched, part, start == NR_START_ANEW);
  pthread_mutex_unlock(&lock);
  return added;
}

bool nr_watched_add(struct nr_watched *watched, const void *memory, size_t length, struct nr_range hole, void *owner) {
  uint64_t base = (uint64_t)(uintptr_t)memory;
  struct nr_range ranges[] = {{0, length}, {length, length}};
  if (hole.to > 0) {
    ranges[0].to = hole.from;
    ranges[1].from = hole.to;
  }
  bool any = false;
  for (size_t i = 0; i < 2; i++) {
    if (ranges[i].from >= ranges[i].to) continue;
    if (!add(watched, base, ranges[i], owner, NR_START_ANEW)) {
      nr_watched_remove(watched, memory, length, owner);
      return false;
    }
    any = true;
  }
  return any;
}

bool nr_watched_take_over(struct nr_watched *watched, const void *memory, size_t length, void *owner, bool owed) {
  return length > 0 && add(watched, (uint64_t)(uintptr_t)memory, (struct nr_range){0, length}, owner,
                           owed ? NR_START_OWED : NR_START_ON);
}

void nr_watched_owe(struct nr_watched *watched, const void *memory, void *owner) {
  struct nr_parts *parts = &watched->parts;
  uint64_t begin = (uint64_t)(uintptr_t)memory;
  for (uint32_t i = nr_parts_from(parts, begin); i < parts->count && parts->items[i].from == begin; i++)
    parts->items[i].owed |= parts->items[i].owner == owner;
  watched->owes = true;
  watched->faults = -1;
}

void nr_watched_remove(struct nr_watched *watched, const void *memory, size_t length, void *owner) {
  uint64_t begin = (uint64_t)(uintptr_t)memory, end = begin + length;
  pthread_mutex_lock(&lock);
  for (uint32_t i = nr_parts_from(&watched->parts, begin);
       i < watched->parts.count && watched->parts.items[i].from < end;) {
    struct nr_part part = watched->parts.items[i];
    if (part.owner != owner || part.base != begin) {
      i++;
      continue;
    }
    nr_parts_remove(&watched->parts, i);
    all_parts--;
    stop(watched, nr_page_of(part.from), nr_page_end(part.to));
  }
  pthread_mutex_unlock(&lock);
}

/* ---- asking -------------------------------------------------------------------------------------------------------
 */

static bool is_due(struct nr_watched *watched, long faults) {
  if (watched->parts.count == 0) return false;
  if (faults >= 0 && faults == watched->faults) return false;
  watched->faults = faults;
  return true;
}

static void find(uint64_t from, uint64_t to, void *context) {
  struct nr_watched *watched = context;
  if (watched->found_count == watched->found_room) {
    size_t room = watched->found_room * 2;
    struct nr_range *found = nr_pages_malloc(room * sizeof *found);
    if (found == NULL) { /* the last one takes in the rest, as they come in order */
      watched->found[watched->found_count - 1].to = to;
      return;
    }
    memcpy(found, watched->found, watched->found_count * sizeof *found);
    free(watched->found);
    watched->found = found;
    watched->found_room = room;
  }
  watched->found[watched->found_count++] = (struct nr_range){from, to};
}

/* In the midst of something: memory of a heap, which nobody maps anew as long as it is in use. */
static bool is_embedded(const struct nr_part *part) {
  return part->from % NR_PAGE != 0 && part->to % NR_PAGE != 0;
}

/* Parts that are asked about together. */
struct row {
  uint64_t from, to; /* pages */
  bool has_gaps;     /* the kernel is to skip what nobody has registered */
  bool embedded;     /* all are */
};

/* Parts whose pages touch are one row; in a field, what is left of a block may lie in between (200 of 60,000 bytes: 240
 * us became 24). gap: so much may anyway; where what is mapped anew is the part's, only between what is embedded. */
static bool extend_row(const struct nr_watched *watched, struct row *row, const struct nr_part *part, uint64_t gap) {
  const struct nr_part *last = part - 1;
  uint64_t from = nr_page_of(part->from), to = nr_page_end(part->to);
  uint64_t left = last->field > 0 ? (last->to - last->from) / 4 : 0;
  bool embedded = row->embedded && is_embedded(part), strict = watched->renews && !embedded;
  bool is_near = from <= row->to || (part->field == last->field && from - row->to <= left);
  if ((!is_near && from > row->to + gap) || (strict && (!is_near || row->has_gaps))) return false;
  row->has_gaps |= !is_near;
  row->embedded = embedded;
  if (to > row->to) row->to = to;
  return true;
}

/* What the kernel does not tell may have been written. Where something was mapped anew it begins again with that. */
static void look_at(struct nr_watched *watched, const struct row *row) {
  size_t count = watched->found_count;
  watched->rows++;
  bool sparse = is_sparse(watched, row->from, row->to), all = watched->renews && !row->has_gaps;
  if (nr_tracker_find(watched->tracker, row->from, row->to, all, sparse, find, watched) == 0) return;
  watched->found_count = count;
  find(row->from, row->to, watched);
  if (all) (void)register_all(watched, row->from, row->to);
  watched->faults = -1;
}

/* Asking forgets what was written, and memory in between may be another list's. */
static void look_between(struct nr_watched *watched, uint64_t gap) {
  const struct nr_part *parts = watched->parts.items, *end = parts + watched->parts.count;
  watched->found_count = 0;
  while (parts < end) {
    struct row row = {nr_page_of(parts->from), nr_page_end(parts->to), false, is_embedded(parts)};
    while (++parts < end && extend_row(watched, &row, parts, gap)) continue;
    look_at(watched, &row);
  }
}

/* While there is no other list the kernel itself skips what nobody has registered: a quarter of the price of a row.
 * Where what is mapped anew is the part's, it has to tell of that instead, every so often anyway. */
static void look(struct nr_watched *watched) {
  pthread_mutex_lock(&lock);
  bool alone = lists->next == NULL && (!watched->renews || ++watched->looks % NR_STRICT != 0);
  if (alone) look_between(watched, NR_GAP);
  pthread_mutex_unlock(&lock);
  if (!alone) look_between(watched, 0);
}

uint32_t nr_watched_rows(const struct nr_watched *watched) {
  return watched->rows;
}

static void tell(struct nr_watched *watched, struct nr_range pages, nr_written *written, void *context) {
  for (uint32_t i = nr_parts_near(&watched->parts, pages.from);
       i < watched->parts.count && watched->parts.items[i].from < pages.to; i++) {
    const struct nr_part *part = &watched->parts.items[i];
    struct nr_range range = {pages.from > part->from ? pages.from : part->from,
                             pages.to < part->to ? pages.to : part->to};
    if (range.from >= range.to) continue;
    written(part->owner, (struct nr_range){range.from - part->base, range.to - part->base}, context);
  }
}

/* Those that are owed, too. */
static bool tell_owed(struct nr_watched *watched, nr_written *written, void *context) {
  bool any = false;
  for (uint32_t i = 0; i < watched->parts.count; i++) {
    struct nr_part *part = &watched->parts.items[i];
    if (!part->owed) continue;
    part->owed = false;
    any = true;
    written(part->owner, (struct nr_range){part->from - part->base, part->to - part->base}, context);
  }
  return any;
}

bool nr_watched_ask(struct nr_watched *watched, long faults, nr_written *written, void *context) {
  if (!is_due(watched, faults)) return false;
  look(watched);
  for (size_t i = 0; i < watched->found_count; i++) tell(watched, watched->found[i], written, context);
  bool owed = watched->owes && tell_owed(watched, written, context);
  watched->owes = false;
  return watched->found_count > 0 || owed;
}
