/*
 * Entries that begin while something is served for which the host does not wait: a hook of async_hooks that runs for a
 * promise that native code has only posted calls an addon of that host. In one process it would run at once. Here
 * native code has gone on meanwhile, so it runs when that calls or returns: the host takes it for an entry inside of
 * what it calls, or, when it has returned, for one behind that. What it has sent until then is put aside, and served
 * once the hook is done.
 *
 * The host is ahead by what was put aside: it has opened and closed scopes, and chosen ids for handles, that are not
 * served yet. So the entry has handles of its own, and scopes that begin at the level where the host's are.
 */
#include "server/aside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/calls/scopes.h"
#include "server/dispatch.h"
#include "server/enter.h"
#include "server/server-private.h"
#include "wire/message.h"

/* As much as the largest frame has. */
#define NR_ASIDE_BYTES ((size_t)NR_TAIL_MAX + NR_MESSAGE_MAX + sizeof(struct nr_put_aside))

struct nr_put_aside {
  struct nr_put_aside *next;
  struct nr_frame_header header;
  size_t size;
  size_t tail; /* where it begins */
  uint8_t bytes[];
};

/* What an entry finds of a connection that is the host's to choose. */
struct side {
  struct nr_handles *chosen;
  struct nr_scope *scopes;
  uint32_t scope_count;
  uint32_t scope_room;
  uint32_t closing;
  uint32_t depth;
};

struct nr_aside {
  struct nr_aside *outer;
  struct nr_aside_list frames;
  struct side side; /* of the entry below */
};

static struct side side_of(const struct nr_connection *connection) {
  return (struct side){connection->chosen,     connection->scopes,  connection->scope_count,
                       connection->scope_room, connection->closing, connection->depth};
}

static void set_side(struct nr_connection *connection, struct side side) {
  connection->chosen = side.chosen;
  connection->scopes = side.scopes;
  connection->scope_count = side.scope_count;
  connection->scope_room = side.scope_room;
  connection->closing = side.closing;
  connection->depth = side.depth;
}

static bool put(struct nr_aside_list *list, const struct nr_frame *frame) {
  const struct nr_frame_header *header = &frame->header;
  size_t tail = header->tail_length == 0 ? header->message_length : (size_t)(frame->tail - frame->message);
  size_t size = tail + header->tail_length;
  if (size + sizeof(struct nr_put_aside) > NR_ASIDE_BYTES - list->bytes) return false;
  struct nr_put_aside *last = malloc(sizeof *last + size);
  if (last == NULL) return false;
  last->next = NULL;
  last->header = *header;
  last->size = size;
  last->tail = tail;
  if (size > 0) memcpy(last->bytes, frame->message, size);
  *(list->first == NULL ? &list->first : &list->last->next) = last;
  list->last = last;
  list->bytes += size + sizeof *last;
  return true;
}

static struct nr_put_aside *pop(struct nr_aside_list *list) {
  struct nr_put_aside *first = list->first;
  list->first = first->next;
  list->bytes -= first->size + sizeof *first;
  return first;
}

static void clear(struct nr_aside_list *list) {
  while (list->first != NULL) free(pop(list));
}

void nr_aside_free(struct nr_connection *connection) {
  clear(&connection->aside);
}

int nr_aside_receive(struct nr_connection *connection, struct nr_frame *frame) {
  if (connection->aside.first == NULL) return -EAGAIN;
  struct nr_put_aside *first = pop(&connection->aside);
  uint8_t *bytes = nr_arena_alloc(connection->arena, first->size);
  if (bytes != NULL) {
    memcpy(bytes, first->bytes, first->size);
    *frame = (struct nr_frame){.header = first->header, .message = bytes, .tail = bytes + first->tail};
  }
  free(first);
  return bytes == NULL ? nr_connection_fault(connection, "more than a host may have us hold") : 0;
}

/* With what the host does not post it begins to listen. */
static bool listens(const struct nr_aside_list *list) {
  return list->first != NULL && list->last->header.kind != NR_KIND_POST;
}

/* What is about no handle must not wait: which pages native code has written, since with the entry both sides agree
 * anew on what is tracked; timers and variables, since the entry may set them again. */
static bool is_served_at_once(const struct nr_frame_header *header) {
  return header->kind == NR_KIND_POST && (header->opcode == NR_OP_TOUCH_MEMORY || header->opcode == NR_OP_LOOP_TIMER ||
                                          header->opcode == NR_OP_TELL_VARIABLE);
}

static int serve(struct nr_connection *connection, const struct nr_frame *frame) {
  if (frame->header.depth != connection->depth)
    return nr_connection_fault(connection, "a frame of depth %u at depth %u", frame->header.depth, connection->depth);
  if (frame->header.flags != 0 || frame->header.status != 0)
    return nr_connection_fault(connection, "a post with status %u and flags %u", frame->header.status,
                               frame->header.flags);
  struct nr_dispatch *dispatch = nr_dispatch_begin(connection, frame);
  if (dispatch != NULL)
    nr_dispatch_end(dispatch, dispatch->handler->serve(dispatch, dispatch->request, dispatch->answer));
  return nr_port_failure(connection->port);
}

static int take(struct nr_connection *connection, const struct nr_frame *frame, struct nr_aside_list *list) {
  unsigned kind = frame->header.kind;
  if (kind != NR_KIND_POST && kind != NR_KIND_CALL && kind != NR_KIND_RETURN)
    return nr_connection_fault(connection, "a %s frame in an entry", nr_kind_name(kind));
  if (is_served_at_once(&frame->header)) return serve(connection, frame);
  if (put(list, frame)) return 0;
  return nr_connection_fault(connection, "too much is posted while JavaScript calls the host");
}

static int hear(struct nr_connection *connection, struct nr_enter *entered, struct nr_aside_list *list) {
  struct nr_arena_mark mark = nr_arena_mark(connection->arena);
  int status = nr_enter_receive(entered);
  if (status == 0) status = take(connection, &entered->frame, list);
  nr_arena_release(connection->arena, mark);
  return status;
}

/* How many scopes the host has open behind a frame. What makes no sense is a fault when it is served. */
static uint32_t level_behind(struct nr_connection *connection, const struct nr_put_aside *frame, uint32_t level) {
  if (frame->header.kind == NR_KIND_RETURN) return connection->scope_base;
  if (frame->header.kind != NR_KIND_POST) return level;
  if (frame->header.opcode == NR_OP_OPEN_SCOPE) return level + 1;
  if (frame->header.opcode != NR_OP_CLOSE_SCOPE) return level;
  struct nr_arena_mark mark = nr_arena_mark(connection->arena);
  const Nr__CloseScopeRequest *request =
      nr_message_unpack(connection->arena, nr_op_info(NR_OP_CLOSE_SCOPE)->request, frame->bytes, frame->tail);
  if (request != NULL && request->level < level) level = request->level;
  nr_arena_release(connection->arena, mark);
  return level;
}

static uint32_t level_of_host(struct nr_connection *connection, const struct nr_aside_list *list) {
  uint32_t level = connection->closing == UINT32_MAX ? connection->scope_count : connection->closing;
  for (const struct nr_put_aside *frame = list->first; frame != NULL; frame = frame->next)
    level = level_behind(connection, frame, level);
  return level;
}

static int change_sides(struct nr_connection *connection, struct nr_aside *aside) {
  uint32_t level = level_of_host(connection, &aside->frames);
  if (level > NR_SCOPES_MAX) return nr_connection_fault(connection, "too many open handle scopes");
  struct nr_handles *chosen = nr_handles_create(NR_HANDLES_MAX);
  struct nr_scope *scopes = calloc((size_t)level + 1, sizeof *scopes); /* nobody looks at those below */
  if (chosen == NULL || scopes == NULL) {
    if (chosen != NULL) nr_handles_destroy(chosen);
    free(scopes);
    return -ENOMEM;
  }
  bool calls = aside->frames.last->header.kind == NR_KIND_CALL;
  uint32_t depth = calls ? connection->depth + 1 : connection->depth - 1;
  aside->side = side_of(connection);
  set_side(connection, (struct side){chosen, scopes, level, level + 1, UINT32_MAX, depth});
  aside->outer = connection->laid;
  connection->laid = aside;
  connection->posting = false;
  return 0;
}

struct nr_aside *nr_aside_begin(struct nr_connection *connection) {
  struct nr_enter *entered = connection->entered;
  struct nr_frame served = entered->frame; /* it still is */
  struct nr_aside *aside = calloc(1, sizeof *aside);
  int status = aside == NULL ? -ENOMEM : nr_port_failure(connection->port);
  if (aside != NULL) {
    aside->frames = connection->aside;
    connection->aside = (struct nr_aside_list){.first = NULL};
    while (status == 0 && !listens(&aside->frames)) status = hear(connection, entered, &aside->frames);
    entered->frame = served;
    if (status == 0) status = change_sides(connection, aside);
  }
  if (status == 0) return aside;
  if (aside != NULL) connection->aside = aside->frames;
  free(aside);
  if (status == -ENOMEM) nr_connection_fault(connection, "out of memory for a call in the middle of another");
  return NULL;
}

void nr_aside_end(struct nr_connection *connection, struct nr_aside *aside) {
  if (aside == NULL) return;
  nr_handles_destroy(connection->chosen);
  free(connection->scopes);
  clear(&connection->aside); /* of a host that has failed */
  connection->aside = aside->frames;
  set_side(connection, aside->side);
  connection->laid = aside->outer;
  connection->posting = true;
  free(aside);
}

void *nr_aside_handle(const struct nr_connection *connection, nr_value value) {
  void *item = NULL;
  for (const struct nr_aside *aside = connection->laid; aside != NULL && item == NULL; aside = aside->outer)
    item = nr_handles_get(aside->side.chosen, nr_value_index(value), nr_value_generation(value));
  return item;
}
