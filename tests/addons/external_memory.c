/* Buffers over memory of the addon's own. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "common.h"

#include <sys/mman.h>
#include <unistd.h>

struct block {
  uint8_t *bytes;
  size_t length;
  bool mapped;
};

static int finalized, wrong;
static bool aloud;
static struct block *last;

static void finalize(napi_env env, void *data, void *hint) {
  struct block *block = hint;
  finalized++;
  if (data != block->bytes) wrong++;
  if (aloud && write(STDOUT_FILENO, "finalized\n", 10) < 0) abort();
  if (block == last) last = NULL;
  if (block->mapped) {
    munmap(block->bytes, block->length);
  } else {
    free(block->bytes);
  }
  free(block);
}

static struct block *make(size_t length) {
  struct block *block = malloc(sizeof *block);
  if (block == NULL) abort();
  *block = (struct block){.bytes = malloc(length + 1), .length = length};
  for (size_t i = 0; i < length; i++) block->bytes[i] = (uint8_t)(i * 7 + length);
  last = block;
  return block;
}

/* (length) */
static napi_value buffer(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = NULL;
  t_args(env, info, argv, 1);
  struct block *block = make(t_uint(env, argv[0]));
  napi_status status = napi_create_external_buffer(env, block->length, block->bytes, finalize, block, &result);
  return t_result(env, status, result);
}

/* (length) */
static napi_value arraybuffer(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = NULL;
  t_args(env, info, argv, 1);
  struct block *block = make(t_uint(env, argv[0]));
  napi_status status = napi_create_external_arraybuffer(env, block->bytes, block->length, finalize, block, &result);
  return t_result(env, status, result);
}

/* Without a finalizer, over memory that is never freed; some of it written after the call. */
/* An empty one at NULL: [buffer, has it an address as a Buffer, as a typed array, as an ArrayBuffer]. */
static napi_value nowhere(napi_env env, napi_callback_info info) {
  napi_value buffer, arraybuffer, result = t_array(env);
  void *data[3];
  size_t length;
  T_OK(napi_create_external_buffer(env, 0, NULL, NULL, NULL, &buffer));
  T_OK(napi_get_buffer_info(env, buffer, &data[0], &length));
  T_OK(napi_get_typedarray_info(env, buffer, NULL, NULL, &data[1], &arraybuffer, NULL));
  T_OK(napi_get_arraybuffer_info(env, arraybuffer, &data[2], &length));
  T_OK(napi_set_element(env, result, 0, buffer));
  for (uint32_t i = 0; i < T_COUNT(data); i++)
    T_OK(napi_set_element(env, result, i + 1, t_boolean(env, data[i] != NULL)));
  return result;
}

static napi_value constant(napi_env env, napi_callback_info info) {
  static uint8_t bytes[64] = "made of constant memory";
  napi_value result = NULL;
  napi_status status = napi_create_external_buffer(env, sizeof bytes, bytes, NULL, NULL, &result);
  bytes[63] = 9;
  return t_result(env, status, result);
}

/* (function): calls it with a buffer, writes, calls it again. */
static napi_value around(napi_env env, napi_callback_info info) {
  napi_value argv[1], argument, result = t_array(env), returned;
  t_args(env, info, argv, 1);
  struct block *block = make(32);
  T_OK(napi_create_external_buffer(env, block->length, block->bytes, finalize, block, &argument));
  for (uint32_t i = 0; i < 3; i++) {
    block->bytes[i] = (uint8_t)(200 + i);
    T_OK(napi_call_function(env, t_undefined(env), argv[0], 1, &argument, &returned));
    T_OK(napi_set_element(env, result, i, t_number(env, block->bytes[10 + i])));
  }
  return result;
}

/* (view): is it the memory of the last one? And its sum. */
static napi_value inspect(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = t_array(env);
  uint8_t *bytes;
  size_t length, sum = 0;
  t_args(env, info, argv, 1);
  T_OK(napi_get_buffer_info(env, argv[0], (void **)&bytes, &length));
  for (size_t i = 0; i < length; i++) sum += bytes[i] * (i % 251 + 1);
  T_OK(napi_set_element(env, result, 0, t_boolean(env, last != NULL && bytes == last->bytes)));
  T_OK(napi_set_element(env, result, 1, t_number(env, (double)length)));
  T_OK(napi_set_element(env, result, 2, t_number(env, (double)sum)));
  return result;
}

static napi_value nominal_of(napi_env env, size_t nominally) {
  napi_value result = NULL;
  struct block *block = malloc(sizeof *block);
  if (block == NULL) abort();
  *block = (struct block){.length = nominally, .mapped = true};
  block->bytes = mmap(NULL, block->length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (block->bytes == MAP_FAILED) abort();
  last = block;
  const size_t places[] = {0, block->length / 2, block->length - 4096};
  for (size_t i = 0; i < T_COUNT(places); i++) {
    if (mprotect(block->bytes + places[i], 4096, PROT_READ | PROT_WRITE) != 0) abort();
    memset(block->bytes + places[i], (int)i + 1, 4096);
  }
  napi_status status = napi_create_external_buffer(env, block->length, block->bytes, finalize, block, &result);
  return t_result(env, status, result);
}

/* (length): nominally that long; of it a page in front, one in the middle and the last are memory at all. */
static napi_value nominal(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return nominal_of(env, t_uint(env, argv[0]));
}

/* (buffer): is this the memory of the last one? None of it is read. */
static napi_value ask(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  uint8_t *bytes;
  size_t length;
  t_args(env, info, argv, 1);
  T_OK(napi_get_buffer_info(env, argv[0], (void **)&bytes, &length));
  return t_boolean(env, bytes == last->bytes && length == last->length);
}

/* (count, length, callback): so many of them, all in one entry; JavaScript gets each, whose memory has been asked for.
 */
static napi_value nominals(napi_env env, napi_callback_info info) {
  napi_value argv[3], undefined;
  t_args(env, info, argv, 3);
  T_OK(napi_get_undefined(env, &undefined));
  uint32_t count = t_uint(env, argv[0]);
  for (uint32_t i = 0; i < count; i++) {
    uint8_t *bytes;
    size_t length;
    napi_value result, buffer = nominal_of(env, t_uint(env, argv[1]));
    T_OK(napi_get_named_property(env, buffer, "value", &buffer));
    T_OK(napi_get_buffer_info(env, buffer, (void **)&bytes, &length));
    if (bytes != last->bytes) abort();
    T_OK(napi_call_function(env, undefined, argv[2], 1, &buffer, &result));
  }
  return NULL;
}

/* (offset, value): the last one comes to have memory on this page as well, which is filled. */
static napi_value appear(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  uint8_t *page = last->bytes + t_uint(env, argv[0]) / 4096 * 4096;
  if (mprotect(page, 4096, PROT_READ | PROT_WRITE) != 0) abort();
  memset(page, (int)t_uint(env, argv[1]), 4096);
  return NULL;
}

/* (offset): what native code reads there. */
static napi_value peek(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return t_number(env, last->bytes[t_uint(env, argv[0])]);
}

/* (): nominally a gigabyte, from the middle of a page on; three pages are memory. None of the last one has been
 * touched. It becomes the last one, and stays. */
static napi_value ragged(napi_env env, napi_callback_info info) {
  const size_t length = (size_t)1 << 30, begin = 1500;
  napi_value result = NULL;
  uint8_t *memory = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  struct block *block = malloc(sizeof *block);
  if (memory == MAP_FAILED || block == NULL || mprotect(memory, 3 * 4096, PROT_READ | PROT_WRITE) != 0) abort();
  memset(memory, 1, 2 * 4096);
  *block = (struct block){.length = length - begin, .bytes = memory + begin};
  last = block;
  napi_status status = napi_create_external_buffer(env, block->length, block->bytes, NULL, NULL, &result);
  return t_result(env, status, result);
}

#define MANY 12
static uint8_t *many[MANY];

/* (): MANY of them, each nominally a gigabyte of which one page is written and 15 more are memory. They stay. */
static napi_value untouched(napi_env env, napi_callback_info info) {
  const size_t length = (size_t)1 << 30;
  napi_value buffer, result = t_array(env);
  for (uint32_t i = 0; i < MANY; i++) {
    many[i] = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (many[i] == MAP_FAILED || mprotect(many[i], 16 * 4096, PROT_READ | PROT_WRITE) != 0) abort();
    many[i][0] = (uint8_t)i;
    T_OK(napi_create_external_buffer(env, length, many[i], NULL, NULL, &buffer));
    T_OK(napi_set_element(env, result, i, buffer));
  }
  return result;
}

/* (offset): what native code reads there in each of them. */
static napi_value peek_all(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = t_array(env);
  t_args(env, info, argv, 1);
  for (uint32_t i = 0; i < MANY; i++)
    T_OK(napi_set_element(env, result, i, t_number(env, many[i][t_uint(env, argv[0])])));
  return result;
}

/* (offset, value): native code writes there. */
static napi_value put(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  last->bytes[t_uint(env, argv[0])] = (uint8_t)t_uint(env, argv[1]);
  return NULL;
}

static uint8_t *counter;

static void finalize_counted(napi_env env, void *data, void *hint) {
  counter[0]++;
  counter[1] = *(uint8_t *)data;
  free(data);
}

/* (buffer, count): makes so many that nobody ever sees; their finalizers count in the buffer, and tell the last one's
 * first byte. */
static napi_value counted(napi_env env, napi_callback_info info) {
  napi_value argv[2], made;
  size_t length;
  t_args(env, info, argv, 2);
  T_OK(napi_get_buffer_info(env, argv[0], (void **)&counter, &length));
  for (uint32_t i = t_uint(env, argv[1]); i > 0; i--) {
    uint8_t *bytes = calloc(1, 100);
    if (bytes == NULL) abort();
    T_OK(napi_create_external_buffer(env, 100, bytes, finalize_counted, NULL, &made));
    bytes[0] = 7;
  }
  return NULL;
}

static uint8_t common[4 << 20];

/* (offset, length): over a part of memory that others may be over as well. */
static napi_value part(napi_env env, napi_callback_info info) {
  napi_value argv[2], result = NULL;
  t_args(env, info, argv, 2);
  size_t offset = t_uint(env, argv[0]), length = t_uint(env, argv[1]);
  if (offset + length > sizeof common) abort();
  T_OK(napi_create_external_buffer(env, length, common + offset, NULL, NULL, &result));
  return result;
}

/* (): as addons make one of a pointer whose end they do not know: nominally a gigabyte from a constant on, which is
 * followed by memory that changes. [buffer, where that is in it] */
static napi_value from_constant(napi_env env, napi_callback_info info) {
  static const char text[] = "a constant, and what lies behind it";
  napi_value buffer, result = t_array(env);
  ptrdiff_t distance = (const char *)common - text;
  if (distance < 0 || distance > 1 << 28) abort();
  T_OK(napi_create_external_buffer(env, (size_t)1 << 30, (void *)(uintptr_t)text, NULL, NULL, &buffer));
  T_OK(napi_set_element(env, result, 0, buffer));
  T_OK(napi_set_element(env, result, 1, t_number(env, (double)distance)));
  return result;
}

/* (offset, value): native code writes there. */
static napi_value poke(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  common[t_uint(env, argv[0])] = (uint8_t)t_uint(env, argv[1]);
  return NULL;
}

/* (offset): what native code reads there. */
static napi_value read_common(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return t_number(env, common[t_uint(env, argv[0])]);
}

static uint8_t *spot;
#define SPOT_LENGTH ((size_t)1 << 30)
#define SPOT_PAGES (4 * (size_t)4096)

/* (value, constant): what is mapped at one and the same place is memory filled with the value, or a file that is, which
 * cannot be written. */
static napi_value occupy(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  int value = (int)t_uint(env, argv[0]), flags = MAP_PRIVATE | MAP_FIXED;
  if (spot == NULL) spot = mmap(NULL, SPOT_LENGTH, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (spot == MAP_FAILED) abort();
  int fd = memfd_create("constant", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, SPOT_PAGES) < 0) abort();
  for (size_t i = 0; i < SPOT_PAGES; i++) { /* alike at both ends, whatever it is */
    uint8_t byte = i < 200 || i >= SPOT_PAGES - 200 ? 77 : (uint8_t)value;
    if (pwrite(fd, &byte, 1, (off_t)i) != 1) abort();
  }
  bool constant = t_bool(env, argv[1]);
  int access = constant ? PROT_READ : PROT_READ | PROT_WRITE;
  void *memory = mmap(spot, SPOT_PAGES, access, constant ? flags : flags | MAP_ANONYMOUS, constant ? fd : -1, 0);
  if (memory != spot) abort();
  if (!constant) memset(spot, value, SPOT_PAGES);
  close(fd);
  return NULL;
}

/* (): nominally a gigabyte from there on. */
static napi_value from_spot(napi_env env, napi_callback_info info) {
  napi_value buffer;
  (void)info;
  T_OK(napi_create_external_buffer(env, SPOT_LENGTH, spot, NULL, NULL, &buffer));
  return buffer;
}

/* (offset): what native code reads there. */
static napi_value read_spot(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return t_number(env, spot[t_uint(env, argv[0])]);
}

static napi_value take_counts(napi_env env, napi_callback_info info) {
  napi_value result = t_array(env);
  T_OK(napi_set_element(env, result, 0, t_number(env, finalized)));
  T_OK(napi_set_element(env, result, 1, t_number(env, wrong)));
  finalized = wrong = 0;
  return result;
}

static napi_value speak(napi_env env, napi_callback_info info) {
  aloud = true;
  return NULL;
}

static const struct t_function functions[] = {
    {"buffer", buffer},
    {"arraybuffer", arraybuffer},
    {"constant", constant},
    {"nowhere", nowhere},
    {"around", around},
    {"inspect", inspect},
    {"nominal", nominal},
    {"nominals", nominals},
    {"ask", ask},
    {"speak", speak},
    {"takeCounts", take_counts},
    {"appear", appear},
    {"peek", peek},
    {"part", part},
    {"counted", counted},
    {"ragged", ragged},
    {"put", put},
    {"untouched", untouched},
    {"peekAll", peek_all},
    {"fromConstant", from_constant},
    {"occupy", occupy},
    {"fromSpot", from_spot},
    {"readSpot", read_spot},
    {"common", read_common},
    {"poke", poke},
};
T_INIT(functions)
