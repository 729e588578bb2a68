/*
 * Which calls of the host give JavaScript the turn as such, and which only might, by way of a getter or a proxy. Both
 * go with all that there is to look at, but the latter only as long as that has cost no more than NR_MIGHT_BYTES since
 * JavaScript had the turn as such, or the entry began: an addon that reads 250 properties of an options object would
 * look at everything 250 times. From there on they go with what is known to change, and what is hot and small.
 */
#ifndef NR_WIRE_TURNS_H
#define NR_WIRE_TURNS_H

#include <stdbool.h>
#include <stdint.h>

#include "opcodes.h"

/* Bytes that are compared, or what takes as long: some 100 us on each side. */
#define NR_MIGHT_BYTES (UINT32_C(2) << 20)
/* What a question to the kernel takes. */
#define NR_QUESTION_BYTES UINT32_C(8192)

/* What is left of it after so much more. */
static inline uint32_t nr_might_less(uint32_t left, uint64_t cost) {
  return cost < left ? left - (uint32_t)cost : 0;
}

static inline bool nr_op_gives_turn(unsigned opcode) {
  switch (opcode) {
  case NR_OP_NAPI_CALL_FUNCTION:
  case NR_OP_NAPI_NEW_INSTANCE:
  case NR_OP_NAPI_MAKE_CALLBACK:
  case NR_OP_NAPI_RUN_SCRIPT:
  case NR_OP_NAPI_CLOSE_CALLBACK_SCOPE:
  case NR_OP_NAPI_FATAL_EXCEPTION:
  case NR_OP_RUN_COMPLETION:
  case NR_OP_TURN_NODE: return true;
  default: return false;
  }
}

/* JavaScript runs in it only behind the entry that it makes, which ends with a look at everything; until then but hooks
 * of async_hooks do. So nobody looks before what native code has written. */
static inline bool nr_op_only_enters(unsigned opcode) {
  return opcode == NR_OP_RUN_COMPLETION;
}

#endif
