/* Buffers, ArrayBuffers, typed arrays, DataViews: who sees whose bytes, and when. */
#include "common.h"

static void fill_bytes(void *data, size_t length, uint32_t seed) {
  for (size_t i = 0; i < length; i++) ((unsigned char *)data)[i] = (unsigned char)(seed + i * 7);
}

/* (length, seed): written right after it was made. */
static napi_value create_buffer(napi_env env, napi_callback_info info) {
  napi_value argv[2], result = NULL;
  void *data = NULL;
  t_args(env, info, argv, 2);
  size_t length = t_uint(env, argv[0]);
  napi_status status = napi_create_buffer(env, length, &data, &result);
  if (status == napi_ok) fill_bytes(data, length, t_uint(env, argv[1]));
  return t_result(env, status, result);
}

/* (length, seed, late): with `late`, the copy is changed through the address that came back. */
static napi_value copy_buffer(napi_env env, napi_callback_info info) {
  napi_value argv[3], result = NULL;
  void *data = NULL;
  t_args(env, info, argv, 3);
  size_t length = t_uint(env, argv[0]);
  unsigned char *source = malloc(length + 1);
  if (!source) abort();
  fill_bytes(source, length, t_uint(env, argv[1]));
  bool late = t_bool(env, argv[2]);
  napi_status status = napi_create_buffer_copy(env, length, source, late ? &data : NULL, &result);
  memset(source, 0xee, length);
  free(source);
  if (status == napi_ok && late && length > 0) ((unsigned char *)data)[length - 1] = 0xdd;
  return t_result(env, status, result);
}

static napi_value buffer_info(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  void *data = NULL;
  size_t length = 12345;
  t_args(env, info, argv, 1);
  napi_status status = napi_get_buffer_info(env, argv[0], &data, &length);
  napi_value result = t_result(env, status, NULL);
  t_set(env, result, "length", t_number(env, (double)length));
  if (status == napi_ok) t_set(env, result, "bytes", t_bytes(env, data, length));
  return result;
}

/* Each of the two is optional. */
static napi_value info_halves(napi_env env, napi_value value) {
  void *data = NULL;
  size_t length = 12345;
  napi_status first = napi_get_buffer_info(env, value, NULL, &length);
  napi_status second = napi_get_buffer_info(env, value, &data, NULL);
  napi_value result = t_result(env, second, t_number(env, (double)length));
  t_set(env, result, "first", t_string(env, t_status_name(first)));
  t_set(env, result, "bytes", t_bytes(env, data, length));
  return result;
}

static napi_value buffer_info_halves(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return info_halves(env, argv[0]);
}

/* Of a Buffer that nothing is known of, since it is no argument. */
static napi_value inner_info_halves(napi_env env, napi_callback_info info) {
  napi_value argv[1], inner;
  t_args(env, info, argv, 1);
  T_OK(napi_get_element(env, argv[0], 0, &inner));
  return info_halves(env, inner);
}

/* Does asking twice give the same address? */
static napi_value stable(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  void *a, *b;
  size_t length;
  t_args(env, info, argv, 1);
  T_OK(napi_get_buffer_info(env, argv[0], &a, &length));
  T_OK(napi_get_buffer_info(env, argv[0], &b, &length));
  return t_boolean(env, a == b);
}

/* Two views: how far apart their bytes are in native memory. */
static napi_value distance(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  void *a, *b;
  size_t length;
  t_args(env, info, argv, 2);
  T_OK(napi_get_typedarray_info(env, argv[0], NULL, &length, &a, NULL, NULL));
  T_OK(napi_get_typedarray_info(env, argv[1], NULL, &length, &b, NULL, NULL));
  return t_number(env, (double)((char *)b - (char *)a));
}

/* (buffer, value): writes back what JavaScript then sees. */
static napi_value fill(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  void *data;
  size_t length;
  t_args(env, info, argv, 2);
  T_OK(napi_get_buffer_info(env, argv[0], &data, &length));
  memset(data, (int)t_uint(env, argv[1]), length);
  return NULL;
}

static double sum_bytes(const void *data, size_t length) {
  double result = 0;
  for (size_t i = 0; i < length; i++) result += ((const unsigned char *)data)[i];
  return result;
}

static napi_value sum(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  void *data;
  size_t length;
  t_args(env, info, argv, 1);
  T_OK(napi_get_buffer_info(env, argv[0], &data, &length));
  return t_number(env, sum_bytes(data, length));
}

/* (a, b): xor of b into a, which may be the same or overlapping memory. */
static napi_value exclusive_or(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  void *a, *b;
  size_t a_length, b_length;
  t_args(env, info, argv, 2);
  T_OK(napi_get_buffer_info(env, argv[0], &a, &a_length));
  T_OK(napi_get_buffer_info(env, argv[1], &b, &b_length));
  for (size_t i = 0; i < a_length && i < b_length; i++) ((unsigned char *)a)[i] ^= ((unsigned char *)b)[i];
  return NULL;
}

/* (buffer, function): writes, lets JavaScript look and write, and looks again: [sum before, its result, sum after]. */
static napi_value around_call(napi_env env, napi_callback_info info) {
  napi_value argv[2], result = t_array(env), returned;
  void *data;
  size_t length;
  t_args(env, info, argv, 2);
  T_OK(napi_get_buffer_info(env, argv[0], &data, &length));
  T_OK(napi_set_element(env, result, 0, t_number(env, sum_bytes(data, length))));
  if (length > 0) ((unsigned char *)data)[0] = 201;
  if (napi_call_function(env, t_undefined(env), argv[1], 1, argv, &returned) != napi_ok) return NULL;
  T_OK(napi_set_element(env, result, 1, returned));
  T_OK(napi_set_element(env, result, 2, t_number(env, sum_bytes(data, length))));
  return result;
}

/* (function): a Buffer made here, changed before and after JavaScript saw it. */
static napi_value own_around_call(napi_env env, napi_callback_info info) {
  napi_value argv[1], buffer, returned;
  void *data;
  t_args(env, info, argv, 1);
  T_OK(napi_create_buffer(env, 100, &data, &buffer));
  fill_bytes(data, 100, 3);
  if (napi_call_function(env, t_undefined(env), argv[0], 1, &buffer, &returned) != napi_ok) return NULL;
  for (size_t i = 0; i < 100; i++) ((unsigned char *)data)[i]++;
  return buffer;
}

/* (length, seed) */
static napi_value create_arraybuffer(napi_env env, napi_callback_info info) {
  napi_value argv[2], result = NULL;
  void *data = NULL;
  t_args(env, info, argv, 2);
  size_t length = t_uint(env, argv[0]);
  napi_status status = napi_create_arraybuffer(env, length, &data, &result);
  if (status == napi_ok) fill_bytes(data, length, t_uint(env, argv[1]));
  return t_result(env, status, result);
}

static napi_value arraybuffer_info(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  void *data = NULL;
  size_t length = 12345;
  t_args(env, info, argv, 1);
  napi_status status = napi_get_arraybuffer_info(env, argv[0], &data, &length);
  napi_value result = t_result(env, status, NULL);
  t_set(env, result, "length", t_number(env, (double)length));
  if (status == napi_ok) t_set(env, result, "bytes", t_bytes(env, data, length));
  return result;
}

/* (type, length, arraybuffer, offset) */
static napi_value create_typedarray(napi_env env, napi_callback_info info) {
  napi_value argv[4], result = NULL;
  t_args(env, info, argv, 4);
  napi_status status =
      napi_create_typedarray(env, (napi_typedarray_type)t_uint(env, argv[0]), (size_t)t_double(env, argv[1]), argv[2],
                             (size_t)t_double(env, argv[3]), &result);
  return t_result(env, status, result);
}

static napi_value typedarray_info(napi_env env, napi_callback_info info) {
  static const size_t widths[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 2};
  napi_value argv[1], arraybuffer = NULL;
  void *data = NULL;
  size_t length = 12345, offset = 12345;
  napi_typedarray_type type = (napi_typedarray_type)99;
  t_args(env, info, argv, 1);
  napi_status status = napi_get_typedarray_info(env, argv[0], &type, &length, &data, &arraybuffer, &offset);
  napi_value result = t_result(env, status, NULL);
  t_set(env, result, "type", t_number(env, type));
  t_set(env, result, "length", t_number(env, (double)length));
  t_set(env, result, "offset", t_number(env, (double)offset));
  if (arraybuffer) t_set(env, result, "arraybuffer", arraybuffer);
  if (status == napi_ok && (size_t)type < T_COUNT(widths))
    t_set(env, result, "bytes", t_bytes(env, data, length * widths[type]));
  return result;
}

/* (length, arraybuffer, offset) */
static napi_value create_dataview(napi_env env, napi_callback_info info) {
  napi_value argv[3], result = NULL;
  t_args(env, info, argv, 3);
  napi_status status =
      napi_create_dataview(env, (size_t)t_double(env, argv[0]), argv[1], (size_t)t_double(env, argv[2]), &result);
  return t_result(env, status, result);
}

static napi_value dataview_info(napi_env env, napi_callback_info info) {
  napi_value argv[1], arraybuffer = NULL;
  void *data = NULL;
  size_t length = 12345, offset = 12345;
  t_args(env, info, argv, 1);
  napi_status status = napi_get_dataview_info(env, argv[0], &length, &data, &arraybuffer, &offset);
  napi_value result = t_result(env, status, NULL);
  t_set(env, result, "length", t_number(env, (double)length));
  t_set(env, result, "offset", t_number(env, (double)offset));
  if (arraybuffer) t_set(env, result, "arraybuffer", arraybuffer);
  if (status == napi_ok) t_set(env, result, "bytes", t_bytes(env, data, length));
  return result;
}

/* Every out pointer of the info functions is optional. */
static napi_value info_without_results(napi_env env, napi_callback_info info) {
  napi_value argv[3], result = t_array(env);
  t_args(env, info, argv, 3);
  napi_status statuses[] = {
      napi_get_typedarray_info(env, argv[0], NULL, NULL, NULL, NULL, NULL),
      napi_get_dataview_info(env, argv[1], NULL, NULL, NULL, NULL),
      napi_get_arraybuffer_info(env, argv[2], NULL, NULL),
      napi_get_buffer_info(env, argv[0], NULL, NULL),
  };
  for (uint32_t i = 0; i < T_COUNT(statuses); i++)
    T_OK(napi_set_element(env, result, i, t_string(env, t_status_name(statuses[i]))));
  return result;
}

/* What a value is, by all predicates. */
static napi_value what(napi_env env, napi_callback_info info) {
  static napi_status (*const predicates[])(napi_env, napi_value, bool *) = {
      napi_is_buffer, napi_is_arraybuffer, napi_is_typedarray, napi_is_dataview, napi_is_detached_arraybuffer};
  napi_value argv[1], result = t_array(env);
  t_args(env, info, argv, 1);
  for (uint32_t i = 0; i < T_COUNT(predicates); i++) {
    bool truth = false;
    napi_status status = predicates[i](env, argv[0], &truth);
    T_OK(napi_set_element(env, result, i, t_result(env, status, t_boolean(env, truth))));
  }
  return result;
}

static napi_value detach(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return t_result(env, napi_detach_arraybuffer(env, argv[0]), NULL);
}

/* Writes the elements 0, 1, 2... as doubles through a Float64Array that was made here over the ArrayBuffer passed. */
static napi_value write_doubles(napi_env env, napi_callback_info info) {
  napi_value argv[2], array;
  void *data;
  size_t length;
  t_args(env, info, argv, 2);
  T_OK(napi_create_typedarray(env, napi_float64_array, t_uint(env, argv[1]), argv[0], 8, &array));
  T_OK(napi_get_typedarray_info(env, array, NULL, &length, &data, NULL, NULL));
  for (size_t i = 0; i < length; i++) ((double *)data)[i] = (double)i;
  return array;
}

static unsigned char *kept;
static size_t kept_length;
static napi_ref kept_reference;

/* Remembers the address, with a strong reference, as addons do that work on a Buffer over many calls. */
static napi_value keep(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  void *data;
  t_args(env, info, argv, 1);
  T_OK(napi_get_buffer_info(env, argv[0], &data, &kept_length));
  T_OK(napi_create_reference(env, argv[0], 1, &kept_reference));
  kept = data;
  return NULL;
}

static napi_value read_kept(napi_env env, napi_callback_info info) {
  return t_bytes(env, kept, kept_length);
}

static napi_value write_kept(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  memset(kept, (int)t_uint(env, argv[0]), kept_length);
  return NULL;
}

static napi_value release_kept(napi_env env, napi_callback_info info) {
  T_OK(napi_delete_reference(env, kept_reference));
  kept = NULL;
  return NULL;
}

/* (count, filled, callback): a list of Buffers and ArrayBuffers that native code fills as it makes them, or all of them
 * afterwards, given to the callback in the same entry; twice, with other bytes. Returns what the callback has written
 * into them. */
static napi_value give_many(napi_env env, napi_callback_info info) {
  napi_value argv[3], list, item, result;
  t_args(env, info, argv, 3);
  uint32_t count = t_uint(env, argv[0]), sum = 0;
  bool filled = t_bool(env, argv[1]);
  void **data = calloc(count, sizeof *data);
  if (!data) abort();
  T_OK(napi_create_array(env, &list));
  for (uint32_t i = 0; i < count; i++) {
    T_OK(i % 2 == 0 ? napi_create_buffer(env, 20, &data[i], &item) : napi_create_arraybuffer(env, 20, &data[i], &item));
    if (filled) fill_bytes(data[i], 20, i);
    T_OK(napi_set_element(env, list, i, item));
  }
  for (uint32_t round = 0; round < 2; round++) {
    for (uint32_t i = 0; i < count && (!filled || round > 0); i++) fill_bytes(data[i], 20, i + round);
    T_OK(napi_call_function(env, list, argv[2], 1, &list, &result));
    for (uint32_t i = 0; i < count; i++) sum = sum * 31 + ((unsigned char *)data[i])[3];
  }
  free(data);
  return t_number(env, sum);
}

static void free_data(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  free(data);
}

/* One of four sorts. */
static napi_value make_some(napi_env env, uint32_t sort, void **data) {
  static const char zeros[24];
  napi_value value, memory;
  if (sort == 0) {
    T_OK(napi_create_buffer(env, sizeof zeros, data, &value));
  } else if (sort == 1) {
    *data = calloc(1, sizeof zeros);
    T_OK(napi_create_external_buffer(env, sizeof zeros, *data, free_data, NULL, &value));
  } else if (sort == 2) {
    T_OK(napi_create_arraybuffer(env, sizeof zeros, data, &memory));
    T_OK(napi_create_typedarray(env, napi_uint8_array, sizeof zeros, memory, 0, &value));
  } else {
    T_OK(napi_create_buffer_copy(env, sizeof zeros, zeros, data, &value));
  }
  return value;
}

/* (count, callback): native code makes a list of Buffers, and then calls back for each of them, which it fills right
 * before: with it, the list and its index. Returns what the callbacks have written into that one, and into one before
 * it. */
static napi_value call_for_each(napi_env env, napi_callback_info info) {
  napi_value argv[2], args[3], list, result;
  t_args(env, info, argv, 2);
  uint32_t count = t_uint(env, argv[0]), sum = 0;
  void **data = calloc(count, sizeof *data);
  if (!data) abort();
  T_OK(napi_create_array(env, &list));
  for (uint32_t i = 0; i < count; i++) T_OK(napi_set_element(env, list, i, make_some(env, i % 4, &data[i])));
  for (uint32_t i = 0; i < count; i++) {
    fill_bytes(data[i], 24, i);
    args[0] = t_at(env, list, i);
    args[1] = list;
    args[2] = t_number(env, i);
    T_OK(napi_call_function(env, list, argv[1], T_COUNT(args), args, &result));
    sum = sum * 31 + ((unsigned char *)data[i])[5] + ((unsigned char *)data[i < 10 ? 0 : i - 10])[6];
  }
  free(data);
  return t_number(env, sum);
}

/* (count): a list of views of memory of native code's, as those who return many results make it: the next one is put in
 * when the one before is there, and is looked at. */
static napi_value list_views(napi_env env, napi_callback_info info) {
  napi_value argv[1], list, memory, view;
  t_args(env, info, argv, 1);
  uint32_t count = t_uint(env, argv[0]);
  T_OK(napi_create_array_with_length(env, count, &list));
  for (uint32_t i = 0; i < count; i++) {
    void *data = NULL, *seen = NULL;
    T_OK(napi_create_arraybuffer(env, 16, &data, &memory));
    fill_bytes(data, 16, i);
    T_OK(i % 2 == 0 ? napi_create_typedarray(env, napi_uint16_array, 5, memory, 2, &view)
                    : napi_create_dataview(env, 5, memory, 3, &view));
    T_OK(i % 2 == 0 ? napi_get_typedarray_info(env, view, NULL, NULL, &seen, NULL, NULL)
                    : napi_get_dataview_info(env, view, NULL, &seen, NULL, NULL));
    if (seen != (char *)data + 2 + i % 2) abort();
    T_OK(napi_set_element(env, list, i, view));
  }
  return list;
}

static const struct t_function functions[] = {
    {"createBuffer", create_buffer},
    {"copyBuffer", copy_buffer},
    {"bufferInfo", buffer_info},
    {"bufferInfoHalves", buffer_info_halves},
    {"innerInfoHalves", inner_info_halves},
    {"stable", stable},
    {"distance", distance},
    {"fill", fill},
    {"sum", sum},
    {"xor", exclusive_or},
    {"aroundCall", around_call},
    {"ownAroundCall", own_around_call},
    {"createArraybuffer", create_arraybuffer},
    {"arraybufferInfo", arraybuffer_info},
    {"createTypedarray", create_typedarray},
    {"typedarrayInfo", typedarray_info},
    {"createDataview", create_dataview},
    {"dataviewInfo", dataview_info},
    {"infoWithoutResults", info_without_results},
    {"giveMany", give_many},
    {"callForEach", call_for_each},
    {"listViews", list_views},
    {"what", what},
    {"detach", detach},
    {"writeDoubles", write_doubles},
    {"keep", keep},
    {"readKept", read_kept},
    {"writeKept", write_kept},
    {"releaseKept", release_kept},
};
T_INIT(functions)
