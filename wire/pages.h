/*
 * Memory for what is written in every call: on pages where nothing else lies. malloc() puts such things beside Buffers
 * of JavaScript's, and those, which are watched for writes in whole pages (wire/watched.h), would seem to be written in
 * every call.
 */
#ifndef NR_WIRE_PAGES_H
#define NR_WIRE_PAGES_H

#include <stddef.h>
#include <stdint.h>

/* Bytes: x86-64's. */
#define NR_PAGE UINT64_C(4096)

/* free() it. NULL without memory. */
void *nr_pages_malloc(size_t size);
/* Zeros. */
void *nr_pages_calloc(size_t size);

#endif
