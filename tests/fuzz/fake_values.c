/*
 * Values, handles and scopes, references, and a collector.
 */
#include "fake_napi.h"

struct napi_handle_scope__ {
  struct napi_value__ *handles;
  struct napi_handle_scope__ *outer;
  bool escapable, escaped;
};

struct napi_ref__ {
  struct fake_value *value;
  uint32_t count;
};

static struct napi_handle_scope__ *innermost;
static struct fake_value *values, *objects;

/* In front of what fake_alloc() gives. */
struct owned {
  struct owned *next, **link;
};
static struct owned *owned;

void *fake_alloc(size_t size) {
  struct owned *made = calloc(1, sizeof *made + size);
  if (made == NULL) abort();
  made->next = owned;
  made->link = &owned;
  if (owned != NULL) owned->link = &made->next;
  owned = made;
  return made + 1;
}

void fake_free(void *memory) {
  struct owned *made = (struct owned *)memory - 1;
  *made->link = made->next;
  if (made->next != NULL) made->next->link = made->link;
  free(made);
}

struct fake_value *fake_make(enum fake_kind kind) {
  struct fake_value *value = calloc(1, sizeof *value);
  if (value == NULL) abort();
  value->kind = kind;
  value->next = values;
  values = value;
  if (kind >= FAKE_OBJECT) {
    value->next_object = objects;
    objects = value;
  }
  return value;
}

struct fake_value *fake_text(const char *text) {
  struct fake_value *value = fake_make(FAKE_STRING);
  value->count = strlen(text);
  value->units = calloc(value->count + 1, sizeof *value->units);
  for (size_t i = 0; i < value->count; i++) value->units[i] = (unsigned char)text[i];
  return value;
}

static napi_value handle_in(struct napi_handle_scope__ *scope, struct fake_value *value) {
  if (scope == NULL) abort(); /* V8: Cannot create a handle without a HandleScope */
  napi_value handle = calloc(1, sizeof *handle);
  handle->value = value;
  handle->next = scope->handles;
  scope->handles = handle;
  return handle;
}

napi_value fake_handle(struct fake_value *value) {
  return handle_in(innermost, value);
}

bool fake_is_object(const struct fake_value *value) {
  return value->kind >= FAKE_OBJECT;
}

bool fake_equal(const struct fake_value *a, const struct fake_value *b) {
  if (a == b) return true;
  if (a->kind != b->kind || a->kind >= FAKE_OBJECT || a->kind == FAKE_SYMBOL) return false;
  if (a->kind == FAKE_STRING)
    return a->count == b->count && memcmp(a->units, b->units, a->count * sizeof *a->units) == 0;
  return a->number == b->number && memcmp(a->words, b->words, sizeof a->words) == 0;
}

void fake_finalizer_add(struct fake_finalizer **list, napi_env env, napi_finalize call, void *data, void *hint) {
  struct fake_finalizer *finalizer = calloc(1, sizeof *finalizer);
  *finalizer = (struct fake_finalizer){env, call, data, hint, *list};
  *list = finalizer;
}

/* ---- Scopes ---- */

static napi_handle_scope open(bool escapable) {
  struct napi_handle_scope__ *scope = calloc(1, sizeof *scope);
  scope->outer = innermost;
  scope->escapable = escapable;
  innermost = scope;
  return scope;
}

static napi_status close(napi_handle_scope scope, bool escapable) {
  if (scope != innermost || scope->escapable != escapable) abort();
  innermost = scope->outer;
  while (scope->handles != NULL) {
    napi_value handle = scope->handles;
    scope->handles = handle->next;
    free(handle);
  }
  free(scope);
  return napi_ok;
}

napi_status napi_open_handle_scope(napi_env env, napi_handle_scope *result) {
  *result = open(false);
  return napi_ok;
}

napi_status napi_close_handle_scope(napi_env env, napi_handle_scope scope) {
  return close(scope, false);
}

napi_status napi_open_escapable_handle_scope(napi_env env, napi_escapable_handle_scope *result) {
  *result = (napi_escapable_handle_scope)open(true);
  return napi_ok;
}

napi_status napi_close_escapable_handle_scope(napi_env env, napi_escapable_handle_scope scope) {
  return close((napi_handle_scope)scope, true);
}

napi_status napi_escape_handle(napi_env env, napi_escapable_handle_scope scope, napi_value escapee,
                               napi_value *result) {
  struct napi_handle_scope__ *real = (napi_handle_scope)scope;
  FAKE_CHECK(escapee);
  if (real->escaped) return napi_escape_called_twice;
  real->escaped = true;
  *result = handle_in(real->outer, escapee->value);
  return napi_ok;
}

/* ---- References ---- */

napi_status napi_create_reference(napi_env env, napi_value value, uint32_t count, napi_ref *result) {
  FAKE_CHECK(value);
  if (!fake_is_object(value->value) && value->value->kind != FAKE_SYMBOL) return napi_invalid_arg;
  *result = fake_alloc(sizeof **result);
  **result = (struct napi_ref__){value->value, count};
  if (count > 0) value->value->held++;
  return napi_ok;
}

napi_status napi_delete_reference(node_api_basic_env env, napi_ref ref) {
  if (ref->count > 0) ref->value->held--;
  fake_free(ref);
  return napi_ok;
}

napi_status napi_reference_ref(napi_env env, napi_ref ref, uint32_t *result) {
  if (ref->value->dead) {
    if (result != NULL) *result = 0;
    return napi_ok;
  }
  if (ref->count++ == 0) ref->value->held++;
  if (result != NULL) *result = ref->count;
  return napi_ok;
}

napi_status napi_reference_unref(napi_env env, napi_ref ref, uint32_t *result) {
  if (ref->count == 0) return napi_generic_failure;
  if (--ref->count == 0) ref->value->held--;
  if (result != NULL) *result = ref->count;
  return napi_ok;
}

napi_status napi_get_reference_value(napi_env env, napi_ref ref, napi_value *result) {
  *result = ref->value->dead ? NULL : fake_handle(ref->value);
  return napi_ok;
}

/* ---- The collector ---- */

static bool is_reachable(const struct fake_value *value) {
  if (value->held > 0 || value->dead) return true;
  for (struct napi_handle_scope__ *scope = innermost; scope != NULL; scope = scope->outer) {
    for (napi_value handle = scope->handles; handle != NULL; handle = handle->next) {
      if (handle->value == value || handle->value->buffer == value) return true;
    }
  }
  for (struct fake_value *other = objects; other != NULL; other = other->next_object) {
    if (other->buffer == value && !other->dead) return true;
  }
  return false;
}

static void finalize(struct fake_finalizer **list) {
  while (*list != NULL) {
    struct fake_finalizer finalizer = **list;
    free(*list);
    *list = finalizer.next;
    if (finalizer.call != NULL) finalizer.call(finalizer.env, finalizer.data, finalizer.hint);
  }
}

/* Its memory goes at once: whoever still looks there is caught. */
static void collect(struct fake_value *value) {
  napi_handle_scope scope = open(false);
  value->dead = true;
  finalize(&value->wrap_finalizer);
  finalize(&value->finalizers);
  if (!value->borrowed) free(value->memory);
  value->memory = NULL;
  close(scope, false);
}

void fake_collect(unsigned nth, unsigned which) {
  unsigned index = 0;
  for (struct fake_value *value = objects; value != NULL; value = value->next_object) {
    if (index++ % nth == which % nth && !is_reachable(value)) collect(value);
  }
}

static bool take_one(struct fake_finalizer **list, napi_env env) {
  while (*list != NULL && (*list)->env != env) list = &(*list)->next;
  if (*list == NULL) return false;
  struct fake_finalizer finalizer = **list;
  free(*list);
  *list = finalizer.next;
  if (finalizer.call != NULL) finalizer.call(finalizer.env, finalizer.data, finalizer.hint);
  return true;
}

/* Those of what they make as well, as Node does. */
void fake_finalize_all(napi_env env) {
  napi_handle_scope scope = open(false);
  for (bool any = true; any;) {
    any = false;
    for (struct fake_value *value = objects; value != NULL; value = value->next_object) {
      while (take_one(&value->wrap_finalizer, env) || take_one(&value->finalizers, env)) any = true;
    }
  }
  close(scope, false);
}

struct fake_value *fake_native_function(napi_env env, unsigned which) {
  unsigned count = 0;
  for (int pass = 0; pass < 2; pass++) {
    for (struct fake_value *value = objects; value != NULL; value = value->next_object) {
      if (value->kind != FAKE_FUNCTION || value->call == NULL || value->dead || value->env != env) continue;
      if (pass == 0) {
        count++;
      } else if (which-- % count == 0) {
        return value;
      }
    }
    if (count == 0) return NULL;
    which %= count;
  }
  return NULL;
}

void fake_values_reset(void) {
  if (innermost != NULL) abort();
  objects = NULL;
  while (owned != NULL) fake_free(owned + 1);
  while (values != NULL) {
    struct fake_value *value = values;
    values = value->next;
    while (value->finalizers != NULL) {
      struct fake_finalizer *finalizer = value->finalizers;
      value->finalizers = finalizer->next;
      free(finalizer);
    }
    free(value->wrap_finalizer);
    if (!value->borrowed) free(value->memory);
    free(value->units);
    free(value);
  }
}
