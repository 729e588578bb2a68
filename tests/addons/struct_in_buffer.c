/*
 * A C struct of the addon that lies in a Buffer which JavaScript made: with pointers, and with a live handle of
 * libuv's. Published addons keep their state so.
 */
#include "uv_kit.h"

struct state {
  uint32_t ticks; /* JavaScript reads this one, and writes the next */
  uint32_t most;
  uv_timer_t timer;
  napi_env env;
  napi_ref buffer, function;
};

static struct state *state_of(napi_env env, napi_value buffer) {
  struct state *state;
  size_t length;
  T_OK(napi_get_buffer_info(env, buffer, (void **)&state, &length));
  if (length < sizeof *state) abort();
  return state;
}

static void on_close(uv_handle_t *handle) {
  struct state *state = handle->data;
  napi_env env = state->env;
  t_tell(env, state->function, "closed");
  T_OK(napi_delete_reference(env, state->function));
  T_OK(napi_delete_reference(env, state->buffer));
}

static void on_tick(uv_timer_t *timer) {
  struct state *state = timer->data;
  state->ticks++;
  if (state->ticks < state->most) {
    t_tell(state->env, state->function, "tick");
  } else {
    uv_close((uv_handle_t *)timer, on_close);
  }
}

/* () -> the size of the struct */
static napi_value size(napi_env env, napi_callback_info info) {
  return t_number(env, sizeof(struct state));
}

/* (buffer, function): ticks until JavaScript's number in the Buffer is reached; the Buffer is referenced meanwhile. */
static napi_value start(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  struct state *state = state_of(env, argv[0]);
  state->env = env;
  T_OK(napi_create_reference(env, argv[0], 1, &state->buffer));
  T_OK(napi_create_reference(env, argv[1], 1, &state->function));
  T_UV(uv_timer_init(t_loop(env), &state->timer));
  state->timer.data = state;
  T_UV(uv_timer_start(&state->timer, on_tick, 0, 1));
  return NULL;
}

static const struct t_function functions[] = {{"size", size}, {"start", start}};
T_INIT(functions)
