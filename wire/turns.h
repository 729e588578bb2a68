/*
 * Which calls of the host give JavaScript the turn as such, and which only might, by way of a getter or a proxy. Both
 * go with what is hot, or known to change; only the former with all that is cold: an addon that reads 250 properties of
 * an options object would otherwise look at everything 250 times.
 */
#ifndef NR_WIRE_TURNS_H
#define NR_WIRE_TURNS_H

#include <stdbool.h>

#include "opcodes.h"

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

#endif
