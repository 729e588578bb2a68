/*
 * Properties: a few of each object, in the order in which they were set.
 */
#include "fake_napi.h"

static struct fake_property *find(struct fake_value *object, const struct fake_value *key) {
  for (size_t i = 0; i < object->property_count; i++) {
    if (fake_equal(object->properties[i].key, key)) return &object->properties[i];
  }
  return NULL;
}

static void set(struct fake_value *object, struct fake_value *key, struct fake_value *value, bool getter) {
  struct fake_property *property = find(object, key);
  if (property == NULL && object->property_count == FAKE_PROPERTIES) return;
  if (property == NULL) property = &object->properties[object->property_count++];
  *property = (struct fake_property){key, value, getter};
}

static napi_status get(napi_env env, napi_value object, struct fake_value *key, napi_value *result) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(object);
  FAKE_CHECK(result);
  if (object->value->kind <= FAKE_NULL) return napi_object_expected;
  struct fake_property *property = find(object->value, key);
  if (property == NULL) return napi_get_undefined(env, result);
  struct fake_value *value = property->value;
  if (property->getter) value = fake_call(env, value, object->value, 0, NULL, NULL);
  if (value == NULL) return napi_pending_exception;
  FAKE_GIVE(result, value);
}

static napi_status set_in(napi_env env, napi_value object, struct fake_value *key, napi_value value) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(object);
  FAKE_CHECK(value);
  if (object->value->kind <= FAKE_NULL) return napi_object_expected;
  set(object->value, key, value->value, false);
  return napi_ok;
}

static napi_status has(napi_env env, napi_value object, struct fake_value *key, bool *result) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(object);
  FAKE_CHECK(result);
  if (object->value->kind <= FAKE_NULL) return napi_object_expected;
  *result = find(object->value, key) != NULL;
  return napi_ok;
}

static napi_status delete (napi_env env, napi_value object, struct fake_value *key, bool *result) {
  bool found = false;
  napi_status status = has(env, object, key, &found);
  if (found) *find(object->value, key) = object->value->properties[--object->value->property_count];
  if (result != NULL) *result = true;
  return status;
}

static struct fake_value *index_key(uint32_t index) {
  struct fake_value *key = fake_make(FAKE_NUMBER);
  key->number = index;
  return key;
}

napi_status napi_get_property(napi_env env, napi_value object, napi_value key, napi_value *result) {
  FAKE_CHECK(key);
  return get(env, object, key->value, result);
}
napi_status napi_get_named_property(napi_env env, napi_value object, const char *name, napi_value *result) {
  FAKE_CHECK(name);
  return get(env, object, fake_text(name), result);
}
napi_status napi_get_element(napi_env env, napi_value object, uint32_t index, napi_value *result) {
  return get(env, object, index_key(index), result);
}
napi_status napi_get_prototype(napi_env env, napi_value object, napi_value *result) {
  FAKE_GIVE(result, fake_make(FAKE_OBJECT));
}
napi_status napi_set_property(napi_env env, napi_value object, napi_value key, napi_value value) {
  FAKE_CHECK(key);
  return set_in(env, object, key->value, value);
}
napi_status napi_set_named_property(napi_env env, napi_value object, const char *name, napi_value value) {
  FAKE_CHECK(name);
  return set_in(env, object, fake_text(name), value);
}
napi_status napi_set_element(napi_env env, napi_value object, uint32_t index, napi_value value) {
  return set_in(env, object, index_key(index), value);
}
napi_status node_api_set_prototype(napi_env env, napi_value object, napi_value value) {
  FAKE_CHECK(object);
  FAKE_CHECK(value);
  if (object->value->kind == FAKE_EXTERNAL || value->value->kind == FAKE_EXTERNAL) abort();
  return napi_ok;
}
napi_status napi_has_property(napi_env env, napi_value object, napi_value key, bool *result) {
  FAKE_CHECK(key);
  return has(env, object, key->value, result);
}
napi_status napi_has_own_property(napi_env env, napi_value object, napi_value key, bool *result) {
  FAKE_CHECK(key);
  return has(env, object, key->value, result);
}
napi_status napi_has_named_property(napi_env env, napi_value object, const char *name, bool *result) {
  FAKE_CHECK(name);
  return has(env, object, fake_text(name), result);
}
napi_status napi_has_element(napi_env env, napi_value object, uint32_t index, bool *result) {
  return has(env, object, index_key(index), result);
}
napi_status napi_delete_property(napi_env env, napi_value object, napi_value key, bool *result) {
  FAKE_CHECK(key);
  return delete (env, object, key->value, result);
}
napi_status napi_delete_element(napi_env env, napi_value object, uint32_t index, bool *result) {
  return delete (env, object, index_key(index), result);
}
napi_status napi_get_property_names(napi_env env, napi_value object, napi_value *result) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(object);
  FAKE_GIVE(result, fake_make(FAKE_ARRAY));
}
napi_status napi_get_all_property_names(napi_env env, napi_value object, napi_key_collection_mode mode,
                                        napi_key_filter filter, napi_key_conversion conversion, napi_value *result) {
  return napi_get_property_names(env, object, result);
}

static void define(napi_env env, struct fake_value *object, const napi_property_descriptor *property) {
  struct fake_value *key = property->utf8name == NULL ? property->name->value : fake_text(property->utf8name);
  napi_callback call = property->getter != NULL ? property->getter : property->method;
  struct fake_value *value = NULL;
  if (call != NULL) {
    value = fake_make(FAKE_FUNCTION);
    value->env = env;
    value->call = call;
    value->data = property->data;
  } else if (property->value != NULL) {
    value = property->value->value;
  }
  if (value != NULL) set(object, key, value, property->getter != NULL);
}

napi_status napi_define_properties(napi_env env, napi_value object, size_t count,
                                   const napi_property_descriptor *properties) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(object);
  if (!fake_is_object(object->value)) return napi_object_expected;
  for (size_t i = 0; i < count; i++) {
    if (properties[i].utf8name == NULL && properties[i].name == NULL) return napi_name_expected;
    define(env, object->value, &properties[i]);
  }
  return napi_ok;
}

napi_status node_api_create_object_with_properties(napi_env env, napi_value prototype, const napi_value *names,
                                                   const napi_value *list, size_t count, napi_value *result) {
  struct fake_value *object = fake_make(FAKE_OBJECT);
  for (size_t i = 0; i < count; i++) set(object, names[i]->value, list[i]->value, false);
  FAKE_GIVE(result, object);
}
