/*
 * Between the two halves of a load: the host has loaded the file, Node has not yet made an env for it. Which addon the
 * next process.dlopen() of the agent is for is remembered for the thread (agent.c).
 */
#ifndef NR_SERVER_PREPARED_H
#define NR_SERVER_PREPARED_H

#include <stdint.h>

#include "wire/table.h"

struct nr_connection;

struct nr_prepared {
  struct nr_connection *connection;
  nr_id module_id;
  int32_t api_version;
  char *file;
};

#endif
