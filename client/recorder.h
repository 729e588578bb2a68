/*
 * The flight recorder's writing end (wire/recorder.h): every call and every entry, also those that are answered here.
 * It costs a few nanoseconds, and is never off.
 */
#ifndef NR_CLIENT_RECORDER_H
#define NR_CLIENT_RECORDER_H

#include <node_api.h>
#include <stdint.h>

#include "wire/frame.h"
#include "wire/recorder.h"

struct nr_call;
struct nr_channel;

/* A record that is not done yet. */
struct nr_open_record {
  struct nr_record *record;
  uint64_t serial; /* that it had: others may have taken its place */
};

/* The words with which the process ends itself. */
void nr_recorder_note(const char *text);

/* Before any other thread runs. NULL: that descriptor is no recorder. */
struct nr_recorder *nr_recorder_open(int fd);
/* The calling thread, which has a channel, gets a ring of its own until it ends. */
void nr_recorder_thread_begin(void);

void nr_record_local(napi_env env, unsigned opcode, const ProtobufCMessage *request, const ProtobufCMessage *reply,
                     napi_status status);
void nr_record_refused(napi_env env, const char *function, napi_status status);
/* A call on its way, and its end; the end alone also notes what never began. */
void nr_record_call(struct nr_call *call);
void nr_record_call_end(struct nr_call *call, napi_status status);
struct nr_open_record nr_record_entry(const struct nr_channel *channel, const struct nr_frame *frame,
                                      const ProtobufCMessage *request);
void nr_record_end(const struct nr_open_record *open, napi_status status, const ProtobufCMessage *reply);

#endif
