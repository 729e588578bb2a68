/*
 * JavaScript functions of the host: what a call of one sends over, and what it gives back.
 */
#include <stdlib.h>
#include <string.h>

#include "server/calls/facts.h"
#include "server/enter.h"
#include "server/failure.h"
#include "server/restart.h"
#include "server/trace.h"

#define NR_ARGS_INLINE 8u

/* The first calls of a callback assume that it builds objects; those that then did are remembered. */
#define NR_BUILDER_TRIALS 3u
/* After so many calls in which it has not asked what its arguments wrap it is not told any more, until it asks: 0.14 us
 * for each argument. */
#define NR_UNLOOKED 32u

static void link_callback(struct nr_callback *callback, struct nr_env *env) {
  callback->env = env;
  callback->connection = env->connection;
  nr_connection_ref(callback->connection);
  callback->link = &env->callbacks;
  callback->next = env->callbacks;
  if (callback->next != NULL) callback->next->link = &callback->next;
  env->callbacks = callback;
}

/* Its connection is still counted. */
static void unlink_callback(struct nr_callback *callback) {
  *callback->link = callback->next;
  if (callback->next != NULL) callback->next->link = callback->link;
  if (callback->connection->callback == callback) callback->connection->callback = NULL;
  nr_restart_forget(callback);
}

struct nr_callback *nr_callback_create(struct nr_env *env, nr_id id, bool member) {
  struct nr_callback *callback = calloc(1, sizeof *callback);
  if (callback == NULL) return NULL;
  callback->id = id;
  callback->member = member;
  link_callback(callback, env);
  return callback;
}

void nr_callback_free(struct nr_callback *callback) {
  unlink_callback(callback);
  nr_connection_unref(callback->connection);
  free(callback);
}

void nr_callback_rebind(struct nr_callback *callback, struct nr_env *env, nr_id id) {
  struct nr_connection *before = callback->connection;
  unlink_callback(callback);
  callback->id = id;
  callback->builds = false;
  callback->calls = 0;
  link_callback(callback, env);
  nr_connection_unref(before);
}

struct nr_callback *nr_callback_background(struct nr_connection *connection) {
  struct nr_callback *background = &connection->background;
  if (background->calls <= NR_BUILDER_TRIALS) background->calls++;
  return background;
}

void nr_callback_built(struct nr_connection *connection) {
  if (connection->callback != NULL) connection->callback->builds = true;
}

/* Asks a JavaScript function of the agent's. */
static bool ask_plain(struct nr_agent *agent, napi_env napi) {
  napi_value check = NULL, result = NULL;
  bool plain = false;
  return agent->plain_check != NULL && napi_get_reference_value(agent->napi, agent->plain_check, &check) == napi_ok &&
         nr_ask_js(napi, NULL, check, 0, NULL, &result) && napi_get_value_bool(napi, result, &plain) == napi_ok &&
         plain;
}

bool nr_prototypes_plain(struct nr_agent *agent, napi_env napi) {
  if (!agent->plain_known) agent->plain = ask_plain(agent, napi);
  agent->plain_known = true;
  return agent->plain;
}

uint8_t nr_callback_flags(const struct nr_connection *connection, napi_env napi) {
  const struct nr_callback *callback = connection->callback;
  if (callback != NULL && !callback->builds && callback->calls > NR_BUILDER_TRIALS) return 0;
  if (!connection->agent->plain_known && nr_port_peer_spins(connection->port)) return NR_FLAG_FOLLOWS;
  return nr_prototypes_plain(connection->agent, napi) ? NR_FLAG_PLAIN : 0;
}

void nr_callback_follow(struct nr_connection *connection, napi_env napi) {
  nr_port_tell(connection->port, ++connection->follows, nr_prototypes_plain(connection->agent, napi));
}

/* What a call of a callback is put together from, in the connection's arena. */
struct invocation {
  struct nr_enter enter;
  struct nr_describe describe;
  Nr__InvokeRequest request;
  nr_value new_target;
  size_t room; /* arguments, with `this` */
  bool tells;  /* what an argument wraps */
  bool failed; /* a quota or memory is at its end */
  struct nr_arena_mark mark;
  struct nr_callback *outer;
};

/* The next `count` numbers of a list, which has room for as many of each argument. NULL: no memory. */
static uint64_t *add_numbers(const struct invocation *invocation, uint64_t **list, size_t *length, size_t count) {
  if (*list == NULL)
    *list = nr_arena_alloc(invocation->enter.connection->arena, invocation->room * count * sizeof **list);
  if (*list == NULL) return NULL;
  *length += count;
  return *list + *length - count;
}

/* False: no memory, then it goes as any fact. */
static bool add_view(struct invocation *invocation, size_t place, const Nr__View *view) {
  Nr__InvokeRequest *request = &invocation->request;
  uint64_t *numbers = add_numbers(invocation, &request->views, &request->n_views, NR_VIEW_NUMBERS);
  if (numbers == NULL) return false;
  numbers[0] = nr_view_code(place, view->kind);
  numbers[1] = (uint32_t)view->pair_id;
  numbers[2] = view->offset;
  numbers[3] = view->length;
  return true;
}

/* The same. */
static bool add_shape(struct invocation *invocation, size_t place, const Nr__Fact *fact) {
  Nr__InvokeRequest *request = &invocation->request;
  uint64_t *numbers = add_numbers(invocation, &request->shapes, &request->n_shapes, NR_SHAPE_NUMBERS);
  if (numbers == NULL) return false;
  numbers[0] = nr_shape_code(place, fact->shape);
  numbers[1] = fact->wrap_id;
  return true;
}

static bool add_text(struct invocation *invocation, size_t place, const Nr__Fact *fact) {
  Nr__InvokeRequest *request = &invocation->request;
  if (request->texts == NULL)
    request->texts = nr_arena_alloc(invocation->enter.connection->arena, invocation->room * sizeof *request->texts);
  uint64_t *code =
      request->texts == NULL ? NULL : add_numbers(invocation, &request->text_places, &request->n_text_places, 1);
  if (code == NULL) return false;
  *code = nr_text_code(place, (fact->shape & NR_SHAPE_WIDE) != 0);
  request->texts[request->n_texts++] = fact->text;
  return true;
}

/* `place`: among the values of the request. */
static void add_fact(struct invocation *invocation, size_t place, napi_value value, napi_valuetype type, nr_value id,
                     bool wrap, enum nr_bytes bytes) {
  struct nr_connection *connection = invocation->enter.connection;
  Nr__Fact *fact = nr_arena_alloc(connection->arena, sizeof *fact);
  if (fact == NULL) return;
  nr__fact__init(fact);
  if (!nr_describe_value(&invocation->describe, value, type, wrap, bytes, fact)) return;
  fact->value = id;
  if ((fact->shape & NR_SHAPE_TEXT) != 0) {
    if (add_text(invocation, place, fact)) return;
  } else if (fact->view == NULL) {
    if (add_shape(invocation, place, fact)) return;
  } else if (fact->view->shown && fact->view->place == 0) {
    if (add_view(invocation, place, fact->view)) return;
  }
  invocation->request.facts[invocation->request.n_facts++] = fact;
}

static nr_value add_argument(struct invocation *invocation, size_t place, napi_value value, bool wrap,
                             enum nr_bytes bytes) {
  napi_valuetype type;
  struct nr_enter *enter = &invocation->enter;
  nr_value id = nr_give_argument(enter->connection, enter->env->napi, value, &type);
  if (id == NR_ABSENT) invocation->failed = true;
  if (place > 0 && (type == napi_object || type == napi_function)) {
    wrap = enter->connection->callback->unlooked < NR_UNLOOKED;
    invocation->tells |= wrap;
  }
  if (nr_value_is_handle(id) && (wrap || bytes != NR_BYTES_NONE))
    add_fact(invocation, place, value, type, id, wrap, bytes);
  return id;
}

static bool make_room(struct invocation *invocation, size_t argc) {
  struct nr_arena *arena = invocation->enter.connection->arena;
  size_t count = argc + 1;
  invocation->room = count;
  invocation->request.values = nr_arena_alloc(arena, count * sizeof(nr_value));
  invocation->request.facts = nr_arena_alloc(arena, count * sizeof(Nr__Fact *));
  invocation->describe.tail = nr_arena_alloc(arena, count * sizeof(struct nr_slice));
  invocation->describe.tail_room = (uint32_t)count;
  return invocation->request.values != NULL && invocation->request.facts != NULL && invocation->describe.tail != NULL;
}

static bool fill(struct invocation *invocation, napi_callback_info info, napi_value this_arg, size_t argc,
                 const napi_value *argv) {
  struct nr_enter *enter = &invocation->enter;
  const struct nr_callback *callback = enter->connection->callback;
  napi_value new_target = NULL;
  if (!make_room(invocation, argc)) return false;
  invocation->describe.connection = enter->connection;
  invocation->describe.napi = enter->env->napi;
  Nr__InvokeRequest *request = &invocation->request;
  request->callback_id = callback->id;
  request->values[0] = add_argument(invocation, 0, this_arg, callback->member, NR_BYTES_NONE);
  napi_get_new_target(enter->env->napi, info, &new_target);
  if (new_target != NULL) {
    invocation->new_target = add_argument(invocation, 0, new_target, false, NR_BYTES_NONE);
    request->new_target = &invocation->new_target;
    request->n_new_target = 1;
  }
  for (size_t i = 1; i <= argc; i++)
    request->values[i] = add_argument(invocation, i, argv[i - 1], true, NR_BYTES_GIVEN);
  request->n_values = argc + 1;
  return !invocation->failed;
}

/* Back to where begin() stood. */
static void end(struct invocation *invocation) {
  struct nr_connection *connection = invocation->enter.connection;
  struct nr_arena_mark mark = invocation->mark;
  connection->callback = invocation->outer;
  nr_enter_end(&invocation->enter);
  nr_arena_release(connection->arena, mark);
  nr_connection_unref(connection);
}

/* Is there stack left? Functions of Node-API have no check of V8's in front of them, but JavaScript functions do:
 * calling one throws the RangeError that is wanted. (Node 26 ends the process for an exception that is thrown much
 * further down.) */
static bool has_stack(struct nr_callback *callback, napi_env napi) {
  struct nr_agent *agent = callback->connection->agent;
  uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  napi_value check = NULL, undefined = NULL;
  if (here >= agent->stack_careful) return true;
  if (nr_restart_probed(agent, callback)) return false;
  if (here < agent->stack_floor) {
    napi_throw_range_error(napi, NULL, "Maximum call stack size exceeded");
    return false;
  }
  return agent->plain_check == NULL || napi_get_undefined(napi, &undefined) != napi_ok ||
         napi_get_reference_value(agent->napi, agent->plain_check, &check) != napi_ok ||
         napi_call_function(napi, undefined, check, 0, NULL, NULL) == napi_ok;
}

/* Can this thread, and this connection, be entered? If not nr_restart_call() tells what then. */
static bool may_begin(struct nr_callback *callback, napi_env napi) {
  struct nr_connection *connection = callback->connection;
  return (connection->agent == NULL || has_stack(callback, napi)) && nr_port_failure(connection->port) == 0 &&
         !connection->exited;
}

static struct invocation *create(struct nr_callback *callback) {
  struct nr_connection *connection = callback->connection;
  struct nr_arena_mark mark = nr_arena_mark(connection->arena);
  struct invocation *invocation = nr_arena_alloc(connection->arena, sizeof *invocation);
  if (invocation == NULL) {
    nr_throw_quota(connection, callback->env->napi, "The host holds too much memory of this thread");
    return NULL;
  }
  nr_connection_ref(connection); /* the arena outlives the entry */
  nr__invoke_request__init(&invocation->request);
  memset(&invocation->describe, 0, sizeof invocation->describe);
  invocation->tells = invocation->failed = false;
  invocation->mark = mark;
  invocation->outer = connection->callback;
  nr_enter_begin(&invocation->enter, connection, callback->env, NR_OP_INVOKE);
  connection->callback = callback;
  connection->met = NULL;
  if (callback->calls <= NR_BUILDER_TRIALS) callback->calls++;
  return invocation;
}

static struct invocation *begin_with(struct nr_callback *callback, napi_callback_info info, napi_value this_arg,
                                     size_t argc, const napi_value *argv) {
  napi_env napi = callback->env->napi;
  struct nr_connection *connection = callback->connection;
  if (!may_begin(callback, napi)) return NULL;
  struct invocation *invocation = create(callback);
  if (invocation == NULL) return NULL;
  struct nr_enter *enter = &invocation->enter;
  bool filled = fill(invocation, info, this_arg, argc, argv);
  if (!filled || connection->met != NULL) {
    if (filled)
      nr_throw_gone(connection->met, napi);
    else
      nr_throw_quota(connection, napi, "Too many handles are alive in the host");
    end(invocation);
    return NULL;
  }
  enter->request = &invocation->request.base;
  enter->tail = invocation->describe.tail;
  enter->tail_count = invocation->describe.tail_count;
  enter->flags |= nr_callback_flags(connection, napi);
  if (NR_SERVER_TRACES) nr_server_trace_enter(enter);
  return invocation;
}

/* Calls with many arguments are rare: they get their array from the heap. */
static struct invocation *begin_large(struct nr_callback *callback, napi_env napi, napi_callback_info info,
                                      size_t argc) {
  napi_value this_arg = NULL;
  napi_value *argv = malloc(argc * sizeof *argv);
  if (argv == NULL) {
    nr_throw_quota(callback->connection, napi, "Out of memory for the arguments of a call");
    return NULL;
  }
  napi_get_cb_info(napi, info, &argc, argv, &this_arg, NULL);
  struct invocation *invocation = begin_with(callback, info, this_arg, argc, argv);
  free(argv);
  return invocation;
}

/* Everything up to the entry. NULL: it cannot be made, and there is an exception. */
static __attribute__((noinline)) struct invocation *begin(struct nr_callback *callback, napi_env napi,
                                                          napi_callback_info info) {
  napi_value argv[NR_ARGS_INLINE];
  napi_value this_arg = NULL;
  void *data = NULL;
  size_t argc = NR_ARGS_INLINE;
  if (napi_get_cb_info(napi, info, &argc, argv, &this_arg, &data) != napi_ok) return NULL;
  if (callback == NULL) callback = data;
  if (argc > NR_ARGS_INLINE) return begin_large(callback, napi, info, argc);
  return begin_with(callback, info, this_arg, argc, argv);
}

static void count_looks(const struct invocation *invocation) {
  struct nr_callback *callback = invocation->enter.connection->callback;
  if (invocation->enter.looked)
    callback->unlooked = 0;
  else if (invocation->tells)
    callback->unlooked++;
}

static __attribute__((noinline)) napi_value finish(struct invocation *invocation, int failure) {
  napi_value result = NULL;
  if (failure < 0) {
    nr_throw_failure(invocation->enter.connection, invocation->enter.env->napi, "a call");
  } else {
    result = nr_enter_result(&invocation->enter, "a call");
    count_looks(invocation);
  }
  end(invocation);
  return result;
}

/* As little as can be stays on the stack while JavaScript may run: see nr_enter_run(). */
napi_value nr_callback_invoke(struct nr_callback *callback, napi_env napi, napi_callback_info info) {
  struct invocation *invocation = begin(callback, napi, info);
  if (invocation == NULL) return nr_restart_call(callback, napi, info);
  return finish(invocation, nr_enter_run(&invocation->enter));
}

napi_value nr_trampoline(napi_env napi, napi_callback_info info) {
  return nr_callback_invoke(NULL, napi, info);
}
