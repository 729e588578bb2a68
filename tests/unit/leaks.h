/*
 * Criterion's own process leaks a few bytes for some tests, which would fail the whole program under LeakSanitizer. Included once by each test program.
 */
#ifndef NR_TESTS_LEAKS_H
#define NR_TESTS_LEAKS_H

__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libcriterion\n";
}

/* And says nothing about it. */
__attribute__((visibility("default"))) const char *__lsan_default_options(void);
const char *__lsan_default_options(void) {
  return "print_suppressions=0";
}

#endif
