/*
 * Records what became of many calls as rows [function, case, status, last error's text, exception].
 */
#ifndef NR_TEST_RECORDER_H
#define NR_TEST_RECORDER_H

#include "common.h"

struct t_recorder {
  napi_env env;
  napi_value rows;
  uint32_t count;
};

static inline struct t_recorder t_recorder(napi_env env) {
  return (struct t_recorder){env, t_array(env), 0};
}

static inline void t_record(struct t_recorder *recorder, const char *function, const char *what, napi_status status) {
  napi_env env = recorder->env;
  const napi_extended_error_info *info;
  T_OK(napi_get_last_error_info(env, &info));
  /* The text is only promised until the next call. */
  char message[256];
  snprintf(message, sizeof message, "%s", info->error_message ? info->error_message : "");
  bool has_message = info->error_message != NULL;
  napi_status last = info->error_code;
  bool pending;
  T_OK(napi_is_exception_pending(env, &pending));
  napi_value thrown = NULL;
  if (pending) T_OK(napi_get_and_clear_last_exception(env, &thrown));
  napi_handle_scope scope;
  T_OK(napi_open_handle_scope(env, &scope));
  napi_value row = t_array(env);
  T_OK(napi_set_element(env, row, 0, t_string(env, function)));
  T_OK(napi_set_element(env, row, 1, t_string(env, what)));
  T_OK(napi_set_element(env, row, 2, t_string(env, t_status_name(status))));
  T_OK(napi_set_element(env, row, 3, t_string(env, t_status_name(last))));
  T_OK(napi_set_element(env, row, 4, t_string(env, has_message ? message : NULL)));
  if (thrown) T_OK(napi_set_element(env, row, 5, thrown));
  T_OK(napi_set_element(env, recorder->rows, recorder->count++, row));
  T_OK(napi_close_handle_scope(env, scope));
}

/* CHECK("what is special", napi_function, arguments...) */
#define CHECK(what, function, ...) t_record(&recorder, #function, what, function(__VA_ARGS__))

#endif
