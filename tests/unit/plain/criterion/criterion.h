/*
 * As much of Criterion as the unit tests use, in one header: Criterion itself does not start under ThreadSanitizer. A program that finds this
 * header first needs no library. Each test runs in a process of its own; --tap=FILE as Criterion has it.
 */
#ifndef NR_PLAIN_CRITERION_H
#define NR_PLAIN_CRITERION_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct nr_plain_test {
  const char *name;
  void (*run)(void);
  struct nr_plain_test *next;
};

static struct nr_plain_test *nr_plain_tests;

static inline void nr_plain_add(struct nr_plain_test *test) {
  struct nr_plain_test **last = &nr_plain_tests;
  while (*last) last = &(*last)->next;
  *last = test;
}

static inline void nr_plain_check(bool holds, const char *what, const char *file, int line) {
  if (holds) return;
  fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
  _exit(1);
}

/* Options like .timeout are ignored. */
#define Test(suite, name, ...)                                                                                         \
  static void nr_plain_run_##suite##_##name(void);                                                                     \
  __attribute__((constructor)) static void nr_plain_add_##suite##_##name(void) {                                       \
    static struct nr_plain_test test = {#suite "::" #name, nr_plain_run_##suite##_##name, NULL};                       \
    nr_plain_add(&test);                                                                                               \
  }                                                                                                                    \
  static void nr_plain_run_##suite##_##name(void)

#define cr_assert(condition, ...) nr_plain_check((condition), #condition, __FILE__, __LINE__)
#define cr_assert_not(condition, ...) cr_assert(!(condition))
#define cr_assert_eq(left, right, ...) cr_assert((left) == (right))
#define cr_assert_neq(left, right, ...) cr_assert((left) != (right))
#define cr_assert_lt(left, right, ...) cr_assert((left) < (right))
#define cr_assert_leq(left, right, ...) cr_assert((left) <= (right))
#define cr_assert_gt(left, right, ...) cr_assert((left) > (right))
#define cr_assert_geq(left, right, ...) cr_assert((left) >= (right))
#define cr_assert_null(pointer, ...) cr_assert((pointer) == NULL)
#define cr_assert_not_null(pointer, ...) cr_assert((pointer) != NULL)
#define cr_assert_str_eq(left, right, ...) cr_assert(strcmp((left), (right)) == 0)
#define cr_assert_str_neq(left, right, ...) cr_assert(strcmp((left), (right)) != 0)
#define cr_assert_fail(...) nr_plain_check(false, "reached", __FILE__, __LINE__)

static inline bool nr_plain_passes(const struct nr_plain_test *test) {
  int status = 1;
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    test->run();
    /* exit(), so that the sanitizer reports. */
    exit(0);
  }
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int main(int count, char **arguments) {
  FILE *tap = NULL;
  unsigned number = 0, failed = 0;
  for (int i = 1; i < count; i++)
    if (strncmp(arguments[i], "--tap=", 6) == 0) tap = fopen(arguments[i] + 6, "we");
  for (const struct nr_plain_test *test = nr_plain_tests; test; test = test->next) {
    bool passed = nr_plain_passes(test);
    number++;
    if (!passed) failed++;
    if (!passed) printf("[FAIL] %s\n", test->name);
    if (tap) fprintf(tap, "%s %u - %s\n", passed ? "ok" : "not ok", number, test->name);
  }
  if (tap) {
    fprintf(tap, "1..%u\n", number);
    fclose(tap);
  }
  printf("[====] Tested: %u | Passing: %u | Failing: %u\n", number, number - failed, failed);
  return failed != 0;
}

#endif
