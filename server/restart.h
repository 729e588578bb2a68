/*
 * Hosts that take the place of others (restart.c).
 */
#ifndef NR_SERVER_RESTART_H
#define NR_SERVER_RESTART_H

#include "server/server-private.h"

/* Is somebody only asking whose callback this is? Then it must not do anything. */
bool nr_restart_probed(struct nr_agent *agent, struct nr_callback *callback);
/* The callback goes. */
void nr_restart_forget(struct nr_callback *callback);
/* The call could not be begun: with a pending exception, or because its host is dead. Then its successor is called, or
 * there is one afterwards. */
napi_value nr_restart_call(struct nr_callback *callback, napi_env napi, napi_callback_info info);

/* succeed(old, new): true when the old function is one of a host that is dead. It calls functions that it does not
 * know. */
napi_value nr_restart_succeed(napi_env napi, napi_callback_info info);
/* gone(object): ERR_NAPI_REMOTE_GONE for one that wraps something of a host that is dead, else undefined. */
napi_value nr_restart_gone(napi_env napi, napi_callback_info info);
/* inherit(old, heir): serials; the heir has the old one's place. */
napi_value nr_restart_inherit(napi_env napi, napi_callback_info info);

#endif
