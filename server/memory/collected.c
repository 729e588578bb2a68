/*
 * Pairs whose ArrayBuffer V8 has collected. No pair has a finalizer: Node would keep each until its loop turns, and a
 * program that passes fresh Buffers without going back there had half a kilobyte more for each of them (a gigabyte for
 * two million). Instead an object that nobody holds tells of each collection, by its own finalizer, and then the weak
 * references are looked at; so they are when there are twice as many pairs, or bytes, as there were.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "server/memory/exchange.h"
#include "server/memory/memory.h"
#include "server/server-private.h"
#include "wire/frame.h"

/* Bytes of pairs among which dead ones are not looked for, and what a pair counts beside its bytes. */
#define NR_SWEEP_MIN (UINT64_C(32) << 20)
#define NR_PAIR_WEIGHT UINT64_C(4096)
/* How many are looked at after a collection: 40 ns each, and in a busy program there are a hundred collections a
 * second. Of more, some have their turn, but for when many of those were dead. */
#define NR_COLLECTION_PAIRS 4096u

/* So many passes, and pairs made, lie between two looks whether there was a collection, in a loop that Node's never
 * turns in: 60 ns each. */
#define NR_LOOK_EACH 64u

/* Pairs are made in lots, which stay until the host is gone. */
#define NR_LOT_SIZE ((size_t)64 << 10)
#define NR_LOT_PAIRS ((NR_LOT_SIZE - NR_CACHE_LINE) / sizeof(struct nr_pair))
struct nr_pair_lot {
  struct nr_pair_lot *next;
  _Alignas(NR_CACHE_LINE) struct nr_pair pairs[];
};

/* Another lot of pairs, all of them free. Not malloc()'s: there they would lie between the Buffers, and every visit of
 * a pair would look like a write to those (wire/watched.h). False: no memory. */
static bool make_more(struct nr_connection *connection) {
  struct nr_pair_lot *lot =
      mmap(NULL, NR_LOT_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (lot == MAP_FAILED) return false;
  lot->next = connection->pair_lots;
  connection->pair_lots = lot;
  for (size_t i = 0; i < NR_LOT_PAIRS; i++) nr_pair_free(connection, &lot->pairs[i]);
  return true;
}

struct nr_pair *nr_pair_create(struct nr_connection *connection) {
  if (connection->free_pairs == NULL && !make_more(connection)) return NULL;
  struct nr_pair *pair = connection->free_pairs;
  connection->free_pairs = pair->next;
  memset(pair, 0, sizeof *pair);
  return pair;
}

void nr_pair_free(struct nr_connection *connection, struct nr_pair *pair) {
  pair->next = connection->free_pairs;
  connection->free_pairs = pair;
}

static void free_all(struct nr_connection *connection) {
  for (struct nr_pair_lot *lot = connection->pair_lots, *next; lot != NULL; lot = next) {
    next = lot->next;
    munmap(lot, NR_LOT_SIZE);
  }
  connection->pair_lots = NULL;
  connection->free_pairs = NULL;
}

/* ---- letting go of pairs ------------------------------------------------------------------------------------------
 */

static void forget(struct nr_connection *connection, struct nr_pair *pair) {
  nr_pair_index_remove(connection->pair_index, pair);
  nr_table_remove(connection->pairs, pair->id, NR_SORT_PAIR);
  nr_windows_forget(connection, pair);
  nr_block_free(connection->blocks, &pair->block);
  connection->made -= pair->made;
  connection->foreign_count -= pair->foreign;
  nr_pair_free(connection, pair);
}

static bool is_dead(napi_env napi, napi_ref reference) {
  napi_handle_scope scope;
  napi_value value;
  if (napi_open_handle_scope(napi, &scope) != napi_ok) return false;
  bool dead = napi_get_reference_value(napi, reference, &value) == napi_ok && value == NULL;
  napi_close_handle_scope(napi, scope);
  return dead;
}

void nr_pair_drop(struct nr_connection *connection, struct nr_pair *pair) {
  napi_delete_reference(pair->napi, pair->reference);
  nr_release(connection, NR_RELEASED_PAIR, pair->id);
  forget(connection, pair);
}

bool nr_pair_forget_dead(struct nr_connection *connection, struct nr_pair *pair) {
  if (!is_dead(pair->napi, pair->reference)) return false;
  const struct nr_mirror_window *window = pair->window;
  nr_pair_drop(connection, pair);
  /* Its finalizer waits for Node's loop, which a program that makes thousands may not come back to. The bytes may be
   * another ArrayBuffer's by now (ArrayBuffer.prototype.transfer(), streams of bytes): they stay. */
  if (window != NULL) nr_mirror_rest(window);
  return true;
}

/* What became of pairs that had not seen a collection. */
struct census {
  struct nr_connection *connection;
  uint32_t dead, alive;
  uint32_t looked; /* at all, new or not */
};

static void visit(struct nr_pair *pair, void *context) {
  struct census *census = context;
  bool is_new = pair->age == 0, was_kept = pair->item.was_kept;
  census->looked++;
  if (nr_pair_forget_dead(census->connection, pair)) {
    /* One that was written while nobody passed it had a life of its own. */
    census->dead += is_new && !was_kept;
    census->alive += is_new && was_kept;
    return;
  }
  census->alive += is_new;
  nr_noise_forgive(census->connection, pair);
  if (pair->age < NR_OLD && ++pair->age == NR_OLD && pair->item.next != NULL) {
    nr_lifetime_survived(census->connection, pair);
    nr_window_cool(census->connection, pair);
  }
}

/* At no collection. */
static void forget_dead(struct nr_pair *pair, void *context) {
  nr_pair_forget_dead(context, pair);
}

struct drop {
  struct nr_connection *connection;
  bool references;
};

static void drop(struct nr_pair *pair, void *context) {
  const struct drop *all = context;
  if (all->references) napi_delete_reference(pair->napi, pair->reference);
  forget(all->connection, pair);
}

void nr_pairs_drop(struct nr_connection *connection, bool references) {
  struct drop all = {connection, references};
  if (connection->pair_index != NULL) nr_pair_index_each(connection->pair_index, drop, &all);
  free_all(connection);
}

/* ---- looking for dead ones ----------------------------------------------------------------------------------------
 */

static uint64_t weight_of(const struct nr_connection *connection) {
  return nr_blocks_live(connection->blocks) + nr_pair_index_count(connection->pair_index) * NR_PAIR_WEIGHT;
}

static void let_go(struct nr_connection *connection) {
  if (connection->release_count > 0) nr_release_flush(connection);
  nr_blocks_trim(connection->blocks);
}

/* Once. Where an exception is pending that is for the next one. */
static void watch_heap(struct nr_agent *agent) {
  napi_value function, result;
  bool pending = true;
  if (napi_is_exception_pending(agent->napi, &pending) != napi_ok || pending ||
      napi_get_reference_value(agent->napi, agent->watch_heap, &function) != napi_ok ||
      !nr_ask_js(agent->napi, NULL, function, 0, NULL, &result))
    return;
  napi_delete_reference(agent->napi, agent->watch_heap);
  agent->watch_heap = NULL;
}

/* Without one dead pairs are found when there are twice as many. */
static void arm(struct nr_agent *agent) {
  napi_handle_scope scope;
  napi_value object;
  if (napi_open_handle_scope(agent->napi, &scope) != napi_ok) return;
  if (napi_create_object(agent->napi, &object) == napi_ok)
    napi_create_reference(agent->napi, object, 0, &agent->canary);
  if (agent->watch_heap != NULL) watch_heap(agent);
  napi_close_handle_scope(agent->napi, scope);
}

/* True: pairs are left. */
static bool sweep_some(struct nr_connection *connection) {
  uint32_t count = nr_pair_index_count(connection->pair_index), left = count;
  struct census census = {.connection = connection};
  for (uint32_t looked = 0, last; left > 0 && census.looked < count; looked = census.looked) {
    last = left;
    nr_pair_index_some(connection->pair_index, NR_COLLECTION_PAIRS, visit, &census);
    left = nr_pair_index_count(connection->pair_index);
    if (last - left < (census.looked - looked) / 4) break;
  }
  nr_lifetime_learn(connection, census.dead, census.alive);
  if (left < count) let_go(connection);
  return left > 0;
}

static void after_collection(struct nr_agent *agent) {
  bool left = false;
  napi_delete_reference(agent->napi, agent->canary);
  agent->canary = NULL;
  for (struct nr_connection *each = agent->connections; each != NULL; each = each->next) left |= sweep_some(each);
  if (left) arm(agent);
}

/* Or nr_pairs_look() has found it dead. */
napi_value nr_pairs_collected(napi_env napi, napi_callback_info info) {
  struct nr_agent *agent = nr_agent_current();
  (void)napi;
  (void)info;
  if (agent != NULL && agent->canary != NULL && is_dead(agent->napi, agent->canary)) after_collection(agent);
  return NULL;
}

void nr_pairs_look(struct nr_connection *connection) {
  struct nr_agent *agent = connection->agent;
  if (++connection->looks % NR_LOOK_EACH == 0 && agent->canary != NULL && is_dead(agent->napi, agent->canary))
    after_collection(agent);
}

void nr_pairs_before_more(struct nr_connection *connection) {
  connection->pairs_made++;
  nr_pairs_look(connection);
  if (weight_of(connection) < connection->sweep_at) return;
  nr_pair_index_each(connection->pair_index, forget_dead, connection);
  let_go(connection);
  /* Only here, where all have been looked at: after a part of them it would move on and on. */
  connection->sweep_at = 2 * weight_of(connection);
  if (connection->sweep_at < NR_SWEEP_MIN) connection->sweep_at = NR_SWEEP_MIN;
}

bool nr_pair_watch(struct nr_connection *connection, struct nr_pair *pair, napi_value buffer) {
  struct nr_agent *agent = connection->agent;
  pair->napi = agent->napi;
  if (agent->canary == NULL) arm(agent);
  return napi_create_reference(pair->napi, buffer, 0, &pair->reference) == napi_ok;
}
