/*
 * Published addons delete references, and count them, on threads that are not the env's. Node happens to survive that,
 * mostly; here it waits for the next entry, which is rung for.
 */
#include <pthread.h>
#include <stdlib.h>

#include "client/client-private.h"
#include "client/loop.h"

struct nr_foreign {
  struct nr_foreign *next;
  napi_env env;
  napi_ref ref;
  enum nr_foreign_call what;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

bool nr_is_foreign(napi_env env) {
  return nr_channel_current() != env->channel;
}

/* The counts are the channel's thread's to know, so there is none to tell. */
napi_status nr_foreign_note(napi_env env, napi_ref ref, enum nr_foreign_call what) {
  struct nr_foreign *foreign = malloc(sizeof *foreign);
  if (foreign == NULL) return napi_generic_failure;
  *foreign = (struct nr_foreign){.env = env, .ref = ref, .what = what};
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

static void carry_out(const struct nr_foreign *foreign) {
  switch (foreign->what) {
  case NR_FOREIGN_DELETE: napi_delete_reference(foreign->env, foreign->ref); break;
  case NR_FOREIGN_REF: napi_reference_ref(foreign->env, foreign->ref, NULL); break;
  case NR_FOREIGN_UNREF: napi_reference_unref(foreign->env, foreign->ref, NULL); break;
  }
}

void nr_foreign_serve(struct nr_channel *channel) {
  for (struct nr_foreign *each = take_all(channel), *next; each != NULL; each = next) {
    next = each->next;
    carry_out(each);
    free(each);
  }
}
