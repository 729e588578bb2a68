/*
 * Published addons delete references, and count them, on threads that are not the env's. Node happens to survive that,
 * mostly; here the server is told at the next entry, which is rung for.
 */
#include <pthread.h>
#include <stdlib.h>

#include "client/channel.h"

#include "client/client-private.h"
#include "client/loop.h"

struct nr_foreign {
  struct nr_foreign *next;
  napi_env env;
  nr_id ref_id;
  enum nr_foreign_call what;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

bool nr_is_foreign(napi_env env) {
  return nr_channel_current() != env->channel;
}

napi_status nr_foreign_note(napi_env env, nr_id ref_id, enum nr_foreign_call what) {
  struct nr_foreign *foreign = malloc(sizeof *foreign);
  if (foreign == NULL) return napi_generic_failure;
  *foreign = (struct nr_foreign){.env = env, .ref_id = ref_id, .what = what};
  pthread_mutex_lock(&mutex);
  foreign->next = env->channel->foreign;
  __atomic_store_n(&env->channel->foreign, foreign, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&mutex);
  nr_loop_ring(env->channel);
  return napi_ok;
}

static struct nr_foreign *take_all(struct nr_channel *channel) {
  struct nr_foreign *oldest = NULL;
  pthread_mutex_lock(&mutex);
  struct nr_foreign *newest = channel->foreign;
  channel->foreign = NULL;
  pthread_mutex_unlock(&mutex);
  while (newest != NULL) {
    struct nr_foreign *next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  return oldest;
}

static void post(struct nr_channel *channel, const struct nr_foreign *foreign) {
  static const unsigned opcodes[] = {
      [NR_FOREIGN_DELETE] = NR_OP_NAPI_DELETE_REFERENCE,
      [NR_FOREIGN_REF] = NR_OP_NAPI_REFERENCE_REF,
      [NR_FOREIGN_UNREF] = NR_OP_NAPI_REFERENCE_UNREF,
  };
  Nr__ReferenceRequest request = NR__REFERENCE_REQUEST__INIT;
  struct nr_frame_header header = {.env = foreign->env->number,
                                   .opcode = (uint16_t)opcodes[foreign->what],
                                   .depth = (uint16_t)channel->depth,
                                   .kind = NR_KIND_POST};
  request.ref_id = foreign->ref_id;
  if (nr_port_send(channel->port, &header, &request.base, NULL, 0) < 0) nr_channel_lost(channel);
}

void nr_foreign_serve(struct nr_channel *channel) {
  for (struct nr_foreign *each = take_all(channel), *next; each != NULL; each = next) {
    next = each->next;
    post(channel, each);
    free(each);
  }
}

void nr_foreign_end(struct nr_channel *channel) {
  for (struct nr_foreign *each = take_all(channel), *next; each != NULL; each = next) {
    next = each->next;
    free(each);
  }
}
