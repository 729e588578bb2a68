/*
 * What external buffers show when they are made comes from the host, as it is there.
 */
#ifndef NR_SERVER_EXTERNAL_COPY_H
#define NR_SERVER_EXTERNAL_COPY_H

#include "server/memory/mirror.h"

struct nr_dispatch;
struct nr_parts;

/* These parts of what the host has at that address go to `memory`. What cannot be read (the addon has taken the rights
 * to it away) is zeros. */
void nr_external_copy(struct nr_dispatch *d, uint64_t address, uint8_t *memory, const struct nr_parts *parts);
/* The same for a window on the mirror, which others may show as well: of what they do only what the host has written
 * comes, so that nothing is lost of what JavaScript has. */
void nr_external_mirror(struct nr_dispatch *d, uint64_t address, const struct nr_mirror_window *window,
                        const struct nr_parts *parts);

#endif
