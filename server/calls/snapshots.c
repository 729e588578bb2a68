/*
 * Snapshots: what an object holds, all at once, for native code that reads one property after the other. JavaScript
 * takes the object apart (server/lib/snapshot.js), since Node-API cannot tell whether reading a property runs a getter.
 */
#include "handlers.h"

#include <string.h>

#include "server/calls/facts.h"
#include "wire/protocol.h"

/* Of all names, UTF-8. */
#define NR_NAMES_MAX 16384u
/* Of all short strings that come along. */
#define NR_TEXTS_MAX 16384u

/* What is being made of what JavaScript found. */
struct snapshot {
  struct nr_dispatch *d;
  napi_value found;
  uint32_t next;  /* place in it of the next value that takes a handle */
  uint32_t count; /* of values */
  enum nr_bytes bytes;
  Nr__SnapshotReply *reply;
  struct nr_describe describe;
};

/* What JavaScript finds; NULL: nothing that could be told. */
static napi_value take_apart(struct nr_dispatch *d, const Nr__SnapshotRequest *request, napi_value object) {
  struct nr_agent *agent = d->connection->agent;
  napi_value function, arguments[3], result = NULL;
  if (agent->snapshot_values == NULL || !nr_prototypes_plain(agent, d->napi)) return NULL;
  if (napi_get_reference_value(agent->napi, agent->snapshot, &function) != napi_ok ||
      napi_create_uint32(d->napi, request->room, &arguments[1]) != napi_ok ||
      napi_create_uint32(d->napi, request->first, &arguments[2]) != napi_ok) {
    return NULL;
  }
  arguments[0] = object;
  return nr_ask_js(d->napi, object, function, request->elements ? 3 : 2, arguments, &result) ? result : NULL;
}

/* The names go ahead of all texts. False: they are not what the host could look up, or there is no room. */
static bool put_names(struct snapshot *snapshot, napi_value names) {
  struct nr_dispatch *d = snapshot->d;
  size_t length = 0;
  char *text = nr_dispatch_alloc(d, NR_NAMES_MAX);
  if (text == NULL || napi_get_value_string_utf8(d->napi, names, text, NR_NAMES_MAX, &length) != napi_ok) return false;
  /* Perhaps cut; or with half a surrogate pair, which UTF-8 has no bytes for; or a name with a NUL in it. */
  if (length >= NR_NAMES_MAX - 4 || memmem(text, length, "\xef\xbf\xbd", 3) != NULL) return false;
  uint32_t ends = 0;
  for (size_t i = 0; i < length; i++) ends += text[i] == '\0';
  if (ends != snapshot->reply->count) return false;
  struct nr_describe *describe = &snapshot->describe;
  describe->tail[describe->tail_count++] = (struct nr_slice){.data = text, .length = length};
  describe->tail_length = (uint32_t)length;
  snapshot->reply->names = nr_span_make(0, (uint32_t)length);
  return true;
}

/* One that takes a handle: which type it has, and what it holds. */
static bool put_marked(struct snapshot *snapshot, uint32_t place) {
  Nr__SnapshotReply *reply = snapshot->reply;
  struct nr_describe *describe = &snapshot->describe;
  napi_value value;
  napi_valuetype type;
  if (napi_get_element(describe->napi, snapshot->found, snapshot->next++, &value) != napi_ok) return false;
  reply->values[place] = nr_mark_value(describe->napi, value, place, &type);
  if (type == napi_string && describe->tail_length > NR_TEXTS_MAX) return true;
  Nr__Fact *fact = nr_dispatch_alloc(snapshot->d, sizeof *fact);
  if (fact == NULL) return false;
  nr__fact__init(fact);
  if (!nr_describe_value(describe, value, type, false, snapshot->bytes, fact)) return true;
  fact->value = reply->values[place];
  reply->facts[reply->n_facts++] = fact;
  return true;
}

static bool make_room(struct snapshot *snapshot) {
  struct nr_dispatch *d = snapshot->d;
  struct nr_describe *describe = &snapshot->describe;
  Nr__SnapshotReply *reply = snapshot->reply;
  describe->connection = d->connection;
  describe->napi = d->napi;
  describe->tail_room = snapshot->count + 1;
  describe->tail = nr_dispatch_alloc(d, describe->tail_room * sizeof *describe->tail);
  reply->n_values = snapshot->count;
  reply->values = nr_dispatch_alloc(d, snapshot->count * sizeof *reply->values + 1);
  reply->facts = nr_dispatch_alloc(d, snapshot->count * sizeof *reply->facts + 1);
  return describe->tail != NULL && reply->values != NULL && reply->facts != NULL;
}

/* All that is found, in the tail of one reply. */
static bool put(struct snapshot *snapshot, napi_value names) {
  struct nr_dispatch *d = snapshot->d;
  Nr__SnapshotReply *reply = snapshot->reply;
  struct nr_describe *describe = &snapshot->describe;
  if (!make_room(snapshot) || (names != NULL && !put_names(snapshot, names))) return false;
  memcpy(reply->values, d->connection->agent->snapshot_values, snapshot->count * sizeof *reply->values);
  for (uint32_t i = 0; i < snapshot->count; i++) {
    if (nr_value_tag(reply->values[i]) == NR_TAG_OBJECT && !put_marked(snapshot, i)) return false;
  }
  char *tail = nr_dispatch_alloc(d, describe->tail_length + 1);
  if (tail == NULL) return false;
  size_t at = 0;
  for (uint32_t i = 0; i < describe->tail_count; i++) {
    memcpy(tail + at, describe->tail[i].data, describe->tail[i].length);
    at += describe->tail[i].length;
  }
  nr_dispatch_bytes(d, tail, at);
  return true;
}

static uint32_t number_at(napi_env napi, napi_value list, uint32_t place) {
  napi_value value;
  uint32_t number = 0;
  if (napi_get_element(napi, list, place, &value) == napi_ok) napi_get_value_uint32(napi, value, &number);
  return number;
}

static bool fill(struct snapshot *snapshot, bool elements) {
  napi_env napi = snapshot->d->napi;
  Nr__SnapshotReply *reply = snapshot->reply;
  napi_value is_all, names = NULL;
  bool closed = true;
  reply->count = number_at(napi, snapshot->found, 0);
  snapshot->count = number_at(napi, snapshot->found, 1);
  snapshot->next = elements ? 2 : 4;
  if (snapshot->count > NR_SNAPSHOT_MAX) return false;
  if (!elements && (napi_get_element(napi, snapshot->found, 2, &is_all) != napi_ok ||
                    napi_get_value_bool(napi, is_all, &closed) != napi_ok ||
                    napi_get_element(napi, snapshot->found, 3, &names) != napi_ok)) {
    return false;
  }
  reply->closed = closed;
  reply->names = NR_SPAN_NULL;
  return put(snapshot, names);
}

/* Where the bytes of a view are is told only once. */
static void keep_facts(Nr__SnapshotReply *reply) {
  Nr__SnapshotReply told = NR__SNAPSHOT_REPLY__INIT;
  told.facts = reply->facts;
  told.n_facts = reply->n_facts;
  *reply = told;
}

napi_status nr_serve_take_snapshot(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__SnapshotRequest *request = message;
  Nr__SnapshotReply *reply = answer;
  napi_value object;
  napi_handle_scope scope;
  napi_valuetype type = napi_undefined;
  NR_TAKE(d, request->object, &object);
  if (object == NULL || request->room > NR_SNAPSHOT_MAX) return nr_fault(d, "no object, or too much of it");
  NR_TRY(napi_typeof(d->napi, object, &type));
  if (type != napi_object) return napi_ok;
  NR_TRY(napi_open_handle_scope(d->napi, &scope));
  struct snapshot snapshot = {.d = d,
                              .found = take_apart(d, request, object),
                              .bytes = request->bytes ? NR_BYTES_READ : NR_BYTES_NONE,
                              .reply = reply};
  if (snapshot.found != NULL && napi_typeof(d->napi, snapshot.found, &type) == napi_ok) {
    if (type == napi_number) {
      napi_get_value_uint32(d->napi, snapshot.found, &reply->count);
    } else if (type == napi_object) {
      reply->taken = fill(&snapshot, request->elements);
      if (!reply->taken) keep_facts(reply);
    }
  }
  return napi_close_handle_scope(d->napi, scope);
}
