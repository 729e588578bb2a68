/* A shared library that is no addon. */
int nr_test_no_addon(void);

int nr_test_no_addon(void) {
  return 1;
}
