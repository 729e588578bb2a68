/*
 * BigInts of any length.
 */
#include <limits.h>

#include "client/client-private.h"

NR_EXPORT napi_status NAPI_CDECL napi_create_bigint_words(napi_env env, int sign_bit, size_t word_count,
                                                          const uint64_t *words, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, words);
  NR_CHECK_JS_ARG(env, result);
  if (word_count > INT_MAX) return nr_refuse_js(env, __func__, napi_invalid_arg);
  Nr__CreateBigintWordsRequest request = NR__CREATE_BIGINT_WORDS_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CREATE_BIGINT_WORDS, &request.base);
  request.sign_bit = sign_bit;
  request.word_count = word_count;
  request.words = nr_call_bytes(&call, words, word_count > NR_BIGINT_WORDS_MAX ? 0 : word_count * sizeof *words);
  request.result = nr_call_result_tagged(&call, NR_TAG_BIGINT);
  napi_status status = nr_call_wait_js(&call); /* too long a one throws a RangeError */
  if (status == napi_ok) *result = nr_unwire(((const Nr__ValueReply *)call.reply)->result);
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_value_bigint_words(napi_env env, napi_value value, int *sign_bit,
                                                             size_t *word_count, uint64_t *words) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, value);
  NR_CHECK_ARG(env, word_count);
  Nr__GetValueBigintWordsRequest request = NR__GET_VALUE_BIGINT_WORDS_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_GET_VALUE_BIGINT_WORDS, &request.base);
  request.value = nr_wire(value);
  request.measure = sign_bit == NULL && words == NULL;
  request.word_count = *word_count;
  if (nr_value_tag(request.value) != NR_TAG_BIGINT) return nr_call_end(&call, napi_bigint_expected);
  if (!request.measure && (sign_bit == NULL || words == NULL)) return nr_call_end(&call, napi_invalid_arg);
  napi_status status = nr_call_wait(&call);
  if (status == napi_ok) {
    const Nr__GetValueBigintWordsReply *reply = call.reply;
    size_t room = *word_count;
    *word_count = reply->word_count;
    if (!request.measure) {
      const uint8_t *bytes = nr_frame_bytes(&call.frame, reply->words);
      *sign_bit = reply->sign_bit;
      if (bytes != NULL && nr_span_length(reply->words) <= room * sizeof *words) {
        memcpy(words, bytes, nr_span_length(reply->words));
      }
    }
  }
  return nr_call_end(&call, status);
}
