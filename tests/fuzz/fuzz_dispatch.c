/*
 * The whole server over a Node-API of simple values: loads an addon, calls its functions, rings its doorbell, collects,
 * and ends, while the host's frames are what the input says (records.h). What is to be found: reports of the
 * sanitizers, and the abort() of whatever the real Node-API does not survive.
 */
#include <errno.h>

#include "fake_node.h"
#include "host_ring.h"
#include "records.h"
#include "server/server-private.h"
#include "tests/faults/slots.h"
#include "wire/wire-private.h"

#define RING (UINT32_C(1) << 18)
#define PAYLOAD_MAX 4096u
#define NESTED_MAX 12u
#define ENTRIES_MAX 64u
#define FRAMES_MAX 2000u
#define THINGS 16u

int __real_nr_port_try_receive(struct nr_port *port, struct nr_arena *arena, struct nr_frame *frame);
int __wrap_nr_port_try_receive(struct nr_port *port, struct nr_arena *arena, struct nr_frame *frame);
int __real_nr_port_send(struct nr_port *port, const struct nr_frame_header *header, const ProtobufCMessage *message,
                        const struct nr_slice *tail, size_t tail_count);
int __wrap_nr_port_send(struct nr_port *port, const struct nr_frame_header *header, const ProtobufCMessage *message,
                        const struct nr_slice *tail, size_t tail_count);
int __wrap_nr_wait_for_space(struct nr_port *port);
struct nr_table *__real_nr_table_create(uint32_t limit);
struct nr_table *__wrap_nr_table_create(uint32_t limit);
struct nr_handles *__real_nr_handles_create(uint32_t limit);
struct nr_handles *__wrap_nr_handles_create(uint32_t limit);

int32_t node_api_module_get_api_version_v1(void);
napi_value napi_register_module_v1(napi_env napi, napi_value exports);

static struct host_ring ring;

static struct {
  const uint8_t *at;
  size_t left;
  uint32_t frames;
} input;

/* Entries that the server has made and that have not returned. */
static struct {
  struct nr_frame_header headers[ENTRIES_MAX];
  uint32_t count;
} entries;

#define ADDONS 2u
static struct napi_env__ agent_env, addon_envs[ADDONS];
static struct fake_value *things[THINGS]; /* what JavaScript passes */
static struct fake_value *agent_exports;
static uint32_t nested, loaded;

/* 0 at the end. */
static uint8_t next_byte(void) {
  if (input.left == 0) return 0;
  input.left--;
  return *input.at++;
}

/* ---- Frames of the host ---- */

static void put(struct nr_port *port, struct nr_frame_header *header, const uint8_t *message, const uint8_t *tail) {
  uint8_t *at = ring.bytes + (port->read & (RING - 1));
  uint8_t payload[2 * PAYLOAD_MAX + 64];
  size_t padded = header->tail_length == 0 ? header->message_length : (header->message_length + 7u) & ~7u;
  uint32_t length = (uint32_t)(padded + header->tail_length);
  memset(payload, 0, sizeof payload);
  if (header->message_length > 0) memcpy(payload, message, header->message_length);
  if (header->tail_length > 0) memcpy(payload + padded, tail, header->tail_length);
  header->commit = nr_ring_lines(length);
  /* Around the end of the ring byte by byte: the port maps it twice, this side does not. */
  uint64_t from = (uint64_t)(at - ring.bytes);
  for (size_t i = 0; i < length; i++) ring.bytes[(from + sizeof *header + i) & (RING - 1)] = payload[i];
  memset(ring.bytes + ((from + (uint64_t)header->commit * NR_CACHE_LINE) & (RING - 1)), 0, 4);
  memcpy(at, header, sizeof *header);
}

struct fixing {
  struct nr_connection *connection;
  uint32_t fresh; /* results that this message has named */
  uint32_t tail;
};

/* A handle that lives, if the place has one. */
static nr_value live(const struct nr_handles *handles, bool by_host, uint64_t which) {
  uint32_t top = nr_handles_top(handles);
  uint32_t index = top == 0 ? 0 : (uint32_t)(which % top);
  uint16_t generation = nr_handles_generation(handles);
  while (generation > 1 && nr_handles_get(handles, index, generation) == NULL) generation--;
  return nr_value_handle(NR_TAG_OBJECT, by_host, generation, index);
}

static nr_value fixed_value(struct fixing *fixing, const char *name, uint64_t recorded) {
  struct nr_connection *connection = fixing->connection;
  uint64_t which = recorded >> 3;
  bool made = strcmp(name, "result") == 0 || strcmp(name, "promise") == 0;
  if (made && recorded % 8 == NR_RECORDED_CHOSEN)
    return nr_value_handle(NR_TAG_OBJECT, true, 1, nr_handles_top(connection->chosen) + fixing->fresh++);
  switch (recorded % 8) {
  case NR_RECORDED_GIVEN: return live(connection->given, false, which);
  case NR_RECORDED_CHOSEN: return live(connection->chosen, true, which);
  case NR_RECORDED_SPECIAL: return NR_SPECIAL(which % 8);
  case NR_RECORDED_DOUBLE: return nr_value_from_double((double)(int64_t)which);
  default: return recorded;
  }
}

static void fix(const ProtobufCFieldDescriptor *field, void *at, void *context) {
  struct fixing *fixing = context;
  uint64_t value;
  if (nr_slot_size(field->type) != sizeof value) return;
  memcpy(&value, at, sizeof value);
  size_t length = strlen(field->name);
  if (field->type == PROTOBUF_C_TYPE_FIXED64) {
    value = fixed_value(fixing, field->name, value);
  } else if (field->type == PROTOBUF_C_TYPE_SFIXED64 && value != (uint64_t)NR_SPAN_NULL) {
    uint32_t offset = nr_span_offset((nr_span)value) % (fixing->tail + 1);
    value = (uint64_t)nr_span_make(offset, nr_span_length((nr_span)value) % (fixing->tail - offset + 1));
  } else if (length > 3 && strcmp(field->name + length - 3, "_id") == 0 && value != 0) {
    value = ((uint64_t)1 << 32) | (1 + value % 16);
  }
  memcpy(at, &value, sizeof value);
}

/* The message with handles that live; its new length, or the old one for what is no such message. */
static uint32_t fix_message(struct nr_connection *connection, const ProtobufCMessageDescriptor *type, uint8_t *bytes,
                            uint32_t length, uint32_t tail) {
  ProtobufCMessage *message = type == NULL ? NULL : protobuf_c_message_unpack(type, NULL, length, bytes);
  if (message == NULL) return length;
  struct fixing fixing = {.connection = connection, .tail = tail};
  nr_slots_visit(message, fix, &fixing);
  size_t packed = protobuf_c_message_get_packed_size(message);
  if (packed <= 2 * PAYLOAD_MAX) length = (uint32_t)protobuf_c_message_pack(message, bytes);
  protobuf_c_message_free_unpacked(message, NULL);
  return length;
}

static void head_for(struct nr_connection *connection, struct nr_frame_header *header, uint8_t bits) {
  header->kind = (bits & NR_RECORD_POST) != 0 ? NR_KIND_POST : NR_KIND_CALL;
  header->env = connection->env_count > 1 && (bits & NR_RECORD_OTHER) != 0 ? 2 : 1;
  header->depth = (uint16_t)connection->depth;
  if ((bits & NR_RECORD_RETURN) != 0 && entries.count > 0) {
    const struct nr_frame_header *entry = &entries.headers[entries.count - 1];
    header->kind = NR_KIND_RETURN;
    header->depth = entry->depth;
    header->env = entry->env;
    header->opcode = entry->opcode;
    header->sequence = entry->sequence;
    entries.count--;
  }
  if ((bits & NR_RECORD_ODD) != 0) {
    header->flags = next_byte();
    header->status = next_byte();
  }
  if ((bits & NR_RECORD_RAW) == 0) return;
  header->kind = next_byte();
  header->depth = (uint16_t)(header->depth + next_byte() % 3 - 1);
  header->sequence += next_byte() % 3 - 1u;
  header->env = next_byte();
}

/* The next frame that the input has, or the return of what is open. */
static void put_next(struct nr_port *port) {
  struct nr_connection *connection = nr_agent_current()->connections;
  uint8_t record[NR_RECORD_HEADER] = {0, NR_RECORD_RETURN | 3}, message[2 * PAYLOAD_MAX + 64];
  bool ends = input.left < sizeof record || ++input.frames > FRAMES_MAX;
  for (size_t i = 0; !ends && i < sizeof record; i++) record[i] = next_byte();
  uint8_t bits = record[1];
  struct nr_frame_header header = {.opcode = (uint16_t)((bits & NR_RECORD_CLASS) << 8 | record[0])};
  uint32_t length = (record[2] | (uint32_t)record[3] << 8) % (PAYLOAD_MAX + 1);
  uint32_t tail = (record[4] | (uint32_t)record[5] << 8) % (PAYLOAD_MAX + 1);
  if (length > input.left) length = (uint32_t)input.left;
  if (length > 0) memcpy(message, input.at, length);
  input.at += length;
  input.left -= length;
  if (tail > input.left) tail = (uint32_t)input.left;
  const uint8_t *tail_bytes = input.at;
  input.at += tail;
  input.left -= tail;
  head_for(connection, &header, bits);
  const struct nr_op_info *info = nr_op_info(header.opcode);
  const ProtobufCMessageDescriptor *type = info == NULL                    ? NULL
                                           : header.kind == NR_KIND_RETURN ? info->reply
                                                                           : info->request;
  header.message_length = (bits & NR_RECORD_RAW) != 0 ? length : fix_message(connection, type, message, length, tail);
  header.tail_length = tail;
  put(port, &header, message, tail_bytes);
}

int __wrap_nr_port_try_receive(struct nr_port *port, struct nr_arena *arena, struct nr_frame *frame) {
  port->piece_deadline_ns = 1; /* passed */
  if (nr_port_failure(port) == 0 && port->backlog == NULL && nr_ring_peek(port) == 0) put_next(port);
  return __real_nr_port_try_receive(port, arena, frame);
}

int __wrap_nr_wait_for_space(struct nr_port *port) {
  ring.control->read_index = port->written;
  return 0;
}

int __wrap_nr_port_send(struct nr_port *port, const struct nr_frame_header *header, const ProtobufCMessage *message,
                        const struct nr_slice *tail, size_t tail_count) {
  int error = __real_nr_port_send(port, header, message, tail, tail_count);
  ring.control->read_index = port->written;
  if (error != 0 || header->kind != NR_KIND_ENTER) return error;
  if (header->opcode == NR_OP_EXIT || entries.count == ENTRIES_MAX) {
    fake_host_die();
  } else {
    entries.headers[entries.count++] = *header;
  }
  return 0;
}

/* Smaller ones: their making is most of what an input costs. */
struct nr_table *__wrap_nr_table_create(uint32_t limit) {
  return __real_nr_table_create(limit >> 8);
}

struct nr_handles *__wrap_nr_handles_create(uint32_t limit) {
  return __real_nr_handles_create(limit >> 8);
}

/* ---- JavaScript ---- */

static void call_native(napi_env env, uint8_t which) {
  struct fake_value *function = fake_native_function(&addon_envs[which % ADDONS], which / ADDONS);
  struct fake_value *argv[4];
  uint8_t how = next_byte();
  if (function == NULL) return;
  for (size_t i = 0; i < 4; i++) argv[i] = things[(how + i) % THINGS];
  fake_call(env, function, things[how % THINGS], how % 5, argv, (how & 128) != 0 ? function : NULL);
}

/* A function of JavaScript's: how long may a buffer become, or whatever the input says. */
static struct fake_value *script(napi_env env, size_t argc, struct fake_value *const *argv) {
  if (argc == 1 && (argv[0]->kind == FAKE_ARRAYBUFFER || argv[0]->kind == FAKE_SHARED)) {
    struct fake_value *length = fake_make(FAKE_NUMBER);
    length->number = (double)argv[0]->length;
    return length;
  }
  uint8_t what = nested < NESTED_MAX ? next_byte() : 0;
  nested++;
  if (what % 8 == 1) call_native(env, what >> 3);
  if (what % 8 == 2) fake_collect(3, what >> 3);
  if (what % 8 == 3) env->exception = things[9];
  nested--;
  if (env->exception != NULL) return NULL;
  return argc > 0 ? argv[0] : things[what % THINGS];
}

static struct fake_value *hold(unsigned place, enum fake_kind kind) {
  things[place] = fake_make(kind);
  things[place]->held = 1;
  things[place]->number = place;
  return things[place];
}

static void make_things(void) {
  static const enum fake_kind kinds[THINGS] = {
      FAKE_OBJECT, FAKE_FUNCTION, FAKE_NUMBER, FAKE_ARRAY, FAKE_EXTERNAL, FAKE_ARRAYBUFFER, FAKE_SYMBOL,  FAKE_PROMISE,
      FAKE_DATE,   FAKE_ERROR,    FAKE_BIGINT, FAKE_VIEW,  FAKE_DATAVIEW, FAKE_SHARED,      FAKE_BOOLEAN, FAKE_OBJECT};
  for (unsigned i = 0; i < THINGS; i++) hold(i, kinds[i]);
  things[2]->number = 42;
  things[4]->data = things; /* not a host's */
  for (unsigned i = 5; i <= 13; i += 8) {
    things[i]->memory = calloc(1, 5000);
    things[i]->length = 4999;
  }
  for (unsigned i = 11; i <= 12; i++) {
    things[i]->buffer = things[5];
    things[i]->type = napi_uint8_array;
    things[i]->offset = 8;
    things[i]->length = 100;
  }
  fake_script = script;
  fake_expire = fake_uv_expire;
}

/* ---- An input ---- */

static napi_value call_agent(napi_value exports, const char *name, size_t argc, napi_value *argv) {
  napi_value function, recv, result = NULL;
  napi_get_undefined(&agent_env, &recv);
  napi_get_named_property(&agent_env, exports, name, &function);
  napi_call_function(&agent_env, recv, function, argc, argv, &result);
  return result;
}

static void forget_exceptions(void) {
  agent_env.exception = NULL;
  for (unsigned i = 0; i < ADDONS; i++) addon_envs[i].exception = NULL;
}

static void load(void) {
  napi_value addon_exports, arguments[4], exports = fake_handle(agent_exports);
  napi_env addon_env = &addon_envs[loaded++];
  napi_create_string_utf8(&agent_env, "/nowhere/addon.node", NAPI_AUTO_LENGTH, &arguments[0]);
  napi_create_double(&agent_env, 1, &arguments[1]);
  napi_create_string_utf8(&agent_env, "group", NAPI_AUTO_LENGTH, &arguments[2]);
  napi_create_object(&agent_env, &arguments[3]);
  call_agent(exports, "prepare", 4, arguments);
  node_api_module_get_api_version_v1();
  napi_create_object(addon_env, &addon_exports);
  if (agent_env.exception == NULL) napi_register_module_v1(addon_env, addon_exports);
  forget_exceptions();
}

static void load_first(void) {
  napi_value exports, options, path;
  napi_create_object(&agent_env, &exports);
  agent_exports = exports->value;
  agent_exports->held++;
  napi_register_module_v1(&agent_env, exports);
  napi_create_object(&agent_env, &options);
  napi_create_string_utf8(&agent_env, "/nowhere/host", NAPI_AUTO_LENGTH, &path);
  napi_set_named_property(&agent_env, options, "hostPath", path);
  napi_set_named_property(&agent_env, options, "roomOf", fake_handle(things[1]));
  call_agent(exports, "configure", 1, &options);
  load();
}

static void act(uint8_t what) {
  switch (what % 8) {
  case 4:
    if (loaded < ADDONS) load();
    break;
  case 5: fake_uv_turn(); break;
  case 6: fake_env_turn(&addon_envs[(what >> 3) % ADDONS]); break;
  case 7: fake_collect(2, what >> 3); break;
  default: call_native(&agent_env, what >> 3); break;
  }
  forget_exceptions();
}

static void set_up(void) {
  ring = host_ring_create(RING);
  fake_host_memfd = ring.memfd;
  setenv("NAPI_REMOTE_TRACKING", "0", 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  napi_handle_scope scope;
  if (ring.control == NULL) set_up();
  ring.control->read_index = 0;
  memset(ring.bytes, 0, NR_CACHE_LINE);
  input.at = data;
  input.left = size;
  input.frames = entries.count = nested = loaded = 0;
  memset(&agent_env, 0, sizeof agent_env);
  memset(addon_envs, 0, sizeof addon_envs);
  make_things();
  napi_open_handle_scope(&agent_env, &scope);
  load_first();
  napi_close_handle_scope(&agent_env, scope);
  while (input.left > 0 && input.frames < FRAMES_MAX) {
    napi_open_handle_scope(&agent_env, &scope);
    act(next_byte());
    napi_close_handle_scope(&agent_env, scope);
  }
  for (unsigned i = ADDONS; i-- > 0;) fake_env_end(&addon_envs[i]);
  fake_env_end(&agent_env);
  fake_uv_close();
  fake_envs_reset();
  fake_values_reset();
  return 0;
}
