/* Prints when its process ends in order: from atexit() and from a C destructor. */
#include "ends.h"

#include <unistd.h>

static void say(const char *text) {
  if (write(STDOUT_FILENO, text, strlen(text)) < 0) abort();
}

static void at_exit(void) {
  say("atexit\n");
}

__attribute__((destructor)) static void destructor(void) {
  say("destructor\n");
}

NAPI_MODULE_INIT() {
  static const struct t_function functions[] = {{"call", t_call}, {"pid", t_pid}};
  atexit(at_exit);
  t_export(env, exports, functions, T_COUNT(functions));
  return exports;
}
