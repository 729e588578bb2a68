/*
 * What goes into a call in arrays: arguments, names and values, descriptors of properties.
 */
#include "random.h"

#include <string.h>

static void take_values(struct rd_call *call, napi_value *values, size_t count) {
  rd_print("{");
  call->first = true;
  for (size_t i = 0; i < count; i++) {
    int32_t which = rd_word(call);
    rd_separate(call);
    /* NULL in an array is followed. */
    values[i] = rd_find(call, which < 0 ? 0 : which);
  }
  rd_print("}");
  call->first = false;
}

const napi_value *rd_values(struct rd_call *call, size_t *count) {
  int32_t size = rd_word(call), present = rd_word(call);
  *count = (size_t)size % (RD_ARGUMENT_COUNT + 1);
  rd_separate(call);
  rd_print("%zu, ", *count);
  if (present != 0) {
    take_values(call, call->arguments, *count);
    return call->arguments;
  }
  rd_print("NULL");
  return NULL;
}

const napi_value *rd_pairs(struct rd_call *call, const napi_value **values, size_t *count) {
  int32_t size = rd_word(call), present = rd_word(call);
  *count = (size_t)size % (RD_ARGUMENT_COUNT + 1);
  rd_separate(call);
  *values = NULL;
  if (present == 0) {
    rd_print("NULL, NULL, %zu", *count);
    return NULL;
  }
  take_values(call, call->arguments, *count);
  rd_print(", ");
  take_values(call, call->more, *count);
  rd_print(", %zu", *count);
  *values = call->more;
  return call->arguments;
}

/* A class keeps values of its instances in a template, which ends the process for objects. */
static bool is_primitive(struct rd_call *call, napi_value value) {
  napi_valuetype type = rd_type_of(call, value);
  return type != napi_object && type != napi_function && type != napi_external;
}

static napi_value name_of(struct rd_call *call, const napi_property_descriptor *property) {
  napi_value name = property->name;
  if (property->utf8name != NULL) napi_create_string_utf8(call->env, property->utf8name, NAPI_AUTO_LENGTH, &name);
  return name;
}

/* Which of two members of the same name an instance has depends on the names' hashes. */
static bool has_twice(struct rd_call *call, size_t count) {
  for (size_t i = 0; i < count; i++) {
    for (size_t j = i + 1; j < count; j++) {
      bool same = false;
      napi_strict_equals(call->env, name_of(call, &call->properties[i]), name_of(call, &call->properties[j]), &same);
      if (same) return true;
    }
  }
  return false;
}

static void take_descriptor(struct rd_call *call, napi_property_descriptor *property, bool of_class) {
  int32_t text = rd_word(call);
  *property = (napi_property_descriptor){0};
  call->first = true;
  rd_print("{");
  if (text >= 0) {
    property->utf8name = rd_texts[text].text;
    rd_print_bytes(property->utf8name, strlen(property->utf8name));
    rd_word(call);
  } else {
    int32_t name = rd_word(call); /* without either the empty name would be followed */
    property->name = rd_find(call, name < 0 ? 0 : name);
  }
  call->first = false;
  property->method = rd_callback(call);
  property->getter = rd_callback(call);
  property->setter = rd_callback(call);
  int32_t value = rd_word(call);
  rd_separate(call);
  bool wanted = property->method == NULL && property->getter == NULL && property->setter == NULL;
  if (value < 0 && !wanted) {
    rd_print("NULL");
  } else {
    property->value = rd_find(call, value < 0 ? 0 : value);
  }
  property->attributes = (napi_property_attributes)rd_word(call);
  rd_print(", %#x", (unsigned)property->attributes);
  property->data = rd_data(call);
  rd_print("}");
  bool of_instances = of_class && (property->attributes & napi_static) == 0;
  if (wanted && of_instances && !is_primitive(call, property->value)) call->skip = true;
}

const napi_property_descriptor *rd_descriptors(struct rd_call *call, size_t *count, bool of_class) {
  int32_t size = rd_word(call), present = rd_word(call);
  *count = (size_t)size % (RD_PROPERTIES + 1);
  rd_separate(call);
  rd_print("%zu, ", *count);
  if (present == 0) {
    rd_print("NULL");
    return NULL;
  }
  rd_print("{");
  for (size_t i = 0; i < *count; i++) take_descriptor(call, &call->properties[i], of_class);
  rd_print("}");
  if (of_class && !call->skip && has_twice(call, *count)) call->skip = true;
  return call->properties;
}
