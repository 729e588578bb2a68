/*
 * Pointers of the addon that JavaScript holds on to, by id (objects.c), and how their finalizers come to run
 * (finalizers.c).
 */
#ifndef NR_SERVER_OBJECTS_H
#define NR_SERVER_OBJECTS_H

#include "server/server-private.h"

struct nr_dispatch;
struct nr_reference;

/* What a real wrap, external, finalizer or external string holds. */
struct nr_wrap {
  struct nr_connection *connection; /* counted */
  struct nr_env *env;
  nr_id object_id;                /* in the host */
  nr_id self;                     /* in agent->objects; 0: nobody looks it up */
  bool finalize;                  /* the addon has a finalizer */
  struct nr_reference *reference; /* the addon's own, of napi_wrap(); NULL: none */
  struct nr_wrap *next;           /* external strings of an env */
  struct nr_wrap **link;          /* NULL: in no list */
};

/* `look_up`: the real object holds wrap->self. NULL: without memory. */
struct nr_wrap *nr_wrap_create(struct nr_dispatch *dispatch, nr_id object_id, bool finalize, bool look_up);
void nr_wrap_free(struct nr_wrap *wrap);
/* The same, and the host forgets the object without calling anything. */
void nr_wrap_release(struct nr_wrap *wrap);
/* Its finalizer is not to run: the addon deleted the reference that came with it. */
void nr_wrap_silence(struct nr_wrap *wrap);
/* Runs the addon's finalizer as an entry, outside of any collection, if there is one and the host lives; frees. */
void nr_wrap_enter(struct nr_wrap *wrap);
/* The napi_finalize of all of them; hint: the wrap. */
void nr_wrap_finalize(napi_env napi, void *data, void *hint);

/* Waits until the host has run all that a collection has called. */
void nr_finalizers_drain(struct nr_env *env);
/* The host is to run this finalizer as one that a collection calls. Safe inside a collection. */
void nr_finalize_basic(struct nr_wrap *wrap, bool orphan);

/* What the host knows under an id for the pointer that a wrap or an external holds; 0: it is not of this connection. */
nr_id nr_object_of(struct nr_connection *connection, void *pointer);

#endif
