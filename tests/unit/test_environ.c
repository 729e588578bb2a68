/* What one side tells the other of its environment. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire/environ.h"

static char told[1000];

static void note(void *context, const char *name, const char *value) {
  (void)context;
  size_t length = strlen(told);
  snprintf(told + length, sizeof told - length, "%s%s%s;", name, value == NULL ? " gone" : "=",
           value == NULL ? "" : value);
}

static const char *news(struct nr_environ *known) {
  told[0] = '\0';
  if (nr_environ_is_news(known)) nr_environ_tell(known, note, NULL);
  cr_assert(!nr_environ_is_news(known));
  return told;
}

Test(environ, tells_what_has_changed_once) {
  cr_assert_eq(clearenv(), 0);
  setenv("A", "1", 1);
  setenv("B", "2", 1);
  struct nr_environ *known = nr_environ_create();
  cr_assert_str_eq(news(known), "");
  setenv("A", "3", 1);
  cr_assert_str_eq(news(known), "A=3;");
  cr_assert_str_eq(news(known), "");
  setenv("A", "1", 1);
  unsetenv("B");
  setenv("C", "", 1);
  cr_assert_str_eq(news(known), "B gone;A=1;C=;");
  setenv("A", "4", 1);
  setenv("A", "1", 1);
  cr_assert_str_eq(news(known), "");
  cr_assert_eq(clearenv(), 0);
  cr_assert_str_eq(news(known), "A gone;C gone;");
  setenv("AB", "1", 1);
  setenv("A", "2", 1);
  cr_assert_str_eq(news(known), "AB=1;A=2;");
  nr_environ_destroy(known);
}

Test(environ, what_was_told_is_no_news_and_hides_none) {
  struct nr_environ *known = nr_environ_create();
  setenv("OWN", "not told yet", 1);
  cr_assert(nr_environ_take(known, "THEIRS", "1"));
  cr_assert_str_eq(getenv("THEIRS"), "1");
  cr_assert_str_eq(news(known), "OWN=not told yet;");
  cr_assert(nr_environ_take(known, "OWN", "theirs"));
  cr_assert(nr_environ_take(known, "THEIRS", NULL));
  cr_assert(nr_environ_take(known, "NEVER_THERE", NULL));
  cr_assert_null(getenv("THEIRS"));
  cr_assert_str_eq(news(known), "");
  for (int i = 0; i < 100; i++) {
    char name[20];
    snprintf(name, sizeof name, "MANY_%d", i);
    cr_assert(nr_environ_take(known, name, name));
  }
  cr_assert_str_eq(news(known), "");
  nr_environ_destroy(known);
}

Test(environ, refuses_what_is_no_name) {
  struct nr_environ *known = nr_environ_create();
  cr_assert(!nr_environ_take(known, "", "1"));
  cr_assert(!nr_environ_take(known, "A=B", "1"));
  cr_assert_str_eq(news(known), "");
  nr_environ_destroy(known);
}
