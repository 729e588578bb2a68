#include "server/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/dispatch.h"
#include "server/enter.h"
#include "wire/print.h"

#define NR_TRACE_MESSAGE 512

bool nr_server_traces;

bool nr_trace_wanted(const char *side) {
  const char *trace = getenv("NAPI_REMOTE_TRACE");
  if (trace == NULL || trace[0] == '\0' || strcmp(trace, "0") == 0) return false;
  if (strcmp(trace, "both") == 0) return true;
  if (strcmp(trace, "server") == 0) return strcmp(side, "server") == 0;
  return strcmp(side, "host") == 0;
}

/* One write a line, so that the lines of two processes do not mix. */
static void print_line(const char *line, int length) {
  if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0) return;
}

void nr_server_trace_enter(const struct nr_enter *enter) {
  char message[NR_TRACE_MESSAGE], line[2 * NR_TRACE_MESSAGE];
  size_t tail_length = 0;
  for (size_t i = 0; i < enter->tail_count; i++) tail_length += enter->tail[i].length;
  uint8_t *tail = nr_print_join(enter->tail, enter->tail_count);
  nr_print_message(message, sizeof message, enter->request, tail, tail == NULL ? 0 : tail_length);
  free(tail);
  int length = snprintf(line, sizeof line, "[server %d] %*s> %s %s\n", (int)getpid(), (int)enter->connection->depth * 2,
                        "", nr_op_info(enter->opcode)->name, message);
  print_line(line, length);
}

void nr_server_trace_call(const struct nr_dispatch *dispatch, napi_status status) {
  char asked[NR_TRACE_MESSAGE], answered[NR_TRACE_MESSAGE] = "", line[3 * NR_TRACE_MESSAGE];
  const struct nr_frame *frame = dispatch->frame;
  nr_print_message(asked, sizeof asked, dispatch->request, frame->tail, frame->header.tail_length);
  if (status == napi_ok) {
    uint8_t *tail = nr_print_join(dispatch->tail, dispatch->tail_count);
    nr_print_message(answered, sizeof answered, dispatch->answer, tail, tail == NULL ? 0 : dispatch->tail_length);
    free(tail);
  }
  int length = snprintf(line, sizeof line, "[server %d] %*s%s%s %s = %s %s\n", (int)getpid(),
                        (int)dispatch->connection->depth * 2, "", nr_op_info(frame->header.opcode)->name,
                        frame->header.kind == NR_KIND_POST ? " (posted)" : "", asked, nr_status_name(status), answered);
  print_line(line, length);
}
