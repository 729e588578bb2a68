/*
 * The ways in which language bindings come by their env: from the callback together with its context (napi_get_cb_info
 * first, for everything), from the callback alone (no word about the context), and kept from before.
 */
#define ADDON_NAPI_VERSION 9
#include "common.h"

/* What a binding hands to every function: the context is asked for first, whether it is needed or not. */
struct context {
  napi_env env;
  size_t argc;
  napi_value argv[4], self;
  void *data;
};

static struct context context_of(napi_env env, napi_callback_info info) {
  struct context context = {.env = env, .argc = 4};
  T_OK(napi_get_cb_info(env, info, &context.argc, context.argv, &context.self, &context.data));
  return context;
}

/* From Init, and from the last call of remember(). */
static napi_env init_env, kept_env;
static napi_ref kept_function, kept_self;
static int calls;

/* ---- With a context ---------------------------------------------------------------------------------------------- */

static napi_value with_context(napi_env env, napi_callback_info info) {
  struct context context = context_of(env, info);
  napi_value result = t_array(env), arguments = t_array(env);
  for (size_t i = 0; i < 4; i++) T_OK(napi_set_element(env, arguments, (uint32_t)i, context.argv[i]));
  T_OK(napi_set_element(env, result, 0, t_number(env, (double)context.argc)));
  T_OK(napi_set_element(env, result, 1, arguments));
  T_OK(napi_set_element(env, result, 2, context.self));
  T_OK(napi_set_element(env, result, 3, t_boolean(env, context.data == &calls)));
  return result;
}

/* Throws on the env of the context, with what came as arguments. */
static napi_value throw_with_context(napi_env env, napi_callback_info info) {
  struct context context = context_of(env, info);
  T_OK(napi_throw(context.env, context.argv[0]));
  return NULL;
}

/* ---- Without ----------------------------------------------------------------------------------------------------- */

static napi_value make_object(napi_env env, napi_callback_info info) {
  napi_value object = t_object(env);
  t_set(env, object, "calls", t_number(env, ++calls));
  t_set(env, object, "text", t_string(env, "made without a context"));
  return object;
}

static napi_value throw_without(napi_env env, napi_callback_info info) {
  napi_throw_range_error(env, "ERR_WITHOUT", "thrown without a context");
  return NULL;
}

static napi_value nothing(napi_env env, napi_callback_info info) {
  return NULL;
}

/* Calls what JavaScript left on the global object. */
static napi_value call_global(napi_env env, napi_callback_info info) {
  napi_value global, function, result;
  T_OK(napi_get_global(env, &global));
  if (napi_get_named_property(env, global, "envsCallback", &function) != napi_ok) return NULL;
  if (t_typeof(env, function) != napi_function) return t_string(env, "nobody is there");
  napi_status status = napi_call_function(env, global, function, 0, NULL, &result);
  return status == napi_ok ? result : NULL;
}

static napi_value run_script(napi_env env, napi_callback_info info) {
  napi_value result;
  return napi_run_script(env, t_string(env, "[1, 2, 3].map((x) => x * x)"), &result) == napi_ok ? result : NULL;
}

/* Much in a row: scopes, references, strings, errors that are taken again. */
static napi_value work_hard(napi_env env, napi_callback_info info) {
  napi_value result = t_array(env), exception;
  for (uint32_t i = 0; i < 200; i++) {
    napi_handle_scope scope;
    napi_ref ref;
    T_OK(napi_open_handle_scope(env, &scope));
    napi_value object = t_object(env);
    t_set(env, object, "i", t_number(env, i));
    T_OK(napi_create_reference(env, object, 1, &ref));
    if (i % 7 == 0) {
      T_OK(napi_throw_error(env, NULL, "taken again"));
      T_OK(napi_get_and_clear_last_exception(env, &exception));
      t_set(env, object, "error", exception);
    }
    T_OK(napi_get_reference_value(env, ref, &object));
    T_OK(napi_set_element(env, result, i, object));
    T_OK(napi_delete_reference(env, ref));
    T_OK(napi_close_handle_scope(env, scope));
  }
  return result;
}

/* What the env itself knows: which is the same for all who have it. */
static napi_value about(napi_env env, napi_callback_info info) {
  napi_value result = t_array(env);
  uint32_t version;
  const char *file;
  void *data;
  T_OK(napi_get_version(env, &version));
  T_OK(node_api_get_module_file_name(env, &file));
  T_OK(napi_get_instance_data(env, &data));
  T_OK(napi_set_element(env, result, 0, t_number(env, version)));
  T_OK(napi_set_element(env, result, 1, t_string(env, file)));
  T_OK(napi_set_element(env, result, 2, t_boolean(env, data == &calls)));
  T_OK(napi_set_element(env, result, 3, t_boolean(env, env == init_env)));
  T_OK(napi_set_element(env, result, 4, t_boolean(env, env == kept_env)));
  return result;
}

/* ---- Kept from before -------------------------------------------------------------------------------------------- */

/* (function): keeps the env, the function and `this` for later. */
static napi_value remember(napi_env env, napi_callback_info info) {
  struct context context = context_of(env, info);
  if (kept_function) T_OK(napi_delete_reference(env, kept_function));
  if (kept_self) T_OK(napi_delete_reference(env, kept_self));
  kept_env = env;
  T_OK(napi_create_reference(env, context.argv[0], 1, &kept_function));
  T_OK(napi_create_reference(env, context.self, 1, &kept_self));
  return NULL;
}

/* Nothing but statics: neither the env nor the context of this call. */
static napi_value call_kept(napi_env env, napi_callback_info info) {
  napi_value function, self, argument, result;
  T_OK(napi_get_reference_value(kept_env, kept_function, &function));
  T_OK(napi_get_reference_value(kept_env, kept_self, &self));
  T_OK(napi_create_int32(kept_env, ++calls, &argument));
  napi_status status = napi_call_function(kept_env, self, function, 1, &argument, &result);
  if (status == napi_ok) return result;
  napi_value exception, wrapped = t_object(kept_env);
  T_OK(napi_get_and_clear_last_exception(kept_env, &exception));
  t_set(kept_env, wrapped, "caught", exception);
  t_set(kept_env, wrapped, "status", t_string(kept_env, t_status_name(status)));
  return wrapped;
}

static napi_value throw_on_kept(napi_env env, napi_callback_info info) {
  napi_throw_type_error(kept_env, "ERR_KEPT", "thrown on the kept env");
  return NULL;
}

/* ---- A class whose members are some of these --------------------------------------------------------------------- */

static napi_value construct_with_context(napi_env env, napi_callback_info info) {
  struct context context = context_of(env, info);
  t_set(env, context.self, "argument", context.argv[0]);
  return context.self;
}

/* Leaves the object as it comes. */
static napi_value construct_without(napi_env env, napi_callback_info info) {
  calls++;
  return NULL;
}

static napi_value define(napi_env env, const char *name, napi_callback constructor) {
  const napi_property_descriptor properties[] = {
      {"withContext", NULL, with_context, NULL, NULL, NULL, napi_default, &calls},
      {"makeObject", NULL, make_object, NULL, NULL, NULL, napi_default, NULL},
      {"contextGetter", NULL, NULL, with_context, NULL, NULL, napi_default, &calls},
      {"getter", NULL, NULL, make_object, nothing, NULL, napi_default, NULL},
      {"throwing", NULL, NULL, throw_without, throw_without, NULL, napi_default, NULL},
      {"staticMethod", NULL, make_object, NULL, NULL, NULL, napi_static, NULL},
      {"staticGetter", NULL, NULL, with_context, NULL, NULL, napi_static, &calls},
      {"nothing", NULL, nothing, NULL, NULL, NULL, napi_static, NULL},
  };
  napi_value class;
  T_OK(napi_define_class(env, name, NAPI_AUTO_LENGTH, constructor, NULL, T_COUNT(properties), properties, &class));
  return class;
}

NAPI_MODULE_INIT() {
  static const struct t_function functions[] = {
      {"throwWithContext", throw_with_context},
      {"makeObject", make_object},
      {"throwWithout", throw_without},
      {"nothing", nothing},
      {"callGlobal", call_global},
      {"runScript", run_script},
      {"workHard", work_hard},
      {"about", about},
      {"remember", remember},
      {"callKept", call_kept},
      {"throwOnKept", throw_on_kept},
  };
  napi_value function;
  init_env = env;
  T_OK(napi_set_instance_data(env, &calls, NULL, NULL));
  T_OK(napi_create_function(env, "withContext", NAPI_AUTO_LENGTH, with_context, &calls, &function));
  t_set(env, exports, "withContext", function);
  t_set(env, exports, "Context", define(env, "Context", construct_with_context));
  t_set(env, exports, "Contextless", define(env, "Contextless", construct_without));
  t_export(env, exports, functions, T_COUNT(functions));
  return exports;
}
