/* What its process has open. */
#include "common.h"

#include <dirent.h>
#include <unistd.h>

static napi_value process_id(napi_env env, napi_callback_info info) {
  return t_number(env, getpid());
}

/* The numbers of all open descriptors, without the one that the look takes. */
static napi_value open_fds(napi_env env, napi_callback_info info) {
  napi_value numbers = t_array(env);
  uint32_t count = 0;
  DIR *directory = opendir("/proc/self/fd");
  if (!directory) abort();
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    int number = atoi(entry->d_name);
    if (entry->d_name[0] != '.' && number != dirfd(directory))
      T_OK(napi_set_element(env, numbers, count++, t_number(env, number)));
  }
  closedir(directory);
  return numbers;
}

static const struct t_function functions[] = {{"pid", process_id}, {"openFds", open_fds}};
T_INIT(functions)
