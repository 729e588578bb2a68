/*
 * Calls of the agent's own JavaScript, of which the program is to notice nothing.
 */
#include "server/server-private.h"

/* What it throws is ours (no stack is left, say), and nobody must see it. But the order to stop (a timeout of vm's, or
 * its SIGINT) has to be seen: a newer V8 takes that back when a frame of C++ has caught it, and gives null for it,
 * which Node throws on when native code returns. */
static void drop_exception(napi_env napi) {
  const struct nr_agent *agent = nr_agent_current();
  napi_value exception = NULL, check, undefined, result;
  napi_valuetype type = napi_undefined;
  if (napi_get_and_clear_last_exception(napi, &exception) != napi_ok ||
      napi_typeof(napi, exception, &type) != napi_ok || type != napi_null || agent == NULL ||
      agent->plain_check == NULL || napi_get_reference_value(agent->napi, agent->plain_check, &check) != napi_ok ||
      napi_get_undefined(napi, &undefined) != napi_ok)
    return;
  /* An older one still has it: then this, which throws nothing, is stopped as well, and so will be what comes next. */
  if (napi_call_function(napi, undefined, check, 0, NULL, &result) == napi_ok)
    napi_throw(napi, exception);
  else
    napi_get_and_clear_last_exception(napi, &result);
}

bool nr_ask_js(napi_env napi, napi_value recv, napi_value function, size_t argc, const napi_value *argv,
               napi_value *result) {
  if (recv == NULL && napi_get_undefined(napi, &recv) != napi_ok) return false;
  if (napi_call_function(napi, recv, function, argc, argv, result) == napi_ok) return true;
  drop_exception(napi);
  return false;
}
