/*
 * Memory of external SharedArrayBuffers. V8 lets go of it on any thread, also inside a collection and after the end of
 * the thread that made it: all that happens then is that the memory goes and the block is handed to the queue of its
 * connection, which the connection's thread empties before the host gets the turn. Connections belong to one thread,
 * so the queue is an object of its own, which lives as long as any of its blocks.
 */
#include "server/memory/external_shared.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "server/calls/objects.h"
#include "server/dispatch.h"

struct nr_shared_queue {
  pthread_mutex_t mutex;
  uint32_t references; /* the connection's, and one of each block that V8 has */
  bool closed;         /* the connection is gone */
  atomic_bool some;    /* `gone` is not empty: asked without the mutex */
  struct nr_shared *live;
  struct nr_shared *gone;
};

struct nr_shared {
  struct nr_shared_queue *queue;
  struct nr_env *env; /* only compared */
  nr_id object_id;    /* 0: no finalizer, or it has been called */
  uint8_t *bytes;
  uint64_t length;
  struct nr_shared *next;
  struct nr_shared **link; /* of those that live */
};

static struct nr_shared_queue *queue_of(struct nr_connection *connection) {
  struct nr_shared_queue *queue = connection->shared;
  if (queue != NULL) return queue;
  queue = calloc(1, sizeof *queue);
  if (queue == NULL) return NULL;
  if (pthread_mutex_init(&queue->mutex, NULL) != 0) {
    free(queue);
    return NULL;
  }
  queue->references = 1;
  return connection->shared = queue;
}

/* With the mutex, which it gives back. */
static void unref(struct nr_shared_queue *queue) {
  bool last = --queue->references == 0;
  pthread_mutex_unlock(&queue->mutex);
  if (!last) return;
  pthread_mutex_destroy(&queue->mutex);
  free(queue);
}

static void free_list(struct nr_shared *list) {
  while (list != NULL) {
    struct nr_shared *next = list->next;
    free(list);
    list = next;
  }
}

static void unlink_live(struct nr_shared *shared) {
  *shared->link = shared->next;
  if (shared->next != NULL) shared->next->link = shared->link;
}

struct nr_shared *nr_shared_create(struct nr_dispatch *d, uint64_t length, nr_id object_id) {
  struct nr_shared_queue *queue = queue_of(d->connection);
  struct nr_shared *shared = queue == NULL ? NULL : calloc(1, sizeof *shared);
  if (shared == NULL) return NULL;
  *shared = (struct nr_shared){.queue = queue, .env = d->env, .object_id = object_id, .length = length};
  void *bytes = mmap(NULL, length + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (bytes == MAP_FAILED) {
    free(shared);
    return NULL;
  }
  shared->bytes = bytes;
  pthread_mutex_lock(&queue->mutex);
  queue->references++;
  shared->next = queue->live;
  shared->link = &queue->live;
  if (shared->next != NULL) shared->next->link = &shared->next;
  queue->live = shared;
  pthread_mutex_unlock(&queue->mutex);
  return shared;
}

uint8_t *nr_shared_bytes(const struct nr_shared *shared) {
  return shared->bytes;
}

void nr_shared_drop(struct nr_shared *shared) {
  shared->object_id = 0;
  nr_shared_delete(shared->bytes, shared);
}

void nr_shared_delete(void *data, void *hint) {
  struct nr_shared *shared = hint;
  struct nr_shared_queue *queue = shared->queue;
  munmap(data, shared->length + 1);
  pthread_mutex_lock(&queue->mutex);
  unlink_live(shared);
  if (queue->closed || shared->object_id == 0) {
    free(shared);
  } else {
    shared->next = queue->gone;
    queue->gone = shared;
    atomic_store(&queue->some, true);
  }
  unref(queue);
}

void nr_shared_flush(struct nr_connection *connection) {
  struct nr_shared_queue *queue = connection->shared;
  if (queue == NULL || !atomic_load(&queue->some)) return;
  pthread_mutex_lock(&queue->mutex);
  struct nr_shared *gone = queue->gone;
  queue->gone = NULL;
  atomic_store(&queue->some, false);
  pthread_mutex_unlock(&queue->mutex);
  for (struct nr_shared *each = gone; each != NULL; each = each->next)
    nr_release_basic(connection, each->object_id, true);
  free_list(gone);
}

/* In one process they run with the end of the isolate, which the host does not live to see. */
void nr_shared_orphan(struct nr_env *env) {
  struct nr_shared_queue *queue = env->connection->shared;
  bool any = false;
  if (queue == NULL || nr_port_failure(env->connection->port) < 0) return;
  nr_shared_flush(env->connection);
  pthread_mutex_lock(&queue->mutex);
  for (struct nr_shared *each = queue->live; each != NULL; each = each->next) {
    if (each->env != env || each->object_id == 0) continue;
    nr_release_basic(env->connection, each->object_id, true);
    each->object_id = 0;
    any = true;
  }
  pthread_mutex_unlock(&queue->mutex);
  if (any) nr_finalizers_drain(env);
}

void nr_shared_close(struct nr_shared_queue *queue) {
  if (queue == NULL) return;
  pthread_mutex_lock(&queue->mutex);
  queue->closed = true;
  free_list(queue->gone);
  queue->gone = NULL;
  unref(queue);
}
