/*
 * What a program's calls come to, line by line.
 */
#include "random.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT (1u << 20)

static char *text;
static size_t length, room;
static bool prints;

void rd_transcript_print(void) {
  prints = true;
}

void rd_transcript_clear(void) {
  length = 0;
}

size_t rd_transcript_length(void) {
  return length;
}

const char *rd_transcript_text(size_t *result) {
  *result = length;
  return text == NULL ? "" : text;
}

static char *reserve(size_t more) {
  if (length + more > LIMIT) return NULL;
  if (length + more > room) {
    room = (length + more) * 2;
    text = realloc(text, room);
    if (text == NULL) abort();
  }
  return text + length;
}

void rd_print(const char *format, ...) {
  char piece[256];
  va_list arguments;
  va_start(arguments, format);
  int count = vsnprintf(piece, sizeof piece, format, arguments);
  va_end(arguments);
  if (count < 0 || (size_t)count >= sizeof piece) abort();
  if (prints) fputs(piece, stderr);
  char *place = reserve((size_t)count);
  if (place == NULL) return;
  memcpy(place, piece, (size_t)count);
  length += (size_t)count;
}

static uint32_t hash(const uint8_t *bytes, size_t count) {
  uint32_t sum = 2166136261u;
  for (size_t i = 0; i < count; i++) sum = (sum ^ bytes[i]) * 16777619u;
  return sum;
}

void rd_print_bytes(const void *bytes, size_t count) {
  const uint8_t *byte = bytes;
  size_t shown = count < 48 ? count : 48;
  rd_print("'");
  for (size_t i = 0; i < shown; i++) {
    if (byte[i] >= ' ' && byte[i] < 0x7f && byte[i] != '\\' && byte[i] != '\'') {
      rd_print("%c", byte[i]);
    } else {
      rd_print("\\%02x", byte[i]);
    }
  }
  rd_print("'");
  if (shown < count) rd_print("...%zu#%08x", count, (unsigned)hash(byte, count));
}

const char *rd_status(napi_status status) {
  static const char *const names[] = {
      "ok",
      "invalid_arg",
      "object_expected",
      "string_expected",
      "name_expected",
      "function_expected",
      "number_expected",
      "boolean_expected",
      "array_expected",
      "generic_failure",
      "pending_exception",
      "cancelled",
      "escape_called_twice",
      "handle_scope_mismatch",
      "callback_scope_mismatch",
      "queue_full",
      "closing",
      "bigint_expected",
      "date_expected",
      "arraybuffer_expected",
      "detachable_arraybuffer_expected",
      "would_deadlock",
      "no_external_buffers_allowed",
      "cannot_run_js",
  };
  return (size_t)status < sizeof names / sizeof names[0] ? names[status] : "unknown status";
}
