/* Memory as odd addons use it: addresses as numbers, structs with pointers inside Buffers, sizes beyond reason. */
#include "common.h"

#include <dlfcn.h>

typedef napi_status (*buffer_from)(napi_env, napi_value, size_t, size_t, napi_value *);

static uint8_t *bytes_of(napi_env env, napi_value view, size_t *length) {
  void *bytes = NULL;
  bool is = false;
  T_OK(napi_is_arraybuffer(env, view, &is));
  if (is) {
    T_OK(napi_get_arraybuffer_info(env, view, &bytes, length));
  } else {
    T_OK(napi_get_buffer_info(env, view, &bytes, length));
  }
  return bytes;
}

static uint8_t *address_from(napi_env env, napi_value value) {
  if (t_typeof(env, value) == napi_number) return (uint8_t *)(uintptr_t)t_double(env, value);
  uint64_t number = 0;
  bool lossless;
  T_OK(napi_get_value_bigint_uint64(env, value, &number, &lossless));
  return (uint8_t *)(uintptr_t)number;
}

/* (view, as a number?): its address, a BigInt or a number. */
static napi_value address_of(napi_env env, napi_callback_info info) {
  napi_value argv[2], result;
  size_t length;
  t_args(env, info, argv, 2);
  uintptr_t address = (uintptr_t)bytes_of(env, argv[0], &length);
  if (t_bool(env, argv[1])) return t_number(env, (double)address);
  T_OK(napi_create_bigint_uint64(env, address, &result));
  return result;
}

/* (address, length) */
static napi_value read_at(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  return t_bytes(env, address_from(env, argv[0]), t_uint(env, argv[1]));
}

/* (address, offset, value) */
static napi_value write_at(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  address_from(env, argv[0])[t_uint(env, argv[1])] = (uint8_t)t_uint(env, argv[2]);
  return NULL;
}

struct machine {
  struct machine *self;
  uint8_t *bytes;
  size_t length;
  uint32_t count;
  uint32_t (*step)(struct machine *);
};

static uint32_t step(struct machine *machine) {
  for (size_t i = 0; i < machine->length; i++) machine->bytes[i] += (uint8_t)(machine->count + i);
  return ++machine->count;
}

static napi_value machine_size(napi_env env, napi_callback_info info) {
  return t_number(env, sizeof(struct machine));
}

/* (buffer for the machine, buffer for its bytes) */
static napi_value machine_init(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  size_t length;
  t_args(env, info, argv, 2);
  struct machine *machine = (struct machine *)(void *)bytes_of(env, argv[0], &length);
  if (length < sizeof *machine) abort();
  machine->bytes = bytes_of(env, argv[1], &length);
  machine->length = length;
  machine->count = 0;
  machine->self = machine;
  machine->step = step;
  return NULL;
}

/* (buffer of the machine): through its pointers. */
static napi_value machine_step(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  size_t length;
  t_args(env, info, argv, 1);
  struct machine *machine = (struct machine *)(void *)bytes_of(env, argv[0], &length);
  if (machine->self != machine) return t_string(env, "it has moved");
  return t_number(env, machine->step(machine));
}

/* (kind, length): the status alone, and what the ends hold. */
static napi_value sized(napi_env env, napi_callback_info info) {
  napi_value argv[2], value = NULL;
  void *bytes = NULL;
  t_args(env, info, argv, 2);
  size_t length = (size_t)t_double(env, argv[1]);
  napi_status status;
  switch (t_uint(env, argv[0])) {
  case 0: status = napi_create_buffer(env, length, &bytes, &value); break;
  case 1: status = napi_create_arraybuffer(env, length, &bytes, &value); break;
  default:
    bytes = (void *)"short";
    status = napi_create_buffer_copy(env, length, bytes, NULL, &value);
    bytes = NULL;
    break;
  }
  if (status == napi_ok && bytes != NULL && length > 0) {
    ((uint8_t *)bytes)[0] = 1;
    ((uint8_t *)bytes)[length - 1] = 2;
  }
  return t_result(env, status, value);
}

/* (arraybuffer, offset, length): undefined where this Node has no such function. */
static napi_value from_arraybuffer(napi_env env, napi_callback_info info) {
  napi_value argv[3], value = NULL;
  void *symbol = dlsym(RTLD_DEFAULT, "node_api_create_buffer_from_arraybuffer");
  buffer_from from;
  t_args(env, info, argv, 3);
  if (symbol == NULL) return NULL;
  memcpy(&from, &symbol, sizeof from);
  napi_status status = from(env, argv[0], (size_t)t_double(env, argv[1]), (size_t)t_double(env, argv[2]), &value);
  return t_result(env, status, value);
}

/* (type, length, arraybuffer, offset); type -1: a DataView */
static napi_value view(napi_env env, napi_callback_info info) {
  napi_value argv[4], value = NULL;
  t_args(env, info, argv, 4);
  int32_t type = t_int(env, argv[0]);
  size_t length = (size_t)t_double(env, argv[1]), offset = (size_t)t_double(env, argv[3]);
  napi_status status = type < 0
                           ? napi_create_dataview(env, length, argv[2], offset, &value)
                           : napi_create_typedarray(env, (napi_typedarray_type)type, length, argv[2], offset, &value);
  return t_result(env, status, value);
}

static napi_value is_detached(napi_env env, napi_callback_info info) {
  return t_ask(env, info, napi_is_detached_arraybuffer);
}

static const struct t_function functions[] = {
    {"addressOf", address_of},
    {"readAt", read_at},
    {"writeAt", write_at},
    {"machineSize", machine_size},
    {"machineInit", machine_init},
    {"machineStep", machine_step},
    {"sized", sized},
    {"view", view},
    {"fromArraybuffer", from_arraybuffer},
    {"isDetached", is_detached},
};
T_INIT(functions)
