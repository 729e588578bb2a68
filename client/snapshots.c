/*
 * Snapshots: what an object or a part of an array holds, asked for at once when native code reads one property after
 * the other (an image library reads some 250 options). The server takes them so that JavaScript cannot notice
 * (server/lib/snapshot.js); they hold until JavaScript may have run, as nobody else can change the object meanwhile:
 * native code's own sets wait, and count as that, except on fresh objects, of which none are taken.
 */
#include "client/snapshots.h"

#include <stdlib.h>

#define NR_SNAPSHOTS 8u
/* Elements of an array that are asked for at once. */
#define NR_ELEMENTS_MAX 256u
/* What making one costs, in reads, the first among them: 2, and one for each 8 properties. */
#define NR_DUE(count) (2 + (count) / 8)
/* A Worker may be terminated at any moment, and then reads fail: every so often one is a real one. */
#define NR_WORKER_READS 256u

struct item {
  struct nr_property property;
  const uint8_t *name;
  uint32_t length;
};

struct snapshot {
  nr_value object;
  bool elements; /* not of its properties */
  uint32_t js_epoch;
  bool taken;   /* what follows `room` is there, as long as the epoch is the channel's */
  bool refused; /* for good */
  uint32_t reads;
  uint32_t patience;
  uint32_t room;
  uint32_t used; /* when it was, by a clock that ticks with each hit */
  uint32_t hits;
  uint32_t due;   /* hits that have paid for it */
  bool closed;    /* there are no others */
  uint32_t first; /* of an array: its index */
  uint32_t length;
  uint32_t count; /* items with values; behind them those that are only known to be there */
  uint32_t named;
  struct item *items;
  Nr__View *views;  /* those of the items that are one */
  uint16_t *places; /* by hash of the name: place of the item, and 1 */
  uint32_t mask;
  void *block; /* all of that, and the bytes */
};

struct nr_snapshots {
  struct snapshot all[NR_SNAPSHOTS];
  uint32_t clock;
  uint32_t worker_reads;
};

void nr_snapshots_free(struct nr_channel *channel) {
  struct nr_snapshots *snapshots = channel->snapshots;
  for (uint32_t i = 0; snapshots != NULL && i < NR_SNAPSHOTS; i++) free(snapshots->all[i].block);
  free(snapshots);
  channel->snapshots = NULL;
}

/* How it went with this callback, or with what else runs here. */
static struct nr_reading *reading_of(struct nr_channel *channel, bool elements) {
  return &nr_habits_of(channel)->reading[elements];
}

static struct snapshot *find(struct nr_channel *channel, nr_value object, bool elements) {
  struct nr_snapshots *snapshots = channel->snapshots;
  for (uint32_t i = 0; snapshots != NULL && i < NR_SNAPSHOTS; i++) {
    if (snapshots->all[i].object == object && snapshots->all[i].elements == elements) return &snapshots->all[i];
  }
  return NULL;
}

static struct snapshot *oldest(struct nr_snapshots *snapshots) {
  struct snapshot *found = &snapshots->all[0];
  for (uint32_t i = 1; i < NR_SNAPSHOTS; i++) {
    if ((int32_t)(snapshots->all[i].used - found->used) < 0) found = &snapshots->all[i];
  }
  return found;
}

/* A place for one, that of the one that has not been used for the longest time. NULL: no memory. */
static struct snapshot *add(struct nr_channel *channel, nr_value object, bool elements) {
  if (channel->snapshots == NULL) channel->snapshots = calloc(1, sizeof *channel->snapshots);
  struct nr_snapshots *snapshots = channel->snapshots;
  if (snapshots == NULL) return NULL;
  struct snapshot *snapshot = oldest(snapshots);
  struct nr_reading *reading = reading_of(channel, elements);
  nr_reading_begin(reading);
  const struct nr_known *known = nr_known(channel, object);
  uint32_t shape = known == NULL ? 0 : known->shape;
  free(snapshot->block);
  *snapshot = (struct snapshot){.object = object,
                                .elements = elements,
                                .used = ++snapshots->clock,
                                .patience = reading->patience,
                                .room = reading->room,
                                .refused = (shape & (elements ? NR_SHAPE_NO_ARRAY : NR_SHAPE_ARRAY)) != 0 ||
                                           (shape & NR_SHAPE_VIEW) != 0};
  return snapshot;
}

/* ---- Taking one ----------------------------------------------------------------------------------------------------
 */

static uint32_t hash_of(const uint8_t *name, size_t length) {
  uint32_t hash = 2166136261u; /* FNV-1a */
  for (size_t i = 0; i < length; i++) hash = (hash ^ name[i]) * 16777619u;
  return hash;
}

static void enter_name(struct snapshot *snapshot, uint32_t item) {
  uint32_t place = hash_of(snapshot->items[item].name, snapshot->items[item].length);
  while (snapshot->places[place & snapshot->mask] != 0) place++;
  snapshot->places[place & snapshot->mask] = (uint16_t)(item + 1);
}

/* Room for everything in one block. False: no memory. */
static bool make_room(struct snapshot *snapshot, uint32_t items, size_t views, size_t bytes, uint8_t **tail) {
  snapshot->mask = 1;
  while (snapshot->mask < 2 * items) snapshot->mask = snapshot->mask * 2 + 1;
  size_t places = (snapshot->mask + 1) * sizeof *snapshot->places;
  free(snapshot->block);
  snapshot->block = calloc(1, items * sizeof *snapshot->items + views * sizeof *snapshot->views + places + bytes + 1);
  if (snapshot->block == NULL) return false;
  snapshot->items = snapshot->block;
  snapshot->views = (Nr__View *)(snapshot->items + items);
  snapshot->places = (uint16_t *)(snapshot->views + views);
  *tail = (uint8_t *)snapshot->places + places;
  return true;
}

/* The names, each ends with a NUL. */
static void take_names(struct snapshot *snapshot, const uint8_t *names, size_t size) {
  const uint8_t *end = names + size;
  for (uint32_t i = 0; i < snapshot->named; i++) {
    const uint8_t *nul = memchr(names, 0, (size_t)(end - names));
    if (nul == NULL) return;
    snapshot->items[i].name = names;
    snapshot->items[i].length = (uint32_t)(nul - names);
    enter_name(snapshot, i);
    names = nul + 1;
  }
}

/* What the host is told of a pair only once. How many there are. */
static size_t meet_views(struct nr_channel *channel, const Nr__SnapshotReply *reply) {
  size_t count = 0;
  for (size_t i = 0; i < reply->n_facts; i++) {
    if (reply->facts[i]->view == NULL) continue;
    nr_memory_view(channel, reply->facts[i]->view);
    count++;
  }
  return count;
}

/* Bytes that are not there have to be asked for. */
static void take_view(struct nr_property *property, const Nr__View *view, Nr__View *to) {
  property->shape &= ~(uint32_t)NR_SHAPE_VIEW;
  if (view == NULL || (view->pair_id != 0 && !view->shown)) return;
  *to = *view;
  property->shape |= NR_SHAPE_VIEW;
  property->view = to;
}

static void take_facts(struct snapshot *snapshot, const Nr__SnapshotReply *reply, const uint8_t *tail, size_t size) {
  Nr__View *view = snapshot->views;
  for (size_t i = 0; i < reply->n_facts; i++) {
    const Nr__Fact *fact = reply->facts[i];
    uint32_t place = nr_value_index(fact->value);
    if (place >= snapshot->count || snapshot->items[place].property.value != fact->value) continue;
    struct nr_property *property = &snapshot->items[place].property;
    property->shape = fact->shape;
    if ((fact->shape & NR_SHAPE_VIEW) != 0) take_view(property, fact->view, view);
    view += fact->view != NULL;
    if ((fact->shape & NR_SHAPE_TEXT) == 0 || nr_span_offset(fact->text) > size ||
        nr_span_length(fact->text) > size - nr_span_offset(fact->text)) {
      property->shape &= ~(uint32_t)NR_SHAPE_TEXT;
      continue;
    }
    property->text = tail + nr_span_offset(fact->text);
    property->text_size = nr_span_length(fact->text);
  }
}

static bool keep(struct snapshot *snapshot, const struct nr_frame *frame, const Nr__SnapshotReply *reply,
                 const Nr__SnapshotRequest *request, size_t views) {
  size_t size = frame->header.tail_length, names = reply->names == NR_SPAN_NULL ? 0 : nr_span_length(reply->names);
  uint8_t *tail;
  snapshot->closed = reply->closed;
  snapshot->first = request->first;
  snapshot->length = reply->count;
  snapshot->count = (uint32_t)reply->n_values;
  snapshot->named = snapshot->elements ? 0 : reply->count;
  uint32_t items = snapshot->named > snapshot->count ? snapshot->named : snapshot->count;
  if (items > NR_SNAPSHOT_MAX || names > size || !make_room(snapshot, items, views, size, &tail)) return false;
  if (size > 0) memcpy(tail, frame->tail, size);
  for (uint32_t i = 0; i < snapshot->count; i++) snapshot->items[i].property.value = reply->values[i];
  take_names(snapshot, tail, names);
  take_facts(snapshot, reply, tail, size);
  return true;
}

static void charge(struct snapshot *snapshot, struct nr_reading *reading) {
  nr_reading_charge(reading);
  snapshot->patience = reading->patience;
  snapshot->reads = 0;
}

/* It has more than there was room for. Counting them has cost as much as reading an eighth of them. */
static void note_size(struct snapshot *snapshot, struct nr_reading *reading, uint32_t count) {
  charge(snapshot, reading);
  snapshot->room = count;
  if (snapshot->patience < count / 8) snapshot->patience = count / 8;
  snapshot->refused = count == 0 || count > NR_SNAPSHOT_MAX;
  if (count > NR_SNAPSHOT_MAX) reading->caution = count / 8;
}

static void note_taken(struct snapshot *snapshot, struct nr_reading *reading) {
  snapshot->hits = 0;
  snapshot->due = NR_DUE(snapshot->count);
  if (snapshot->length > 0)
    charge(snapshot, reading); /* of an empty one it would have been one read this way or that */
}

static void note_hit(struct nr_channel *channel, struct snapshot *snapshot) {
  snapshot->used = ++channel->snapshots->clock;
  if (++snapshot->hits != snapshot->due || snapshot->count == 0) return;
  nr_reading_pay(reading_of(channel, snapshot->elements), snapshot->named);
  snapshot->patience = 0;
}

/* Asks for it: all properties, or the elements from `first` on. */
static bool take(struct nr_call *reader, struct snapshot *snapshot, uint32_t first) {
  struct nr_channel *channel = reader->env->channel;
  Nr__SnapshotRequest request = NR__SNAPSHOT_REQUEST__INIT;
  struct nr_call call = NR_CALL(reader->env, NR_OP_TAKE_SNAPSHOT, &request.base);
  request.object = snapshot->object;
  request.elements = snapshot->elements;
  request.room = snapshot->room;
  request.first = first;
  request.bytes = nr_habits_look(nr_habits_of(channel));
  snapshot->taken = false;
  napi_status status = nr_call_wait(&call);
  if (status == napi_ok) {
    const Nr__SnapshotReply *reply = call.reply;
    size_t views = meet_views(channel, reply);
    nr_habits_saw(nr_habits_of(channel), views);
    if (!reply->taken) {
      note_size(snapshot, reading_of(channel, snapshot->elements), reply->count);
    } else if (keep(snapshot, &call.frame, reply, &request, views)) {
      note_taken(snapshot, reading_of(channel, snapshot->elements));
      snapshot->taken = true;
      snapshot->js_epoch = channel->js_epoch;
    }
  } else {
    snapshot->refused = true;
  }
  nr_call_drop(&call, status);
  return snapshot->taken;
}

/* ---- Reading it ----------------------------------------------------------------------------------------------------
 */

static bool is_valid(const struct nr_channel *channel, const struct snapshot *snapshot) {
  return snapshot->taken && snapshot->js_epoch == channel->js_epoch;
}

/* Elements behind the end of what was taken are taken next, more of them each time. */
static bool covers(struct snapshot *snapshot, uint32_t index) {
  return index >= snapshot->length || (index >= snapshot->first && index - snapshot->first < snapshot->count);
}

static bool go_on(struct nr_call *call, struct snapshot *snapshot, uint32_t index) {
  bool follows = index == snapshot->first + snapshot->count && snapshot->count == snapshot->room;
  if (!follows || snapshot->hits < snapshot->due) return false;
  if (snapshot->room < NR_ELEMENTS_MAX) snapshot->room *= 2;
  return take(call, snapshot, index) && covers(snapshot, index);
}

/* Of an array: no element, but its length. */
#define NR_NO_ELEMENT UINT32_MAX

/* A read that is asked for ends the others, since JavaScript may run. */
static bool is_any_valid(const struct nr_channel *channel) {
  for (uint32_t i = 0; i < NR_SNAPSHOTS; i++) {
    if (is_valid(channel, &channel->snapshots->all[i])) return true;
  }
  return false;
}

static struct snapshot *take_when_due(struct nr_call *call, struct snapshot *snapshot, uint32_t index) {
  struct nr_channel *channel = call->env->channel;
  const struct nr_reading *reading = reading_of(channel, snapshot->elements);
  if (snapshot->refused || snapshot->reads++ < reading->caution) return NULL;
  bool saves = snapshot->patience < NR_PATIENCE_MAX && is_any_valid(channel);
  if (!saves && snapshot->reads <= snapshot->patience) return NULL;
  if (snapshot->elements) snapshot->room = NR_ELEMENTS;
  if (!take(call, snapshot, index == NR_NO_ELEMENT ? 0 : index)) return NULL;
  if (snapshot->elements && !covers(snapshot, index)) return NULL;
  return snapshot;
}

/* The snapshot that answers a read of this object, or of this element; NULL: the server is to be asked. */
static struct snapshot *consult(struct nr_call *call, nr_value object, bool elements, uint32_t index) {
  struct nr_channel *channel = call->env->channel;
  if (nr_value_tag(object) != NR_TAG_OBJECT || !nr_call_is_open(call)) return NULL;
  struct snapshot *snapshot = find(channel, object, elements);
  if (snapshot == NULL || !is_valid(channel, snapshot)) {
    if (nr_fresh_has(channel, object)) return NULL; /* it changes without anybody waiting for it */
    if (snapshot == NULL) snapshot = add(channel, object, elements);
    return snapshot == NULL ? NULL : take_when_due(call, snapshot, index);
  }
  if (channel->worker && ++channel->snapshots->worker_reads % NR_WORKER_READS == 0) return NULL;
  return elements && !covers(snapshot, index) && !go_on(call, snapshot, index) ? NULL : snapshot;
}

enum nr_answer nr_snapshot_named(struct nr_call *call, nr_value object, const char *name, size_t length,
                                 struct nr_property *found) {
  struct snapshot *snapshot = consult(call, object, false, 0);
  if (snapshot == NULL) return NR_ANSWER_ASK;
  uint32_t place = hash_of((const uint8_t *)name, length);
  for (uint16_t item; (item = snapshot->places[place & snapshot->mask]) != 0; place++) {
    const struct item *at = &snapshot->items[item - 1];
    if (at->length != length || memcmp(at->name, name, length) != 0) continue;
    if (item > snapshot->count) return NR_ANSWER_THERE;
    note_hit(call->env->channel, snapshot);
    *found = at->property;
    return NR_ANSWER_FOUND;
  }
  if (!snapshot->closed) return NR_ANSWER_ASK;
  note_hit(call->env->channel, snapshot);
  return NR_ANSWER_ABSENT;
}

enum nr_answer nr_snapshot_element(struct nr_call *call, nr_value array, uint32_t index, struct nr_property *found) {
  /* The last index is none of an array's, but a name like any other. */
  struct snapshot *snapshot = index == NR_NO_ELEMENT ? NULL : consult(call, array, true, index);
  if (snapshot == NULL) return NR_ANSWER_ASK;
  note_hit(call->env->channel, snapshot);
  if (index >= snapshot->length) return NR_ANSWER_ABSENT;
  *found = snapshot->items[index - snapshot->first].property;
  return NR_ANSWER_FOUND;
}

bool nr_snapshot_is_all(struct nr_call *call, nr_value object) {
  struct snapshot *snapshot = consult(call, object, false, 0);
  return snapshot != NULL && snapshot->closed;
}

bool nr_snapshot_length(struct nr_call *call, nr_value array, uint32_t *length) {
  struct snapshot *snapshot = consult(call, array, true, NR_NO_ELEMENT);
  if (snapshot == NULL) return false;
  note_hit(call->env->channel, snapshot);
  *length = snapshot->length;
  return true;
}
