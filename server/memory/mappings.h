/* Where this process maps a file, as /proc/self/maps tells. That takes a millisecond. */
#ifndef NR_SERVER_MAPPINGS_H
#define NR_SERVER_MAPPINGS_H

#include <stdbool.h>
#include <stdint.h>

/* Calls `visit` for each mapping of the open file; place: in the file. False: they cannot be read. */
bool nr_mappings_of(int file, void (*visit)(uint64_t address, uint64_t place, uint64_t length, void *context),
                    void *context);

#endif
