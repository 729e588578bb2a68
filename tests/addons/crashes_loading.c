/* An addon that does not come as far as its Init. */
#include "common.h"

__attribute__((constructor, noinline)) static void crash_in_constructor(void) {
  volatile int *volatile nowhere = NULL;
  *nowhere = 1;
}

static const struct t_function functions[] = {{"never", NULL}};

T_INIT(functions)
