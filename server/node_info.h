/*
 * What the handshake tells of this Node; set once by the first agent (agent.c).
 */
#ifndef NR_SERVER_NODE_INFO_H
#define NR_SERVER_NODE_INFO_H

#include "napi.pb-c.h"

void nr_node_info_fill(Nr__Hello *hello);
unsigned nr_node_major(void);

#endif
