/*
 * The examples of Node-API's documentation that are about objects: wrapped ones with their constructor kept in the
 * addon's data, factories, type tags.
 */
#include "common.h"

/* What an addon keeps for each env, as the document advises instead of statics. */
struct addon_data {
  napi_ref constructor;
  uint32_t constructed, destroyed, calls;
};

struct my_object {
  double value;
  napi_env env;
  napi_ref wrapper;
};

static struct addon_data *data_of(napi_env env) {
  void *data;
  T_OK(napi_get_instance_data(env, &data));
  return data;
}

static void delete_data(napi_env env, void *data, void *hint) {
  struct addon_data *addon = data;
  napi_delete_reference(env, addon->constructor);
  free(addon);
}

/* ---- MyObject ---------------------------------------------------------------------------------------------------- */

static void destroy(napi_env env, void *native, void *hint) {
  struct my_object *object = native;
  data_of(env)->destroyed++;
  napi_delete_reference(env, object->wrapper);
  free(object);
}

static napi_value constructor_of(napi_env env) {
  napi_value constructor;
  T_OK(napi_get_reference_value(env, data_of(env)->constructor, &constructor));
  return constructor;
}

/* Called with `new` or as a plain function: then it turns itself into a construct call. */
static napi_value construct(napi_env env, napi_callback_info info) {
  napi_value target, self, instance, argv[1];
  size_t argc = 1;
  T_OK(napi_get_new_target(env, info, &target));
  T_OK(napi_get_cb_info(env, info, &argc, argv, &self, NULL));
  if (!target) {
    T_OK(napi_new_instance(env, constructor_of(env), 1, argv, &instance));
    return instance;
  }
  struct my_object *object = calloc(1, sizeof *object);
  if (!object) abort();
  object->env = env;
  if (t_typeof(env, argv[0]) != napi_undefined) object->value = t_double(env, argv[0]);
  T_OK(napi_wrap(env, self, object, destroy, NULL, &object->wrapper));
  data_of(env)->constructed++;
  return self;
}

static struct my_object *self_of(napi_env env, napi_callback_info info, size_t *argc, napi_value *argv) {
  napi_value self;
  void *object;
  T_OK(napi_get_cb_info(env, info, argc, argv, &self, NULL));
  if (napi_unwrap(env, self, &object) != napi_ok) {
    napi_throw_type_error(env, "ERR_NOT_MINE", "This is no MyObject");
    return NULL;
  }
  data_of(env)->calls++;
  return object;
}

static napi_value get_value(napi_env env, napi_callback_info info) {
  struct my_object *object = self_of(env, info, NULL, NULL);
  return object ? t_number(env, object->value) : NULL;
}

static napi_value set_value(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  struct my_object *object = self_of(env, info, &argc, argv);
  if (object) T_OK(napi_get_value_double(env, argv[0], &object->value));
  return NULL;
}

static napi_value plus_one(napi_env env, napi_callback_info info) {
  struct my_object *object = self_of(env, info, NULL, NULL);
  return object ? t_number(env, object->value += 1) : NULL;
}

static napi_value multiply(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1], product, instance;
  struct my_object *object = self_of(env, info, &argc, argv);
  if (!object) return NULL;
  double by = t_typeof(env, argv[0]) == napi_undefined ? 1 : t_double(env, argv[0]);
  product = t_number(env, object->value * by);
  T_OK(napi_new_instance(env, constructor_of(env), 1, &product, &instance));
  return instance;
}

/* The reference that napi_wrap() gave finds the object again. */
static napi_value myself(napi_env env, napi_callback_info info) {
  napi_value value;
  struct my_object *object = self_of(env, info, NULL, NULL);
  if (!object) return NULL;
  T_OK(napi_get_reference_value(env, object->wrapper, &value));
  return value;
}

static napi_value create_object(napi_env env, napi_callback_info info) {
  napi_value argv[1], instance;
  t_args(env, info, argv, 1);
  T_OK(napi_new_instance(env, constructor_of(env), 1, argv, &instance));
  return instance;
}

/* Two wrapped objects as arguments. */
static napi_value add(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  void *first, *second;
  t_args(env, info, argv, 2);
  if (napi_unwrap(env, argv[0], &first) != napi_ok || napi_unwrap(env, argv[1], &second) != napi_ok) {
    napi_throw_type_error(env, NULL, "Two of MyObject are needed");
    return NULL;
  }
  return t_number(env, ((struct my_object *)first)->value + ((struct my_object *)second)->value);
}

/* Takes the native part out of an object: afterwards it is none of ours any more. */
static napi_value strip(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  void *native = NULL;
  t_args(env, info, argv, 1);
  napi_status status = napi_remove_wrap(env, argv[0], &native);
  napi_value result = t_result(env, status, native ? t_number(env, ((struct my_object *)native)->value) : NULL);
  if (native) napi_delete_reference(env, ((struct my_object *)native)->wrapper);
  free(native);
  return result;
}

static napi_value counts(napi_env env, napi_callback_info info) {
  struct addon_data *data = data_of(env);
  napi_value result = t_object(env);
  t_set(env, result, "constructed", t_number(env, data->constructed));
  t_set(env, result, "destroyed", t_number(env, data->destroyed));
  t_set(env, result, "calls", t_number(env, data->calls));
  return result;
}

static void define_my_object(napi_env env, napi_value exports) {
  napi_value constructor, pi = t_number(env, 3.14);
  const napi_property_descriptor properties[] = {
      {"value", NULL, NULL, get_value, set_value, NULL, napi_default, NULL},
      {"plusOne", NULL, plus_one, NULL, NULL, NULL, napi_default, NULL},
      {"multiply", NULL, multiply, NULL, NULL, NULL, napi_default_method, NULL},
      {"myself", NULL, NULL, myself, NULL, NULL, napi_enumerable, NULL},
      {"PI", NULL, NULL, NULL, NULL, pi, napi_static | napi_enumerable, NULL},
      {"create", NULL, create_object, NULL, NULL, NULL, napi_static | napi_writable, NULL},
  };
  T_OK(napi_define_class(env, "MyObject", NAPI_AUTO_LENGTH, construct, NULL, T_COUNT(properties), properties,
                         &constructor));
  T_OK(napi_create_reference(env, constructor, 1, &data_of(env)->constructor));
  t_set(env, exports, "MyObject", constructor);
}

/* ---- Birds and houses -------------------------------------------------------------------------------------------- */

static const napi_type_tag bird_tag = {0xa5a5a5a5a5a5a5a5, 0x5a5a5a5a5a5a5a5a};
static const napi_type_tag house_tag = {0x1234567890abcdef, 0xfedcba0987654321};
static int bird = 1, house = 2;

static napi_value make_tagged(napi_env env, const napi_type_tag *tag, int *native) {
  napi_value object = t_object(env);
  T_OK(napi_wrap(env, object, native, NULL, NULL, NULL));
  T_OK(napi_type_tag_object(env, object, tag));
  return object;
}

static napi_value make_bird(napi_env env, napi_callback_info info) {
  return make_tagged(env, &bird_tag, &bird);
}

static napi_value make_house(napi_env env, napi_callback_info info) {
  return make_tagged(env, &house_tag, &house);
}

/* (object): 'tweet', or a TypeError for what is no bird; nothing is unwrapped before that is sure. */
static napi_value tweet(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  bool is_bird = false;
  void *native;
  t_args(env, info, argv, 1);
  napi_status status = napi_check_object_type_tag(env, argv[0], &bird_tag, &is_bird);
  if (status == napi_ok && is_bird) {
    T_OK(napi_unwrap(env, argv[0], &native));
    return t_string(env, *(int *)native == bird ? "tweet" : "?");
  }
  bool pending;
  T_OK(napi_is_exception_pending(env, &pending));
  if (!pending) napi_throw_type_error(env, "ERR_NO_BIRD", "Only birds tweet");
  return NULL;
}

/* ---- Factories --------------------------------------------------------------------------------------------------- */

static napi_value my_function(napi_env env, napi_callback_info info) {
  return t_string(env, "hello world");
}

static napi_value create_function(napi_env env, napi_callback_info info) {
  napi_value function;
  T_OK(napi_create_function(env, "theFunction", NAPI_AUTO_LENGTH, my_function, NULL, &function));
  return function;
}

/* (msg): { msg } */
static napi_value object_factory(napi_env env, napi_callback_info info) {
  napi_value argv[1], object = t_object(env);
  t_args(env, info, argv, 1);
  T_OK(napi_set_named_property(env, object, "msg", argv[0]));
  return object;
}

/* The document's counterpart of Object.defineProperties(). */
static napi_value define_foo_bar(napi_env env, napi_callback_info info) {
  napi_value object = t_object(env), foo, bar;
  T_OK(napi_create_int32(env, 123, &foo));
  T_OK(napi_create_int32(env, 456, &bar));
  const napi_property_descriptor properties[] = {
      {"foo", NULL, NULL, NULL, NULL, foo, napi_writable | napi_configurable, NULL},
      {"bar", NULL, NULL, NULL, NULL, bar, napi_writable | napi_configurable, NULL},
      {"jsProperty", NULL, NULL, NULL, NULL, bar, napi_default_jsproperty, NULL},
  };
  T_OK(napi_define_properties(env, object, T_COUNT(properties), properties));
  return object;
}

NAPI_MODULE_INIT() {
  static const struct t_function functions[] = {
      {"createObject", create_object},
      {"add", add},
      {"strip", strip},
      {"counts", counts},
      {"makeBird", make_bird},
      {"makeHouse", make_house},
      {"tweet", tweet},
      {"createFunction", create_function},
      {"objectFactory", object_factory},
      {"defineFooBar", define_foo_bar},
  };
  struct addon_data *data = calloc(1, sizeof *data);
  if (!data) abort();
  T_OK(napi_set_instance_data(env, data, delete_data, NULL));
  define_my_object(env, exports);
  t_export(env, exports, functions, T_COUNT(functions));
  return exports;
}
