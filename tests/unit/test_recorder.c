/*
 * The reader of the flight recorder: what a host left is shown as it was, and what it may have left does no harm.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "leaks.h"
#include "napi.pb-c.h"
#include "opcodes.h"
#include "wire/recorder.h"
#include "wire/value.h"

static struct nr_record record_of(unsigned opcode, const ProtobufCMessage *request) {
  struct nr_record record = {.serial = 1, .kind = NR_RECORD_CALL, .state = NR_RECORD_DONE, .opcode = (uint16_t)opcode};
  size_t words = (request->descriptor->sizeof_message - sizeof *request) / 8;
  record.request_words = (uint8_t)(words < NR_RECORD_WORDS ? words : NR_RECORD_WORDS);
  memcpy(record.request, request + 1, record.request_words * sizeof(uint64_t));
  return record;
}

static const char *print(const struct nr_record *record) {
  static char text[1024];
  size_t length = nr_record_print(record, text, sizeof text);
  cr_assert_eq(length, strlen(text));
  return text;
}

Test(recorder, calls_print_as_in_a_trace) {
  Nr__ValueRequest request = NR__VALUE_REQUEST__INIT;
  request.value = nr_value_from_double(1.5);
  struct nr_record record = record_of(NR_OP_NAPI_GET_VALUE_DOUBLE, &request.base);
  record.reply_words = 1;
  double answer = 1.5;
  memcpy(record.reply, &answer, sizeof answer);
  cr_assert_str_eq(print(&record), "napi_get_value_double {value=1.5} = napi_ok {result=1.5}");
  record.status = 10;
  cr_assert_str_eq(print(&record), "napi_get_value_double {value=1.5} = napi_pending_exception");
  record.state = NR_RECORD_OPEN;
  cr_assert_str_eq(print(&record), "napi_get_value_double {value=1.5}");
  record.kind = NR_RECORD_REFUSED;
  strcpy(record.extra.text, "napi_get_value_double");
  record.status = 1;
  cr_assert_str_eq(print(&record), "napi_get_value_double (refused) = napi_invalid_arg");
}

Test(recorder, texts_and_lists_are_as_long_as_was_kept) {
  Nr__SetNamedPropertyRequest named = NR__SET_NAMED_PROPERTY_REQUEST__INIT;
  named.object = nr_value_handle(NR_TAG_OBJECT, true, 1, 3);
  named.utf8name = nr_span_make(0, 5);
  named.value = NR_TRUE;
  struct nr_record record = record_of(NR_OP_NAPI_SET_NAMED_PROPERTY, &named.base);
  memcpy(record.extra.text, "width", 5);
  record.text_length = 5;
  record.tail_length = 5;
  cr_assert_str_eq(print(&record),
                   "napi_set_named_property {object=object#h3, utf8name=\"width\", value=true} = napi_ok");
  record.text_length = 2;
  cr_assert_str_eq(print(&record),
                   "napi_set_named_property {object=object#h3, utf8name=\"wi\"…(5), value=true} = napi_ok");

  Nr__InvokeRequest invoke = NR__INVOKE_REQUEST__INIT;
  invoke.callback_id = 1;
  invoke.n_values = 8;
  record = record_of(NR_OP_INVOKE, &invoke.base);
  record.kind = NR_RECORD_ENTRY;
  record.values = 2;
  record.extra.values[0] = NR_UNDEFINED;
  record.extra.values[1] = nr_value_from_double(7);
  cr_assert_str_eq(print(&record), "> invoke {callback_id=#0.0, values=[undefined, 7, …(8)], …}");
  /* The pointers that came along lead nowhere. */
  record.values = 0;
  record.request[2] = UINT64_C(0x4141414141414141);
  cr_assert_str_eq(print(&record), "> invoke {callback_id=#0.0, values=[…(8)], …}");
}

Test(recorder, records_are_shown_in_order) {
  struct nr_record_ring ring = {.thread = 1};
  const struct nr_record *sorted[NR_RECORDS];
  for (uint64_t serial = 30; serial < 30 + NR_RECORDS; serial++) {
    struct nr_record *record = &ring.records[serial % NR_RECORDS];
    *record = (struct nr_record){.serial = serial, .kind = NR_RECORD_ENTRY, .opcode = NR_OP_INVOKE};
  }
  ring.records[0].serial = 0; /* was being written */
  ring.records[1].opcode = 0xffff;
  ring.records[2].kind = 77;
  cr_assert_eq(nr_record_sort(&ring, sorted), NR_RECORDS - 3);
  for (size_t i = 1; i < NR_RECORDS - 3; i++) cr_assert_lt(sorted[i - 1]->serial, sorted[i]->serial);
}

Test(recorder, memory_of_another_size_or_without_a_recorder_is_none) {
  int fd = nr_recorder_create();
  cr_assert_geq(fd, 0);
  cr_assert_null(nr_recorder_read(fd)); /* the host has not come that far */
  cr_assert_lt(ftruncate(fd, 1), 0);    /* nor can it shrink below the reader */
  struct nr_recorder *recorder = nr_recorder_map(fd);
  cr_assert_not_null(recorder);
  struct nr_recorder *copy = nr_recorder_read(fd);
  cr_assert_not_null(copy);
  char *json = nr_recorder_json(copy);
  cr_assert_str_eq(json, "{\"words\":\"\",\"crash\":null,\"rings\":[]}");
  free(json);
  nr_recorder_drop(copy);
  recorder->version++;
  cr_assert_null(nr_recorder_read(fd));
  munmap(recorder, sizeof *recorder);
  close(fd);
  cr_assert_null(nr_recorder_map(STDIN_FILENO));
  cr_assert_null(nr_recorder_read(-1));
}

/* ---- Garbage ---- */

static uint64_t state;

static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static void scribble(void *memory, size_t size) {
  uint8_t *bytes = memory;
  for (size_t i = 0; i + 8 <= size; i += 8) {
    uint64_t word = next();
    memcpy(bytes + i, &word, sizeof word);
  }
}

/* Half of them are nonsense altogether, the others get as far as being printed. */
static void scribble_record(struct nr_record *record) {
  scribble(record, sizeof *record);
  if (next() % 2 == 0) return;
  record->kind = (uint8_t)(1 + next() % 3);
  record->state = next() % 2;
  record->opcode = (uint16_t)((next() % 8) << 8 | next() % 100);
  record->status = (uint16_t)(next() % 30);
  if (next() % 2 == 0) record->tail_length = (uint32_t)(next() % 64);
  for (unsigned i = 0; i < NR_RECORD_WORDS; i++) {
    if (next() % 2 == 0) record->request[i] = next() % 100;
  }
}

/* What it says must be a string that JSON can carry: no line has a control character, no quote is left open. */
static void check_json(const char *json) {
  bool quoted = false;
  for (const char *at = json; *at != '\0'; at++) {
    cr_assert_geq((unsigned char)*at, 0x20);
    if (quoted && *at == '\\') {
      at++;
    } else if (*at == '"') {
      quoted = !quoted;
    }
  }
  cr_assert_not(quoted);
  cr_assert_str_eq(json + strlen(json) - 2, "]}");
}

Test(recorder, garbage_of_10000_seeds_is_read_without_harm, .timeout = 200) {
  int fd = nr_recorder_create();
  struct nr_recorder *recorder = nr_recorder_map(fd);
  cr_assert_not_null(recorder);
  for (uint64_t seed = 1; seed <= 10000; seed++) {
    state = seed * UINT64_C(0x9e3779b97f4a7c15);
    scribble(&recorder->crash, offsetof(struct nr_crash, paths) + 4096);
    memset(recorder->crash.paths + NR_CRASH_PATHS - 4096, (int)next(), 4096);
    if (next() % 2 == 0) {
      recorder->crash.state = NR_CRASH_SIGNAL;
      recorder->crash.module_count = (uint32_t)(next() % (NR_CRASH_MODULES_MAX + 2));
      recorder->crash.frame_count = (uint32_t)(next() % (NR_CRASH_FRAMES_MAX + 2));
    }
    struct nr_record_ring *ring = &recorder->rings[next() % NR_RECORD_RINGS];
    for (unsigned i = 0; i < 16; i++) scribble_record(&ring->records[next() % NR_RECORDS]);
    struct nr_recorder *copy = nr_recorder_read(fd);
    cr_assert_not_null(copy);
    char *json = nr_recorder_json(copy);
    cr_assert_not_null(json);
    check_json(json);
    free(json);
    nr_recorder_drop(copy);
    memset(ring, 0, sizeof *ring);
  }
  munmap(recorder, sizeof *recorder);
  close(fd);
}
