/*
 * Telling an end for want of memory from any other SIGKILL, by the files of a control group.
 */
#include <criterion/criterion.h>
#include <sys/stat.h>

#include "leaks.h"
#include "server/hosts/oom.c"

static char root[64];
static char path[512];

static void write_file(const char *name, const char *text) {
  char file[512];
  snprintf(file, sizeof file, "%s/%s", root, name);
  FILE *out = fopen(file, "w");
  cr_assert_not_null(out);
  fputs(text, out);
  fclose(out);
}

static void set_up(void) {
  char folder[512];
  strcpy(root, "/tmp/napi-remote-oom-XXXXXX");
  cr_assert_not_null(mkdtemp(root));
  snprintf(folder, sizeof folder, "%s/a", root);
  mkdir(folder, 0700);
  snprintf(folder, sizeof folder, "%s/a/b", root);
  mkdir(folder, 0700);
  write_file("a/b/memory.events", "low 0\nhigh 3\nmax 7\noom 2\noom_kill 2\noom_group_kill 0\n");
}

static void remove_all(void) {
  const char *const names[] = {"a/b/memory.events.local", "a/b/memory.events", "a/b", "a", ""};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    char file[512];
    snprintf(file, sizeof file, "%s/%s", root, names[i]);
    remove(file);
  }
}

static bool find(const char *text) {
  return nr_oom_find(root, text, path, sizeof path);
}

Test(oom, finds_the_file_of_a_group) {
  set_up();
  char expected[512];
  snprintf(expected, sizeof expected, "%s/a/b/memory.events", root);
  cr_assert(find("0::/a/b\n"));
  cr_assert_str_eq(path, expected);
  cr_assert(find("4:memory:/x\n1:cpu:/\n0::/a/b"));
  write_file("a/b/memory.events.local", "oom_kill 0\n");
  strcat(expected, ".local");
  cr_assert(find("0::/a/b\n"));
  cr_assert_str_eq(path, expected);
  remove_all();
}

Test(oom, knows_when_there_is_none) {
  set_up();
  cr_assert_not(find(""));
  cr_assert_not(find("4:memory:/a/b\n"));
  cr_assert_not(find("0::/\n"));
  cr_assert_not(find("0::/a/c\n"));
  cr_assert_not(find("0::/a/b (deleted)\n"));
  char small[8];
  cr_assert_not(nr_oom_find(root, "0::/a/b\n", small, sizeof small));
  remove_all();
}

Test(oom, counts_what_is_new) {
  set_up();
  const uint64_t second = UINT64_C(1000000000);
  struct nr_oom oom;
  cr_assert(find("0::/a/b\n"));
  cr_assert(nr_oom_open(&oom, path));
  cr_assert_not(nr_oom_struck(&oom, 5 * second), "what was there before");
  write_file("a/b/memory.events", "low 9\noom_kill 2\n");
  cr_assert_not(nr_oom_struck(&oom, 6 * second), "other counts");
  write_file("a/b/memory.events", "low 9\noom_kill 3\n");
  cr_assert(nr_oom_struck(&oom, 7 * second));
  cr_assert(nr_oom_struck(&oom, 8 * second), "the second of two that went together");
  cr_assert_not(nr_oom_struck(&oom, 10 * second), "it is over");
  write_file("a/b/memory.events", "low 9\noom_kill 4\n");
  nr_oom_look(&oom, 11 * second);
  cr_assert_not(nr_oom_struck(&oom, 14 * second), "it was another, long before");
  nr_oom_close(&oom);
  remove_all();
}

Test(oom, leaves_a_group_that_is_gone) {
  set_up();
  struct nr_oom oom;
  cr_assert(find("0::/a/b\n"));
  cr_assert(nr_oom_open(&oom, path));
  write_file("a/b/memory.events", "");
  cr_assert_not(nr_oom_struck(&oom, 1));
  cr_assert_eq(oom.fd, -1);
  cr_assert_not(nr_oom_struck(&oom, 2));
  write_file("a/b/memory.events", "low 1\n");
  cr_assert_not(nr_oom_open(&oom, path));
  cr_assert_eq(oom.fd, -1);
  remove_all();
}
