/* Memory of external SharedArrayBuffers, and what happens when V8 lets go of it (external_shared.c). */
#ifndef NR_SERVER_EXTERNAL_SHARED_H
#define NR_SERVER_EXTERNAL_SHARED_H

#include "server/server-private.h"

struct nr_dispatch;
struct nr_shared;

/* Zeros. object_id: the host's finalizer, 0: none. NULL: without memory. */
struct nr_shared *nr_shared_create(struct nr_dispatch *dispatch, uint64_t length, nr_id object_id);
uint8_t *nr_shared_bytes(const struct nr_shared *shared);
/* No SharedArrayBuffer came of it: nothing is called. */
void nr_shared_drop(struct nr_shared *shared);
/* V8's deleter; hint: the nr_shared. On any thread, at any time. */
void nr_shared_delete(void *data, void *hint);

/* Has the host run the finalizers of the blocks that V8 has let go of. */
void nr_shared_flush(struct nr_connection *connection);
/* The env ends before its blocks: their finalizers run now. */
void nr_shared_orphan(struct nr_env *env);
/* The connection goes; NULL: there is none. */
void nr_shared_close(struct nr_shared_queue *queue);

#endif
