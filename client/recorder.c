/*
 * Writing the flight recorder.
 */
#include "client/recorder.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client/client-private.h"

/* The ring of this thread. */
static _Thread_local struct {
  struct nr_record_ring *ring; /* NULL: it has none */
  uint64_t serial;
} own;

static struct nr_recorder *recorder;
static uint64_t shared_serial; /* of the ring that threads without one have together */

static pthread_key_t rings;

static void free_ring(void *ring) {
  own.ring = NULL;
  __atomic_store_n(&((struct nr_record_ring *)ring)->thread, 0, __ATOMIC_RELEASE);
}

struct nr_recorder *nr_recorder_open(int fd) {
  pthread_key_create(&rings, free_ring);
  recorder = nr_recorder_map(fd);
  return recorder;
}

void nr_recorder_thread_begin(void) {
  uint32_t thread = (uint32_t)syscall(SYS_gettid);
  for (uint32_t i = 1; i < NR_RECORD_RINGS; i++) {
    struct nr_record_ring *ring = &recorder->rings[i];
    uint32_t nobody = 0;
    if (!__atomic_compare_exchange_n(&ring->thread, &nobody, thread, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
      continue;
    memset(ring->records, 0, sizeof ring->records);
    own.serial = 0;
    own.ring = ring;
    pthread_setspecific(rings, ring);
    return;
  }
}

void nr_recorder_note(const char *text) {
  strncpy(recorder->crash.text, text, sizeof recorder->crash.text - 1);
}

/* ---- One record ---- */

/* Of the ring that threads without one share: those that are being written. */
static bool busy[NR_RECORDS];

/* The process may be killed at any moment: a record counts only when its number is there. */
static inline struct nr_record *take(uint64_t *serial) {
  struct nr_record *record;
  if (NR_LIKELY(own.ring != NULL)) {
    *serial = ++own.serial;
    record = &own.ring->records[*serial % NR_RECORDS];
  } else {
    do {
      *serial = __atomic_add_fetch(&shared_serial, 1, __ATOMIC_RELAXED);
    } while (__atomic_test_and_set(&busy[*serial % NR_RECORDS], __ATOMIC_ACQUIRE));
    record = &recorder->rings[0].records[*serial % NR_RECORDS];
  }
  __atomic_store_n(&record->serial, 0, __ATOMIC_RELAXED);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  return record;
}

static inline void give(struct nr_record *record, uint64_t serial) {
  __atomic_store_n(&record->serial, serial, __ATOMIC_RELEASE);
  if (NR_UNLIKELY(own.ring == NULL)) __atomic_clear(&busy[serial % NR_RECORDS], __ATOMIC_RELEASE);
}

/* The words behind a message's base; returns how many. */
static inline uint8_t copy_words(uint64_t *words, const ProtobufCMessage *message, size_t room) {
  size_t count = (message->descriptor->sizeof_message - sizeof *message) / sizeof *words;
  const char *from = (const char *)(message + 1);
  if (count > room) count = room;
  for (size_t i = 0; i < count; i++) memcpy(&words[i], from + i * sizeof *words, sizeof *words);
  return (uint8_t)count;
}

static inline void fill(struct nr_record *record, unsigned kind, unsigned opcode, uint32_t env, uint32_t depth) {
  record->env = env;
  record->opcode = (uint16_t)opcode;
  record->depth = (uint16_t)depth;
  record->status = 0;
  record->kind = (uint8_t)kind;
  record->state = NR_RECORD_OPEN;
  record->request_words = 0;
  record->reply_words = 0;
  record->text_length = 0;
  record->values = 0;
  record->tail_length = 0;
}

static inline void keep_text(struct nr_record *record, const void *text, size_t length, size_t whole) {
  record->text_length = (uint8_t)(length < NR_RECORD_EXTRA ? length : NR_RECORD_EXTRA);
  record->tail_length = (uint32_t)whole;
  memcpy(record->extra.text, text, record->text_length);
}

static inline void keep_values(struct nr_record *record, const nr_value *values, size_t count) {
  size_t room = NR_RECORD_EXTRA / sizeof *values;
  record->values = (uint8_t)(count < room ? count : room);
  for (size_t i = 0; i < record->values; i++) record->extra.values[i] = values[i];
}

static inline uint32_t depth_of(const struct nr_channel *channel) {
  return own.ring == NULL ? 0 : channel->depth; /* on another thread it is not to be looked at */
}

/* ---- Calls ---- */

void nr_record_local(napi_env env, unsigned opcode, const ProtobufCMessage *request, const ProtobufCMessage *reply,
                     napi_status status) {
  uint64_t serial;
  struct nr_record *record = take(&serial);
  fill(record, NR_RECORD_CALL, opcode, env->number, depth_of(env->channel));
  record->status = (uint16_t)status;
  record->state = NR_RECORD_DONE;
  record->tail_length = UINT32_MAX; /* there was none: texts have a length at most */
  record->request_words = copy_words(record->request, request, NR_RECORD_WORDS);
  if (reply != NULL) record->reply_words = copy_words(record->reply, reply, 1);
  give(record, serial);
}

void nr_record_refused(napi_env env, const char *function, napi_status status) {
  uint64_t serial;
  struct nr_record *record = take(&serial);
  fill(record, NR_RECORD_REFUSED, 0, env->number, depth_of(env->channel));
  record->status = (uint16_t)status;
  record->state = NR_RECORD_DONE;
  memset(record->extra.text, 0, NR_RECORD_EXTRA);
  strncpy(record->extra.text, function, NR_RECORD_EXTRA - 1);
  give(record, serial);
}

/* How many values the first list of the request has: what nr_call_values() has made is that list. */
static size_t list_length(const ProtobufCMessage *request) {
  for (unsigned i = 0; i < request->descriptor->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &request->descriptor->fields[i];
    if (field->label != PROTOBUF_C_LABEL_REPEATED) continue;
    return *(const size_t *)((const char *)request + field->quantifier_offset);
  }
  return 0;
}

void nr_record_call(struct nr_call *call) {
  struct nr_record *record = take(&call->recorded.serial);
  fill(record, NR_RECORD_CALL, call->opcode, call->env->number, depth_of(call->env->channel));
  record->request_words = copy_words(record->request, call->request, NR_RECORD_WORDS);
  if (call->tail_count > 0) {
    keep_text(record, call->tail[0].data, call->tail[0].length, call->tail_length);
  } else if (call->values != NULL) {
    keep_values(record, call->values, list_length(call->request));
  }
  give(record, call->recorded.serial);
  call->recorded.record = record;
}

void nr_record_call_end(struct nr_call *call, napi_status status) {
  if (call->recorded.record == NULL) nr_record_call(call);
  nr_record_end(&call->recorded, status, status == napi_ok ? call->reply : NULL);
}

struct nr_open_record nr_record_entry(const struct nr_channel *channel, const struct nr_frame *frame,
                                      const ProtobufCMessage *request) {
  struct nr_open_record open;
  struct nr_record *record = open.record = take(&open.serial);
  fill(record, NR_RECORD_ENTRY, frame->header.opcode, frame->header.env, depth_of(channel) - 1);
  record->request_words = copy_words(record->request, request, NR_RECORD_WORDS);
  if (frame->header.opcode == NR_OP_INVOKE) {
    const Nr__InvokeRequest *invoke = (const Nr__InvokeRequest *)request;
    keep_values(record, invoke->values, invoke->n_values);
  } else {
    keep_text(record, frame->tail, frame->header.tail_length, frame->header.tail_length);
  }
  give(record, open.serial);
  return open;
}

void nr_record_end(const struct nr_open_record *open, napi_status status, const ProtobufCMessage *reply) {
  struct nr_record *record = open->record;
  if (record->serial != open->serial) return; /* more than NR_RECORDS calls ago */
  if (reply != NULL) record->reply_words = copy_words(record->reply, reply, 1);
  record->status = (uint16_t)status;
  record->state = NR_RECORD_DONE;
}
