/*
 * What tests/js/support/memory-stress.js has native code do with memory: write and read through addresses that it
 * keeps, in calls, around callbacks and on a thread. Every function takes, last, a value to ask for its address again,
 * or undefined.
 */
#include "common.h"

#include <pthread.h>

#define PLACES 256

static struct {
  uint8_t *bytes;
  size_t length;
} kept[PLACES];

static uint32_t moved;

static void write_pattern(uint8_t *bytes, size_t length, uint32_t seed) {
  for (size_t i = 0; i < length; i++) bytes[i] = (uint8_t)(seed + i * 13 + (i >> 8));
}

static uint32_t crc_of(const uint8_t *bytes, size_t length) {
  static uint32_t table[256];
  if (table[1] == 0) {
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t entry = i;
      for (int k = 0; k < 8; k++) entry = entry & 1 ? (entry >> 1) ^ 0xedb88320 : entry >> 1;
      table[i] = entry;
    }
  }
  uint32_t crc = ~UINT32_C(0);
  for (size_t i = 0; i < length; i++) crc = table[(crc ^ bytes[i]) & 255] ^ (crc >> 8);
  return ~crc;
}

static void find(napi_env env, napi_value value, uint8_t **bytes, size_t *length) {
  static const size_t widths[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 2};
  bool is = false;
  T_OK(napi_is_arraybuffer(env, value, &is));
  if (is) {
    T_OK(napi_get_arraybuffer_info(env, value, (void **)bytes, length));
    return;
  }
  T_OK(napi_is_dataview(env, value, &is));
  if (is) {
    T_OK(napi_get_dataview_info(env, value, length, (void **)bytes, NULL, NULL));
    return;
  }
  T_OK(napi_is_buffer(env, value, &is));
  napi_typedarray_type type;
  T_OK(napi_get_typedarray_info(env, value, &type, length, (void **)bytes, NULL, NULL));
  if ((size_t)type < T_COUNT(widths)) *length *= widths[type];
  if (!is) return;
  /* For those that are Buffers as well, both must say the same. */
  void *same;
  size_t same_length;
  T_OK(napi_get_buffer_info(env, value, &same, &same_length));
  if ((same != *bytes && *length > 0) || (type <= napi_uint8_clamped_array && same_length != *length)) moved++;
}

/* Asks again when there is a value; the address must be what it was. */
static uint32_t place_of(napi_env env, napi_value place, napi_value value) {
  uint32_t index = t_uint(env, place) % PLACES;
  if (value == NULL || t_nullish(env, value)) return index;
  uint8_t *bytes = NULL;
  size_t length = 0;
  find(env, value, &bytes, &length);
  if (length != kept[index].length || (bytes != kept[index].bytes && length > 0)) moved++;
  return index;
}

/* (place, value): keeps its address; how many bytes there are. */
static napi_value keep(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  uint32_t place = t_uint(env, argv[0]) % PLACES;
  find(env, argv[1], &kept[place].bytes, &kept[place].length);
  return t_number(env, (double)kept[place].length);
}

static napi_value drop(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  uint32_t place = t_uint(env, argv[0]) % PLACES;
  kept[place].bytes = NULL;
  kept[place].length = 0;
  return NULL;
}

static void poke_at(uint32_t place, size_t offset, size_t length, uint32_t seed) {
  if (offset > kept[place].length || length > kept[place].length - offset) abort();
  write_pattern(kept[place].bytes + offset, length, seed);
}

/* (place, offset, length, seed, value?) */
static napi_value poke(napi_env env, napi_callback_info info) {
  napi_value argv[5];
  t_args(env, info, argv, 5);
  uint32_t place = place_of(env, argv[0], argv[4]);
  poke_at(place, t_uint(env, argv[1]), t_uint(env, argv[2]), t_uint(env, argv[3]));
  return NULL;
}

/* (place, value?): the CRC of what native code sees. */
static napi_value check(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  uint32_t place = place_of(env, argv[0], argv[1]);
  return t_number(env, crc_of(kept[place].bytes, kept[place].length));
}

/* (place, offset, length, seed, function, value?): writes, calls, looks, and writes the last byte of the stretch once
 * more. */
static napi_value around(napi_env env, napi_callback_info info) {
  napi_value argv[6];
  t_args(env, info, argv, 6);
  uint32_t place = place_of(env, argv[0], argv[5]);
  size_t offset = t_uint(env, argv[1]), length = t_uint(env, argv[2]);
  uint32_t seed = t_uint(env, argv[3]);
  poke_at(place, offset, length, seed);
  T_OK(napi_call_function(env, t_undefined(env), argv[4], 0, NULL, NULL));
  uint32_t crc = crc_of(kept[place].bytes, kept[place].length);
  if (length > 0) kept[place].bytes[offset + length - 1] = (uint8_t)(seed ^ 0x5a);
  return t_number(env, crc);
}

static void finalize(napi_env env, void *data, void *hint) {
  free(data);
}

/* (place, kind, length, seed): a buffer made here, written before, or right after, it was made. */
static napi_value create(napi_env env, napi_callback_info info) {
  napi_value argv[4], result = NULL;
  t_args(env, info, argv, 4);
  uint32_t place = t_uint(env, argv[0]) % PLACES, kind = t_uint(env, argv[1]), seed = t_uint(env, argv[3]);
  size_t length = t_uint(env, argv[2]);
  uint8_t *own = malloc(length + 1);
  void *bytes = own;
  if (own == NULL) abort();
  write_pattern(own, length, seed);
  switch (kind) {
  case 0: T_OK(napi_create_buffer(env, length, &bytes, &result)); break;
  case 1: T_OK(napi_create_arraybuffer(env, length, &bytes, &result)); break;
  case 2: T_OK(napi_create_buffer_copy(env, length, own, &bytes, &result)); break;
  case 3: T_OK(napi_create_external_buffer(env, length, own, finalize, NULL, &result)); break;
  default: T_OK(napi_create_external_arraybuffer(env, own, length, finalize, NULL, &result)); break;
  }
  if (kind < 2) write_pattern(bytes, length, seed);
  if (kind < 3) free(own);
  kept[place].bytes = bytes;
  kept[place].length = length;
  return result;
}

static struct {
  pthread_t id;
  uint8_t *bytes;
  size_t length;
  uint32_t seed;
  bool running;
} thread;

/* The odd bytes only, some times over. */
static void *write_odd(void *unused) {
  for (uint32_t round = 0; round < 4; round++) {
    for (size_t i = 1; i < thread.length; i += 2)
      __atomic_store_n(thread.bytes + i, (uint8_t)(thread.seed + round + i), __ATOMIC_RELAXED);
  }
  return unused;
}

/* (place, seed): a thread writes the odd bytes of that place from now on. */
static napi_value thread_start(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  uint32_t place = t_uint(env, argv[0]) % PLACES;
  if (thread.running) abort();
  thread.bytes = kept[place].bytes;
  thread.length = kept[place].length;
  thread.seed = t_uint(env, argv[1]);
  thread.running = pthread_create(&thread.id, NULL, write_odd, NULL) == 0;
  if (!thread.running) abort();
  return NULL;
}

/* Waits until it is done. */
static napi_value thread_join(napi_env env, napi_callback_info info) {
  if (!thread.running || pthread_join(thread.id, NULL) != 0) abort();
  thread.running = false;
  return NULL;
}

static napi_value detach(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  T_OK(napi_detach_arraybuffer(env, argv[0]));
  bool is = false;
  T_OK(napi_is_detached_arraybuffer(env, argv[0], &is));
  return t_boolean(env, is);
}

static napi_value take_moved(napi_env env, napi_callback_info info) {
  napi_value result = t_number(env, moved);
  moved = 0;
  return result;
}

static const struct t_function functions[] = {
    {"keep", keep},
    {"drop", drop},
    {"poke", poke},
    {"check", check},
    {"around", around},
    {"create", create},
    {"detach", detach},
    {"threadStart", thread_start},
    {"threadJoin", thread_join},
    {"takeMoved", take_moved},
};
T_INIT(functions)
