#include "server/memory/mappings.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

bool nr_mappings_of(int file, void (*visit)(uint64_t address, uint64_t place, uint64_t length, void *context),
                    void *context) {
  struct stat stat;
  char line[512];
  uint64_t from, to, place, inode;
  FILE *maps = fstat(file, &stat) == 0 ? fopen("/proc/self/maps", "re") : NULL;
  if (maps == NULL) return false;
  while (fgets(line, sizeof line, maps) != NULL) {
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %" SCNu64, &from, &to, &place, &inode) == 4 &&
        inode == stat.st_ino)
      visit(from, place, to - from, context);
  }
  fclose(maps);
  return true;
}
