#include "wire/pages.h"

#include <stdlib.h>
#include <string.h>

void *nr_pages_malloc(size_t size) {
  return size > SIZE_MAX - NR_PAGE ? NULL : aligned_alloc(NR_PAGE, (size + NR_PAGE - 1) / NR_PAGE * NR_PAGE);
}

void *nr_pages_calloc(size_t size) {
  void *memory = nr_pages_malloc(size);
  return memory == NULL ? NULL : memset(memory, 0, size);
}
