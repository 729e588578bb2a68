/*
 * Functions and classes: napi_create_function, napi_define_properties, napi_define_class.
 */
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "server/place.h"

/* The function was collected: neither side needs its callback any more. */
static void finalize_callback(napi_env napi, void *data, void *hint) {
  struct nr_callback *callback = data;
  (void)napi;
  (void)hint;
  nr_release(callback->connection, NR_RELEASED_CALLBACK, callback->id);
  nr_callback_free(callback);
}

napi_status nr_serve_napi_create_function(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__CreateFunctionRequest *request = message;
  Nr__ValueReply *reply = answer;
  const char *name;
  size_t length;
  napi_value result = NULL;
  NR_TAKE_BYTES(d, request->utf8name, &name, &length);
  struct nr_callback *callback = nr_callback_create(d->env, request->callback_id, false);
  if (callback == NULL) return napi_generic_failure;
  napi_status status = napi_create_function(d->napi, name, length, nr_trampoline, callback, &result);
  if (status == napi_ok) status = napi_add_finalizer(d->napi, result, callback, finalize_callback, NULL, NULL);
  if (status != napi_ok) {
    nr_callback_free(callback);
    return status;
  }
  return nr_give(d, request->result, result, &reply->result);
}

/*
 * A property's callbacks share one data pointer in Node-API, but three functions here need three: so one descriptor
 * with a getter and a setter has a record for both, and which one was meant is in its two trampolines.
 */
static napi_value forward(napi_env napi, napi_callback_info info, bool setter) {
  struct nr_accessor *accessor = NULL;
  if (napi_get_cb_info(napi, info, NULL, NULL, NULL, (void **)&accessor) != napi_ok) return NULL;
  return nr_callback_invoke(setter ? accessor->setter : accessor->getter, napi, info);
}

static napi_value get_trampoline(napi_env napi, napi_callback_info info) {
  return forward(napi, info, false);
}

static napi_value set_trampoline(napi_env napi, napi_callback_info info) {
  return forward(napi, info, true);
}

/* What the functions of one class, or of a list of properties, are defined with. */
struct definition {
  struct nr_definition *kept; /* NULL: outside of an Init */
  bool class;
};

static napi_status take_callback(struct nr_dispatch *d, const struct definition *definition, nr_id id, bool member,
                                 struct nr_callback **callback) {
  *callback = NULL;
  if (id == 0) return napi_ok;
  *callback = nr_definition_callback(definition->kept, d->env, id, member);
  return *callback == NULL ? napi_generic_failure : napi_ok;
}

/* The records of members live as long as the env: V8 keeps function templates for ever, and nobody is told when an
 * accessor dies. */
static napi_status take_members(struct nr_dispatch *d, const struct definition *definition,
                                const Nr__Property *property, bool member, napi_property_descriptor *out) {
  struct nr_callback *method;
  NR_TRY(take_callback(d, definition, property->method_id, member, &method));
  if (method != NULL) {
    out->method = nr_trampoline;
    out->data = method;
  }
  if (property->getter_id == 0 && property->setter_id == 0) return napi_ok;
  struct nr_accessor *accessor = nr_definition_accessor(definition->kept, d->env);
  if (accessor == NULL) return napi_generic_failure;
  NR_TRY(take_callback(d, definition, property->getter_id, member, &accessor->getter));
  NR_TRY(take_callback(d, definition, property->setter_id, member, &accessor->setter));
  if (accessor->getter != NULL) out->getter = get_trampoline;
  if (accessor->setter != NULL) out->setter = set_trampoline;
  out->data = accessor;
  return napi_ok;
}

/* V8 ends the process when a template gets a value that is an object. */
static bool fits_template(struct nr_dispatch *d, const Nr__Property *property, napi_value value) {
  napi_valuetype type = napi_object;
  if ((property->attributes & napi_static) != 0) return true;
  napi_typeof(d->napi, value, &type);
  return type != napi_object && type != napi_function && type != napi_external;
}

/* The real functions hand an empty value or name on to V8, which does not survive it. */
static napi_status take_property(struct nr_dispatch *d, const struct definition *definition,
                                 const Nr__Property *property, napi_property_descriptor *out) {
  bool class_member = definition->class;
  memset(out, 0, sizeof *out);
  NR_TAKE_CSTRING(d, property->utf8name, &out->utf8name);
  NR_TAKE(d, property->name, &out->name);
  NR_TAKE(d, property->value, &out->value);
  out->attributes = (napi_property_attributes)property->attributes;
  if (out->utf8name == NULL && out->name == NULL) return napi_name_expected;
  NR_TRY(take_members(d, definition, property, class_member && (property->attributes & napi_static) == 0, out));
  if (out->method != NULL || out->getter != NULL || out->setter != NULL) return napi_ok;
  return out->value == NULL || (class_member && !fits_template(d, property, out->value)) ? napi_invalid_arg : napi_ok;
}

static napi_status take_properties(struct nr_dispatch *d, const struct definition *definition,
                                   Nr__Property **properties, size_t count, napi_property_descriptor **result) {
  *result = nr_dispatch_alloc(d, count * sizeof **result + 1);
  if (*result == NULL) return napi_generic_failure;
  for (size_t i = 0; i < count; i++) NR_TRY(take_property(d, definition, properties[i], &(*result)[i]));
  return napi_ok;
}

napi_status nr_serve_napi_define_properties(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__DefinePropertiesRequest *request = message;
  napi_property_descriptor *properties;
  napi_value object;
  (void)answer;
  NR_TAKE(d, request->object, &object);
  /* Node converts the object first, then looks at the descriptors. */
  if (request->n_properties > 0 && object != NULL) NR_TRY(napi_define_properties(d->napi, object, 0, NULL));
  struct definition definition = {.kept = nr_definition_begin(d, NULL, request->properties, request->n_properties)};
  NR_TRY(take_properties(d, &definition, request->properties, request->n_properties, &properties));
  nr_definition_end(definition.kept, d->napi, NULL);
  return napi_define_properties(d->napi, object, request->n_properties, properties);
}

napi_status nr_serve_napi_define_class(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__DefineClassRequest *request = message;
  Nr__ValueReply *reply = answer;
  napi_property_descriptor *properties;
  struct nr_callback *constructor;
  const char *name;
  size_t length;
  napi_value result = NULL;
  NR_TAKE_BYTES(d, request->utf8name, &name, &length);
  struct definition definition = {.kept = nr_definition_begin(d, request, request->properties, request->n_properties),
                                  .class = true};
  NR_TRY(take_properties(d, &definition, request->properties, request->n_properties, &properties));
  NR_TRY(take_callback(d, &definition, request->constructor_id, true, &constructor));
  if (constructor == NULL) return napi_invalid_arg;
  result = nr_definition_class(definition.kept, d->napi);
  if (result != NULL) {
    nr_definition_end(definition.kept, d->napi, result);
    return nr_give(d, request->result, result, &reply->result);
  }
  napi_status status =
      napi_define_class(d->napi, name, length, nr_trampoline, constructor, request->n_properties, properties, &result);
  reply->result = NR_ABSENT;
  if (status == napi_ok) nr_definition_end(definition.kept, d->napi, result);
  /* The class is there also when one of its static properties failed. */
  napi_status given = nr_give(d, request->result, result, &reply->result);
  return status == napi_ok ? given : status;
}
