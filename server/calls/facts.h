/*
 * What goes along with a value, so that the host need not ask (facts.c).
 */
#ifndef NR_SERVER_FACTS_H
#define NR_SERVER_FACTS_H

#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>

#include "napi.pb-c.h"
#include "wire/port.h"
#include "wire/value.h"

struct nr_connection;
struct nr_dispatch;

/* Where facts and bytes of an entry or a reply are put together: everything in the connection's arena. */
struct nr_describe {
  struct nr_connection *connection;
  napi_env napi;
  struct nr_slice *tail;
  uint32_t tail_count;
  uint32_t tail_room;
  uint32_t tail_length;
};

/* The value on the wire; objects get a handle of `given`. NR_ABSENT over a quota. `type`: its typeof. */
nr_value nr_give_argument(struct nr_connection *connection, napi_env napi, napi_value value, napi_valuetype *type);
/* What stands for a value that takes a handle: its tag and place (SnapshotReply.values). */
nr_value nr_mark_value(napi_env napi, napi_value value, uint32_t place, napi_valuetype *type);
/* Of a value that is read only so many go along unasked: a question costs what copying 4 to 16 KiB does. */
#define NR_READ_BYTES 4096u
/* Whose bytes go along. */
enum nr_bytes {
  NR_BYTES_NONE,
  NR_BYTES_READ,  /* of a small view that native code may read */
  NR_BYTES_GIVEN, /* of any view that is an argument */
};

/* Fills a fact about the value; false: nothing worth telling. `wrap`: look for one. */
bool nr_describe_value(struct nr_describe *describe, napi_value value, napi_valuetype type, bool wrap,
                       enum nr_bytes bytes, Nr__Fact *fact);
/* Has `function` just made an object that nobody else has? That of Object.create(null) many addons put rows into. */
void nr_note_fresh(struct nr_dispatch *d, const Nr__CallFunctionRequest *request, napi_value function,
                   Nr__KnownReply *reply);

#endif
