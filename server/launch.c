/*
 * The options of a start, from JavaScript.
 */
#include "server/launch.h"

#include <stdlib.h>

static uint32_t take_number(napi_env napi, napi_value options, const char *name) {
  napi_value value;
  uint32_t number = 0;
  if (napi_get_named_property(napi, options, name, &value) == napi_ok) napi_get_value_uint32(napi, value, &number);
  return number;
}

bool nr_launch_take(napi_env napi, napi_value options, struct nr_launch *launch) {
  launch->call_ms = take_number(napi, options, "callTimeout");
  launch->restarts = take_number(napi, options, "restarts") != 0;
  launch->again = take_number(napi, options, "again") != 0;
  launch->load_ms = take_number(napi, options, "loadTimeout");
  return true;
}

void nr_launch_free(struct nr_launch *launch) {
  free(launch->group);
}
