/*
 * The form in which the fuzz target of the server's dispatch takes frames, and in which a host writes down what it
 * sends. A record is an opcode's low byte, a byte of bits, the lengths of message and tail (2 bytes each, little
 * endian), and those bytes. Handles and ids in a message are written as numbers that the target makes something of
 * that lives, since what is alive depends on all that came before.
 */
#ifndef NR_TESTS_RECORDS_H
#define NR_TESTS_RECORDS_H

#include "wire/frame.h"

enum nr_record {
  NR_RECORD_CLASS = 3, /* opcode >> 8 */
  NR_RECORD_POST = 4,
  NR_RECORD_RETURN = 8, /* of whatever entry is innermost */
  NR_RECORD_RAW = 16,   /* nothing is made right: depth, sequence, values, ids, spans */
  NR_RECORD_ODD = 32,   /* the header has flags and a status */
  NR_RECORD_OTHER = 64, /* on the other env */
};
#define NR_RECORD_HEADER 6u

/* A value of a message, in its low bits what it is and above them which. */
enum nr_recorded {
  NR_RECORDED_GIVEN,
  NR_RECORDED_CHOSEN,
  NR_RECORDED_SPECIAL,
  NR_RECORDED_DOUBLE,
  NR_RECORDED_ODD = 7
};

#endif
