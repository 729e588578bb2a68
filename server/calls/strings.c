/*
 * Reading strings that did not travel along, and bigints.
 */
#include <limits.h>
#include <string.h>

#include "handlers.h"
#include "server/calls/facts.h"

typedef napi_status (*reader)(napi_env napi, napi_value value, void *buffer, size_t size, size_t *length);

static napi_status read_latin1(napi_env napi, napi_value value, void *buffer, size_t size, size_t *length) {
  return napi_get_value_string_latin1(napi, value, buffer, size, length);
}
static napi_status read_utf8(napi_env napi, napi_value value, void *buffer, size_t size, size_t *length) {
  return napi_get_value_string_utf8(napi, value, buffer, size, length);
}
static napi_status read_utf16(napi_env napi, napi_value value, void *buffer, size_t size, size_t *length) {
  return napi_get_value_string_utf16(napi, value, buffer, size, length);
}

/* The size of a short string is nearly always asked for right before its contents: they go along. */
static void add_contents(struct nr_dispatch *d, nr_value id, napi_value value, Nr__Fact **fact) {
  Nr__Fact *found = nr_dispatch_alloc(d, sizeof *found);
  if (found == NULL) return;
  nr__fact__init(found);
  struct nr_describe describe = {.connection = d->connection,
                                 .napi = d->napi,
                                 .tail = d->tail,
                                 .tail_count = d->tail_count,
                                 .tail_room = NR_DISPATCH_SLICES,
                                 .tail_length = d->tail_length};
  if (!nr_describe_value(&describe, value, napi_string, false, NR_BYTES_NONE, found)) return;
  found->value = id;
  *fact = found;
  d->tail_count = describe.tail_count;
  d->tail_length = describe.tail_length;
}

/* `bufsize` is the addon's; what is allocated here follows the string, which is as long as it is. */
static napi_status read_string(struct nr_dispatch *d, const Nr__GetValueStringRequest *request,
                               Nr__GetValueStringReply *reply, reader read, size_t unit) {
  napi_value value;
  size_t length = 0;
  NR_TAKE(d, request->value, &value);
  NR_TRY(read(d->napi, value, NULL, 0, &length));
  reply->text = NR_SPAN_NULL;
  if (request->measure) {
    reply->result = length;
    add_contents(d, request->value, value, &reply->fact);
    return napi_ok;
  }
  size_t size = request->bufsize < length + 1 ? request->bufsize : length + 1;
  if (size == 0) return napi_ok;
  void *buffer = nr_dispatch_alloc(d, size * unit);
  if (buffer == NULL) return napi_generic_failure;
  NR_TRY(read(d->napi, value, buffer, size, &length));
  reply->result = length;
  reply->text = nr_dispatch_bytes(d, buffer, length * unit);
  return napi_ok;
}

napi_status nr_serve_napi_get_value_string_latin1(struct nr_dispatch *d, const void *message, void *answer) {
  return read_string(d, message, answer, read_latin1, 1);
}

napi_status nr_serve_napi_get_value_string_utf8(struct nr_dispatch *d, const void *message, void *answer) {
  return read_string(d, message, answer, read_utf8, 1);
}

napi_status nr_serve_napi_get_value_string_utf16(struct nr_dispatch *d, const void *message, void *answer) {
  return read_string(d, message, answer, read_utf16, sizeof(char16_t));
}

napi_status nr_serve_napi_create_bigint_words(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__CreateBigintWordsRequest *request = message;
  Nr__ValueReply *reply = answer;
  napi_value result = NULL;
  const char *bytes;
  size_t length;
  NR_TAKE_BYTES(d, request->words, &bytes, &length);
  uint64_t *words = nr_dispatch_alloc(d, length + sizeof *words);
  if (words == NULL) return napi_generic_failure;
  if (length > 0) memcpy(words, bytes, length);
  if (request->word_count <= NR_BIGINT_WORDS_MAX && request->word_count != length / sizeof *words) {
    return nr_fault(d, "fewer words than it says");
  }
  NR_TRY(napi_create_bigint_words(d->napi, request->sign_bit, request->word_count, words, &result));
  return nr_give(d, request->result, result, &reply->result);
}

napi_status nr_serve_napi_get_value_bigint_words(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__GetValueBigintWordsRequest *request = message;
  Nr__GetValueBigintWordsReply *reply = answer;
  napi_value value;
  size_t count = 0;
  int sign = 0;
  NR_TAKE(d, request->value, &value);
  NR_TRY(napi_get_value_bigint_words(d->napi, value, NULL, &count, NULL));
  reply->word_count = count;
  if (request->measure) return napi_ok;
  size_t room = request->word_count < count ? request->word_count : count;
  size_t fits = room;
  uint64_t *words = nr_dispatch_alloc(d, (room + 1) * sizeof *words);
  if (words == NULL) return napi_generic_failure;
  NR_TRY(napi_get_value_bigint_words(d->napi, value, &sign, &room, words));
  reply->sign_bit = sign;
  reply->words = nr_dispatch_bytes(d, words, (room < fits ? room : fits) * sizeof *words);
  reply->word_count = room;
  return napi_ok;
}
