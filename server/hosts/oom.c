#include "server/hosts/oom.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of version 2 there is one group, in the line that begins so. */
static bool find_group(const char *text, const char **group, int *length) {
  for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (strncmp(line, "0::/", 4) != 0) continue;
    *group = line + 3;
    *length = (int)strcspn(*group, "\n");
    return true;
  }
  return false;
}

bool nr_oom_find(const char *root, const char *text, char *path, size_t size) {
  /* The first counts what happens in the group itself, and not in those below it. */
  static const char *const names[] = {"memory.events.local", "memory.events"};
  const char *group;
  int length;
  if (!find_group(text, &group, &length)) return false;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    int written = snprintf(path, size, "%s%.*s/%s", root, length, group, names[i]);
    if (written > 0 && (size_t)written < size && access(path, R_OK) == 0) return true;
  }
  return false;
}

/* False: there is no such line. */
static bool read_count(int fd, uint64_t *count) {
  char text[1024];
  ssize_t length = pread(fd, text, sizeof text - 1, 0);
  if (length <= 0) return false;
  text[length] = '\0';
  for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (strncmp(line, "oom_kill ", 9) != 0) continue;
    *count = strtoull(line + 9, NULL, 10);
    return true;
  }
  return false;
}

bool nr_oom_open(struct nr_oom *oom, const char *path) {
  *oom = (struct nr_oom){.fd = open(path, O_RDONLY | O_CLOEXEC)};
  if (oom->fd < 0) return false;
  if (read_count(oom->fd, &oom->count)) return true;
  nr_oom_close(oom);
  return false;
}

void nr_oom_look(struct nr_oom *oom, uint64_t now_ns) {
  uint64_t count;
  if (oom->fd < 0) return;
  if (!read_count(oom->fd, &count)) { /* the group is gone, and would be told of for ever */
    nr_oom_close(oom);
    return;
  }
  if (count == oom->count) return;
  oom->count = count;
  oom->changed_ns = now_ns;
}

/* A process that is killed ends at once; what was counted earlier was another. */
#define NR_JUST_NOW_NS UINT64_C(2000000000)

bool nr_oom_struck(struct nr_oom *oom, uint64_t now_ns) {
  nr_oom_look(oom, now_ns);
  return oom->changed_ns != 0 && now_ns - oom->changed_ns < NR_JUST_NOW_NS;
}

void nr_oom_close(struct nr_oom *oom) {
  if (oom->fd >= 0) close(oom->fd);
  oom->fd = -1;
}
