/*
 * The turn stack: waits, serves entries, returns from them. Calls and entries nest; whoever waits for a reply serves
 * what arrives until its own reply is on top.
 */
#include "client/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/client-private.h"
#include "client/entries.h"
#include "client/loop.h"
#include "client/snapshots.h"
#include "client/calls/threadsafe.h"
#include "wire/watched.h"

static _Thread_local struct nr_channel *current;

struct nr_channel *nr_channel_current(void) {
  return current;
}

noreturn void nr_channel_lost(struct nr_channel *channel) {
  int failure = nr_port_failure(channel->port);
  /* It cannot be unwound through the addon's frames, and C++ code may well end the process for a call that fails. */
  while (failure == -EPIPE) pause();
  if (failure != 0) fprintf(stderr, "napi-remote-host: the connection failed: %s\n", strerror(-failure));
  _exit(1);
}

static bool create_tables(struct nr_channel *channel) {
  struct nr_table **tables[] = {&channel->callbacks, &channel->objects, &channel->references, &channel->hooks,
                                &channel->modules,   &channel->asyncs,  &channel->pairs,      &channel->deferreds};
  for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
    if ((*tables[i] = nr_table_create(NR_IDS_MAX)) == NULL) return false;
  }
  return true;
}

struct nr_channel *nr_channel_create(struct nr_port *port, int memory, bool worker) {
  struct nr_channel *channel = calloc(1, sizeof *channel);
  if (channel == NULL) return NULL;
  channel->port = port;
  channel->chosen_generation = 1;
  channel->fresh_epoch = 1;
  channel->memory = memory;
  channel->worker = worker;
  channel->environ = worker || nr_node.apart ? NULL : nr_environ_create();
  nr_cold_init(&channel->tracked);
  channel->tracked.mortal = true; /* most are results: the server has those that live watched with others */
  nr_habits_init(&channel->habits);
  channel->tracker = nr_tracker_create(NR_HOST_FD_BASE);
  if (channel->tracker != NULL) channel->watched = nr_watched_create(channel->tracker, true);
  channel->arena = nr_arena_create(SIZE_MAX);
  if (channel->arena == NULL || !create_tables(channel)) return NULL; /* the process ends at once, see threads.c */
  current = channel;
  nr_recorder_thread_begin();
  nr_crash_thread();
  return channel;
}

/* The next frame, waiting for it. `watches`: Node's loop may turn meanwhile, so this thread's loop may be due. False:
 * the connection has failed. */
static bool receive(struct nr_channel *channel, struct nr_frame *frame, bool watches) {
  for (;;) {
    int status = nr_port_try_receive(channel->port, channel->arena, frame);
    if (status == 0) return true;
    if (status != -EAGAIN) return false;
    status = watches ? nr_loop_wait(channel) : nr_port_wait(channel->port, 0);
    if (status < 0 && status != -ETIMEDOUT) return false;
  }
}

void nr_channel_take_plain(struct nr_channel *channel, uint8_t flags) {
  channel->plain = (flags & NR_FLAG_PLAIN) != 0;
  channel->plain_follows = (flags & NR_FLAG_FOLLOWS) != 0;
  channel->follows += channel->plain_follows;
}

bool nr_channel_is_plain(struct nr_channel *channel) {
  if (channel->plain_follows) channel->plain = nr_port_await_answer(channel->port, channel->follows);
  channel->plain_follows = false;
  return channel->plain;
}

static void send_return(struct nr_channel *channel, const struct nr_frame *entry, bool looked, napi_status status,
                        const ProtobufCMessage *reply, const struct nr_slice *tail, size_t tail_count) {
  struct nr_frame_header header = {
      .env = entry->header.env,
      .sequence = entry->header.sequence,
      .opcode = entry->header.opcode,
      .depth = entry->header.depth,
      .status = (uint16_t)status,
      .kind = NR_KIND_RETURN,
      .flags = channel->state = nr_loop_state(channel),
  };
  if (looked) header.flags |= NR_FLAG_LOOKED;
  if (nr_port_send(channel->port, &header, reply, tail, tail_count) < 0) nr_channel_lost(channel);
}

/* Runs one ENTER and sends its RETURN. */
static void serve_enter(struct nr_channel *channel, const struct nr_frame *frame) {
  struct nr_entry entry = {
      .outer = channel->entry,
      .chosen_top = channel->chosen_top,
      .scope_base = channel->scope_count,
      .callback_scope_base = channel->callback_scopes,
  };
  uint32_t hot = channel->hot_count;
  struct nr_served served = {.tail_count = 0};
  __atomic_store_n(&channel->entry, &entry, __ATOMIC_RELAXED); /* the pool looks whether there is one */
  channel->depth++;
  nr_channel_take_plain(channel, frame->header.flags);
  channel->last = (frame->header.flags & NR_FLAG_LAST) != 0;
  channel->js_epoch++;
  if (entry.outer == NULL) {
    nr_fresh_clear(channel);
    nr_loop_update_time(channel);
  }
  if (NR_UNLIKELY(channel->deferred != NULL)) nr_deferred_send(channel);
  if (NR_UNLIKELY(__atomic_load_n(&channel->foreign, __ATOMIC_RELAXED) != NULL)) nr_foreign_serve(channel);
  nr_entry_serve(channel, &entry, frame, &served);
  nr_memory_leave(channel, served.env, hot);
  nr_environment_check(channel);
  if (entry.invoke == NULL)
    nr_fresh_clear(channel);
  else
    nr_fresh_show(channel, served.reply.returned.result);
  nr_scopes_truncate(channel, entry.scope_base, entry.chosen_top);
  channel->callback_scopes = entry.callback_scope_base;
  nr_threadsafe_flush(channel);
  nr_loop_tell(channel);
  channel->depth--;
  __atomic_store_n(&channel->entry, entry.outer, __ATOMIC_RELAXED);
  send_return(channel, frame, entry.looked, served.status, &served.reply.base, served.tail, served.tail_count);
}

static void serve(struct nr_channel *channel, const struct nr_frame *frame) {
  if (frame->header.kind == NR_KIND_ENTER) {
    serve_enter(channel, frame);
  } else if (frame->header.kind == NR_KIND_POST) {
    nr_entry_post(channel, frame);
  } else {
    nr_port_fail(channel->port, EPROTO);
    nr_channel_lost(channel);
  }
}

void nr_channel_await_reply(struct nr_channel *channel, uint32_t sequence, unsigned opcode, bool js,
                            struct nr_frame *frame) {
  bool watches = NR_UNLIKELY(channel->loop != NULL) && js;
  for (;;) {
    struct nr_arena_mark mark = nr_arena_mark(channel->arena);
    if (!receive(channel, frame, watches)) nr_channel_lost(channel);
    if (frame->header.kind == NR_KIND_REPLY) {
      if (frame->header.sequence == sequence && frame->header.opcode == opcode) return;
      nr_port_fail(channel->port, EPROTO);
      nr_channel_lost(channel);
    }
    serve(channel, frame);
    nr_arena_release(channel->arena, mark);
  }
}

bool nr_channel_run(struct nr_channel *channel) {
  while (!channel->ends) {
    struct nr_arena_mark mark = nr_arena_mark(channel->arena);
    struct nr_frame frame;
    if (!receive(channel, &frame, true)) break;
    serve(channel, &frame);
    nr_arena_release(channel->arena, mark);
  }
  if (!channel->ends && nr_port_failure(channel->port) != -EPIPE) nr_channel_lost(channel);
  current = NULL;
  return channel->ends || channel->env_count == 0;
}
