/*
 * A stack of memory for what one nesting depth needs: received frames and the messages unpacked from them. Marked
 * before a frame is received, released when it has been served, so that there is no malloc per message. Not
 * thread-safe: one arena per thread.
 */
#ifndef NR_WIRE_ARENA_H
#define NR_WIRE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct nr_arena;
struct nr_arena_mark {
  void *chunk;
  size_t used;
};

/* `cap` bounds the bytes that are held at once. NULL when there is no memory. */
struct nr_arena *nr_arena_create(size_t cap);
/* Gives back the memory that it keeps for later. */
void nr_arena_trim(struct nr_arena *arena);
void nr_arena_destroy(struct nr_arena *arena);

/* Aligned for any type, not zeroed; NULL over the cap or without memory. Large pieces (1 MiB and more) are blocks of
 * their own and go back to the system at release. */
void *nr_arena_alloc(struct nr_arena *arena, size_t size);

struct nr_arena_mark nr_arena_mark(struct nr_arena *arena);
/* Frees all that was allocated since the mark. Marks are released in the reverse order in which they were taken. */
void nr_arena_release(struct nr_arena *arena, struct nr_arena_mark mark);

#endif
