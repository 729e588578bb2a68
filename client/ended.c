/*
 * The end of a channel whose process goes on: that of a Worker. Its envs stay, since nobody knows who has their
 * addresses: they belong to a channel without a server from then on, so calls fail.
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/client-private.h"
#include "client/loop.h"
#include "client/memory/memory.h"
#include "client/calls/references.h"

/* Of all that have ended. */
static struct nr_channel ended;

static void make_ended(void) {
  struct nr_table **tables[] = {&ended.callbacks, &ended.objects, &ended.references, &ended.hooks,
                                &ended.modules,   &ended.asyncs,  &ended.pairs};
  for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) *tables[i] = nr_table_create(NR_IDS_MAX);
  ended.rung = true; /* nobody is there to be rung for */
}

static void free_item(nr_id id, unsigned kind, void *item, void *context) {
  (void)id;
  (void)kind;
  (void)context;
  free(item);
}

static void find_threadsafe(nr_id id, unsigned kind, void *item, void *context) {
  (void)id;
  (void)item;
  if (kind == NR_SORT_THREADSAFE) *(bool *)context = true;
}

static void free_table(struct nr_table *table, bool owns_items) {
  if (owns_items) nr_table_each(table, free_item, NULL);
  nr_table_destroy(table);
}

static void move_envs(struct nr_channel *channel) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_ended);
  for (uint32_t i = 0; i < channel->env_count; i++) {
    napi_env env = channel->envs[i];
    nr_references_lock();
    env->channel = &ended;
    nr_references_unlock();
  }
}

void nr_channel_destroy(struct nr_channel *channel) {
  bool threadsafe = false;
  nr_table_each(channel->asyncs, find_threadsafe, &threadsafe);
  if (threadsafe) return; /* its end did not come in time: threads may still use it, and the channel with it */
  move_envs(channel);
  nr_loop_end(channel);
  nr_memory_end(channel);
  nr_foreign_end(channel);
  nr_deferred_end(channel);
  free_table(channel->callbacks, true);
  free_table(channel->objects, true);
  free_table(channel->references, true);
  free_table(channel->hooks, true);
  free_table(channel->asyncs, true);
  free_table(channel->modules, false);
  nr_arena_destroy(channel->arena);
  nr_port_destroy(channel->port);
  free(channel->envs);
  free(channel->scopes);
  free(channel);
}
