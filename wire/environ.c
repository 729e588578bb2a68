/*
 * What the two processes know of each other's environment.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "wire/environ.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The strings are copies: one that was given to putenv() may be gone. */
struct nr_environ {
  char **place;    /* what environ was */
  char **pointers; /* as they stood in environ, with the NULL at the end */
  char **strings;
  size_t count;
  bool stale; /* the strings are right, the pointers are not */
};

static size_t count_all(void) {
  size_t count = 0;
  while (environ != NULL && environ[count] != NULL) count++;
  return count;
}

static void empty(struct nr_environ *known) {
  for (size_t i = 0; i < known->count; i++) free(known->strings[i]);
  free(known->strings);
  free(known->pointers);
  *known = (struct nr_environ){.count = 0};
}

/* False: without memory, nothing is known then. */
static bool fill(struct nr_environ *known) {
  size_t count = count_all();
  *known = (struct nr_environ){.place = environ,
                               .pointers = calloc(count + 1, sizeof *known->pointers),
                               .strings = calloc(count + 1, sizeof *known->strings)};
  if (known->pointers == NULL || known->strings == NULL) goto failed;
  for (; known->count < count; known->count++) {
    known->pointers[known->count] = environ[known->count];
    known->strings[known->count] = strdup(environ[known->count]);
    if (known->strings[known->count] == NULL) goto failed;
  }
  return true;
failed:
  empty(known);
  return false;
}

struct nr_environ *nr_environ_create(void) {
  struct nr_environ *known = malloc(sizeof *known);
  if (known != NULL && fill(known)) return known;
  free(known);
  return NULL;
}

void nr_environ_destroy(struct nr_environ *known) {
  if (known == NULL) return;
  empty(known);
  free(known);
}

/* An array of pointers that has not moved has room for at least what it had. */
bool nr_environ_is_news(const struct nr_environ *known) {
  if (environ != known->place || known->stale) return true;
  return environ != NULL && memcmp(environ, known->pointers, (known->count + 1) * sizeof *environ) != 0;
}

/* Of "NAME=value"; 0: it is no variable. */
static size_t name_length(const char *string) {
  const char *end = strchr(string, '=');
  return end == NULL ? 0 : (size_t)(end - string);
}

static const char *find(char *const *strings, const char *name, size_t length) {
  for (; strings != NULL && *strings != NULL; strings++) {
    if (strncmp(*strings, name, length) == 0 && (*strings)[length] == '=') return *strings;
  }
  return NULL;
}

/* Those of `strings` that the others do not have, or, when `gone`, not even with another value. */
static void tell_missing(char *const *strings, char *const *others, bool gone,
                         void (*tell)(void *context, const char *name, const char *value), void *context) {
  for (; strings != NULL && *strings != NULL; strings++) {
    size_t length = name_length(*strings);
    const char *other = length == 0 ? *strings : find(others, *strings, length);
    if (other != NULL && (gone || strcmp(other, *strings) == 0)) continue;
    char *name = strndup(*strings, length);
    if (name == NULL) continue;
    tell(context, name, gone ? NULL : *strings + length + 1);
    free(name);
  }
}

void nr_environ_tell(struct nr_environ *known, void (*tell)(void *context, const char *name, const char *value),
                     void *context) {
  struct nr_environ before = *known;
  if (!fill(known)) {
    *known = before; /* another time */
    return;
  }
  tell_missing(before.strings, known->strings, true, tell, context);
  tell_missing(known->strings, before.strings, false, tell, context);
  empty(&before);
}

/* Only this one: what else has changed here is still to be told. False: without memory. */
static bool know(struct nr_environ *known, const char *name, const char *value) {
  size_t length = strlen(name), at = 0;
  char *string = NULL;
  char **strings = realloc(known->strings, (known->count + 2) * sizeof *strings);
  if (strings == NULL) return false;
  known->strings = strings;
  if (value != NULL && asprintf(&string, "%s=%s", name, value) < 0) return false;
  const char *present = find(strings, name, length);
  while (at < known->count && strings[at] != present) at++;
  if (at < known->count) free(strings[at]);
  if (at < known->count && string == NULL) strings[at] = strings[--known->count];
  if (string != NULL) {
    strings[at] = string;
    known->count += at == known->count;
  }
  strings[known->count] = NULL;
  known->stale = true;
  return true;
}

bool nr_environ_take(struct nr_environ *known, const char *name, const char *value) {
  if (*name == '\0' || strchr(name, '=') != NULL || !know(known, name, value)) return false;
  return (value == NULL ? unsetenv(name) : setenv(name, value, 1)) == 0;
}
