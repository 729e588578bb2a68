/*
 * What JavaScript has let go of, for the host to free: gathered, since it happens in collections, one by one and at any
 * time, and an idle host should not be woken for each. Goes out before the next entry, or when many have come together
 * and the ring has room: never waits.
 *
 * Finalizers that a collection calls are another matter: each is to run as soon as may be, in order, and none may be
 * lost. They go out one by one while the ring has room, and all before the host gets the turn.
 */
#include <stdlib.h>

#include "server/enter.h"
#include "server/server-private.h"

#define NR_RELEASE_BATCH 1024u

void nr_release(struct nr_connection *connection, enum nr_released sort, nr_id id) {
  struct nr_release_list *list = &connection->released[sort];
  if (nr_port_failure(connection->port) < 0) return; /* nobody is there to be told */
  if (list->count == list->room) {
    uint32_t room = list->room == 0 ? 64 : list->room * 2;
    nr_id *ids = realloc(list->ids, room * sizeof *ids);
    if (ids == NULL) return; /* the host keeps a little memory too much */
    list->ids = ids;
    list->room = room;
  }
  list->ids[list->count++] = id;
  if (++connection->release_count >= NR_RELEASE_BATCH) nr_release_flush(connection);
}

/* The last of a list, at most a batch of them. */
static size_t take(struct nr_release_list *list, nr_id **ids) {
  uint32_t count = list->count < NR_RELEASE_BATCH ? list->count : NR_RELEASE_BATCH;
  list->count -= count;
  *ids = list->ids == NULL ? NULL : list->ids + list->count;
  return count;
}

void nr_release_flush(struct nr_connection *connection) {
  /* An id takes at most ten bytes. */
  while (connection->release_count > 0 &&
         nr_port_has_room(connection->port, NR_RELEASED_SORTS * NR_RELEASE_BATCH * 10 + 64)) {
    Nr__ReleaseRequest request = NR__RELEASE_REQUEST__INIT;
    request.n_callback_id = take(&connection->released[NR_RELEASED_CALLBACK], &request.callback_id);
    request.n_object_id = take(&connection->released[NR_RELEASED_OBJECT], &request.object_id);
    request.n_pair_id = take(&connection->released[NR_RELEASED_PAIR], &request.pair_id);
    connection->release_count -= (uint32_t)(request.n_callback_id + request.n_object_id + request.n_pair_id);
    nr_post(connection, NR_OP_RELEASE, &request.base);
  }
}

/* Finalizers that collections have called, oldest first: in order, and none is lost. */
struct nr_basic {
  nr_id id;
  bool orphan;
};

static void post_basic(struct nr_connection *connection, const struct nr_basic *basic) {
  Nr__FinalizeRequest request = NR__FINALIZE_REQUEST__INIT;
  request.finalizer_id = basic->id;
  request.basic = true;
  request.orphan = basic->orphan;
  nr_post(connection, NR_OP_FINALIZE, &request.base);
}

void nr_release_basic(struct nr_connection *connection, nr_id id, bool orphan) {
  struct nr_basic_list *list = &connection->basics;
  if (nr_port_failure(connection->port) < 0) return;
  if (list->count == list->room) {
    uint32_t room = list->room == 0 ? 64 : list->room * 2;
    struct nr_basic *items = realloc(list->items, room * sizeof *items);
    if (items == NULL) return; /* the host keeps a little memory too much */
    list->items = items;
    list->room = room;
  }
  list->items[list->count++] = (struct nr_basic){id, orphan};
  nr_release_basics(connection, false);
}

void nr_release_basics(struct nr_connection *connection, bool all) {
  struct nr_basic_list *list = &connection->basics;
  while (list->sent < list->count && (all || nr_port_has_room(connection->port, NR_CACHE_LINE))) {
    post_basic(connection, &list->items[list->sent++]);
  }
  if (list->sent == list->count) list->sent = list->count = 0;
}

void nr_release_end(struct nr_connection *connection) {
  free(connection->basics.items);
  connection->basics = (struct nr_basic_list){.items = NULL};
  for (int sort = 0; sort < NR_RELEASED_SORTS; sort++) {
    free(connection->released[sort].ids);
    connection->released[sort] = (struct nr_release_list){.ids = NULL};
  }
  connection->release_count = 0;
}
