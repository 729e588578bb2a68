/*
 * The trace: one line on stderr for each call, whether it was answered here, posted or waited for.
 *
 *   [4711]   napi_get_value_double {value=1.5} = napi_ok {result=1.5}
 *
 * The indentation is the depth of the turn stack; `> invoke …` are entries from the server.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/client-private.h"
#include "wire/print.h"

#define NR_TRACE_MESSAGE 512

bool nr_tap_on;

void nr_trace_enable(void) {
  nr_tap_on = true;
}

/* One write a line, so that the lines of two processes do not mix. */
static void print_line(const char *line, int length, size_t size) {
  if (length < 0) return;
  if (write(STDERR_FILENO, line, (size_t)length < size ? (size_t)length : size - 1) < 0) return;
}

static void print_call(napi_env env, const char *name, const char *asked, napi_status status, const char *answered) {
  char line[3 * NR_TRACE_MESSAGE];
  int length = snprintf(line, sizeof line, "[%d] %*s%s %s = %s%s%s\n", (int)getpid(), (int)env->channel->depth * 2, "",
                        name, asked, nr_status_name((unsigned)status), answered[0] == '\0' ? "" : " ", answered);
  print_line(line, length, sizeof line);
}

/* The tail of a call lies in pieces: the printer wants it in one. */
static void print_request(const struct nr_call *call, char *text, size_t size) {
  uint8_t *tail = nr_print_join(call->tail, call->tail_count);
  nr_print_message(text, size, call->request, tail, tail == NULL ? 0 : call->tail_length);
  free(tail);
}

void nr_tap(const struct nr_call *call, napi_status status) {
  char asked[NR_TRACE_MESSAGE], answered[NR_TRACE_MESSAGE] = "";
  print_request(call, asked, sizeof asked);
  if (call->reply != NULL && status == napi_ok) {
    nr_print_message(answered, sizeof answered, call->reply, call->frame.tail, call->frame.header.tail_length);
  }
  print_call(call->env, nr_op_info(call->opcode)->name, asked, status, answered);
}

void nr_tap_local(napi_env env, unsigned opcode, const ProtobufCMessage *request, const ProtobufCMessage *reply,
                  napi_status status) {
  char asked[NR_TRACE_MESSAGE], answered[NR_TRACE_MESSAGE] = "";
  nr_print_message(asked, sizeof asked, request, NULL, 0);
  if (reply != NULL) nr_print_message(answered, sizeof answered, reply, NULL, 0);
  print_call(env, nr_op_info(opcode)->name, asked, status, answered);
}

void nr_tap_refused(napi_env env, const char *function, napi_status status) {
  print_call(env, function, "(refused)", status, "");
}

void nr_tap_entry(const struct nr_channel *channel, const struct nr_frame *frame, const ProtobufCMessage *request) {
  char asked[NR_TRACE_MESSAGE], line[2 * NR_TRACE_MESSAGE];
  nr_print_message(asked, sizeof asked, request, frame->tail, frame->header.tail_length);
  int length = snprintf(line, sizeof line, "[%d] %*s> %s %s\n", (int)getpid(), (int)(channel->depth - 1) * 2, "",
                        nr_op_info(frame->header.opcode)->name, asked);
  print_line(line, length, sizeof line);
}
