/* Addresses of Buffers that are fetched once, and used from then on. */
#include "common.h"

#define PLACES 1024

static struct {
  uint8_t *bytes;
  size_t length;
  napi_ref held;
} kept[PLACES];

/* (place, view) */
static napi_value keep(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  uint32_t place = t_uint(env, argv[0]) % PLACES;
  T_OK(napi_get_buffer_info(env, argv[1], (void **)&kept[place].bytes, &kept[place].length));
  return NULL;
}

/* (place, view): the same with a reference, as for a work that is under way. */
static napi_value hold(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  T_OK(napi_create_reference(env, argv[1], 1, &kept[t_uint(env, argv[0]) % PLACES].held));
  return keep(env, info);
}

/* (place, offset, value): writes, as the work does, and is done with it. */
static napi_value let_go(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  uint32_t place = t_uint(env, argv[0]) % PLACES;
  kept[place].bytes[t_uint(env, argv[1]) % kept[place].length] = (uint8_t)t_uint(env, argv[2]);
  T_OK(napi_delete_reference(env, kept[place].held));
  kept[place].bytes[(t_uint(env, argv[1]) + 1) % kept[place].length] = (uint8_t)t_uint(env, argv[2]);
  return NULL;
}

struct adding {
  napi_async_work work;
  uint32_t place, value;
};

static void execute_nothing(napi_env env, void *data) {
}

static void add_now(napi_env env, napi_status status, void *data) {
  struct adding *adding = data;
  kept[adding->place].bytes[0] += (uint8_t)adding->value;
  T_OK(napi_delete_async_work(env, adding->work));
  free(adding);
}

/* (place, value): what the completion of a work adds to the first byte. */
static napi_value add_later(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  struct adding *adding = calloc(1, sizeof *adding);
  t_args(env, info, argv, 2);
  if (adding == NULL) abort();
  adding->place = t_uint(env, argv[0]) % PLACES;
  adding->value = t_uint(env, argv[1]);
  T_OK(napi_create_async_work(env, NULL, t_string(env, "adding"), execute_nothing, add_now, adding, &adding->work));
  T_OK(napi_queue_async_work(env, adding->work));
  return NULL;
}

/* (view): a work that is over at once. */
static napi_value pass(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  napi_ref reference;
  void *bytes;
  t_args(env, info, argv, 1);
  T_OK(napi_get_buffer_info(env, argv[0], &bytes, NULL));
  T_OK(napi_create_reference(env, argv[0], 1, &reference));
  T_OK(napi_delete_reference(env, reference));
  return NULL;
}

/* (place, offset, value) */
static napi_value poke(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  uint32_t place = t_uint(env, argv[0]) % PLACES;
  kept[place].bytes[t_uint(env, argv[1]) % kept[place].length] = (uint8_t)t_uint(env, argv[2]);
  return NULL;
}

static napi_value sum_of(napi_env env, uint32_t place) {
  double sum = 0;
  for (size_t i = 0; i < kept[place].length; i++) sum += kept[place].bytes[i] * (double)(i % 1009 + 1);
  return t_number(env, sum);
}

/* (place): a sum that every byte changes. */
static napi_value sum(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return sum_of(env, t_uint(env, argv[0]) % PLACES);
}

/* (place, offset, value, function): writes, calls, and sums up. */
static napi_value around(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  t_args(env, info, argv, 4);
  uint32_t place = t_uint(env, argv[0]) % PLACES;
  kept[place].bytes[t_uint(env, argv[1]) % kept[place].length] = (uint8_t)t_uint(env, argv[2]);
  T_OK(napi_call_function(env, t_undefined(env), argv[3], 0, NULL, NULL));
  return sum_of(env, place);
}

/* (place, view, times, function): asks for the view, then calls, and sums up what is kept, so often. */
static napi_value between(napi_env env, napi_callback_info info) {
  napi_value argv[4], sums;
  void *bytes;
  t_args(env, info, argv, 4);
  T_OK(napi_get_buffer_info(env, argv[1], &bytes, NULL));
  T_OK(napi_create_array(env, &sums));
  for (uint32_t i = 0; i < t_uint(env, argv[2]); i++) {
    T_OK(napi_call_function(env, t_undefined(env), argv[3], 0, NULL, NULL));
    T_OK(napi_set_element(env, sums, i, sum_of(env, t_uint(env, argv[0]) % PLACES)));
  }
  return sums;
}

/* (view): reads all of it, as fast as memory is. */
static napi_value read_all(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  uint8_t *bytes;
  size_t length, i = 0;
  uint64_t all = 0, word;
  t_args(env, info, argv, 1);
  T_OK(napi_get_buffer_info(env, argv[0], (void **)&bytes, &length));
  for (; i + sizeof word <= length; i += sizeof word) {
    memcpy(&word, bytes + i, sizeof word);
    all += word;
  }
  for (; i < length; i++) all += bytes[i];
  return t_number(env, (double)(all % 1000003));
}

static napi_value noop(napi_env env, napi_callback_info info) {
  return NULL;
}

/* (place, view): is that still its address? */
static napi_value is_there(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  void *bytes;
  t_args(env, info, argv, 2);
  T_OK(napi_get_buffer_info(env, argv[1], &bytes, NULL));
  return t_boolean(env, bytes == kept[t_uint(env, argv[0]) % PLACES].bytes);
}

static void free_bytes(napi_env env, void *data, void *hint) {
  free(data);
}

/* (place, length): an external Buffer, kept as well. */
static napi_value create(napi_env env, napi_callback_info info) {
  napi_value argv[2], buffer;
  t_args(env, info, argv, 2);
  uint32_t place = t_uint(env, argv[0]) % PLACES;
  kept[place].length = t_uint(env, argv[1]);
  kept[place].bytes = calloc(1, kept[place].length);
  T_OK(napi_create_external_buffer(env, kept[place].length, kept[place].bytes, free_bytes, NULL, &buffer));
  return buffer;
}

/* Calls that run JavaScript when the object has accessors, or is a proxy. */
static napi_value might_run(napi_env env, const char *way, napi_value object) {
  napi_value key, result = NULL;
  bool is;
  T_OK(napi_create_string_utf8(env, "met", NAPI_AUTO_LENGTH, &key));
  if (strcmp(way, "get") == 0) T_OK(napi_get_property(env, object, key, &result));
  if (strcmp(way, "get named") == 0) T_OK(napi_get_named_property(env, object, "met", &result));
  if (strcmp(way, "get element") == 0) T_OK(napi_get_element(env, object, 0, &result));
  if (strcmp(way, "set") == 0) T_OK(napi_set_property(env, object, key, key));
  if (strcmp(way, "set named") == 0) T_OK(napi_set_named_property(env, object, "met", key));
  if (strcmp(way, "has") == 0) T_OK(napi_has_property(env, object, key, &is));
  if (strcmp(way, "delete") == 0) T_OK(napi_delete_property(env, object, key, &is));
  if (strcmp(way, "names") == 0) T_OK(napi_get_property_names(env, object, &result));
  if (strcmp(way, "to string") == 0) T_OK(napi_coerce_to_string(env, object, &result));
  return result;
}

/* argv: (place, at, times, way, object). */
static napi_value meet_often(napi_env env, const napi_value *argv) {
  uint8_t *byte = kept[t_uint(env, argv[0]) % PLACES].bytes + t_uint(env, argv[1]);
  char *way = t_text(env, argv[3]);
  napi_value seen;
  T_OK(napi_create_array(env, &seen));
  for (uint32_t i = 0; i < t_uint(env, argv[2]); i++) {
    ++*byte;
    might_run(env, way, argv[4]);
    T_OK(napi_set_element(env, seen, i, t_number(env, *byte)));
  }
  free(way);
  return seen;
}

/* (place, at, times, way, object): each time it adds one to the byte, then runs JavaScript perhaps. The bytes then. */
static napi_value meet(napi_env env, napi_callback_info info) {
  napi_value argv[5];
  t_args(env, info, argv, 5);
  return meet_often(env, argv);
}

/* (place, at, times, way, object, view): the same in that, which is kept from now on. */
static napi_value keep_and_meet(napi_env env, napi_callback_info info) {
  napi_value argv[6];
  t_args(env, info, argv, 6);
  uint32_t place = t_uint(env, argv[0]) % PLACES;
  T_OK(napi_get_buffer_info(env, argv[5], (void **)&kept[place].bytes, &kept[place].length));
  return meet_often(env, argv);
}

static const struct t_function functions[] = {
    {"keep", keep},        {"hold", hold}, {"letGo", let_go},  {"addLater", add_later}, {"pass", pass},
    {"poke", poke},        {"sum", sum},   {"around", around}, {"between", between},    {"isThere", is_there},
    {"readAll", read_all}, {"noop", noop}, {"create", create}, {"meet", meet},          {"keepAndMeet", keep_and_meet},
};
T_INIT(functions)
