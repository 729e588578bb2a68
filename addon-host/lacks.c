/*
 * Functions that this Node does not export: addons ask for them (a weak symbol, dlsym()) to find out what Node they are
 * in, so they must not be found here either. Their entries in this program's own symbol table are made undefined before
 * the first addon is loaded.
 */
#include "addon-host/lacks.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The pages of an entry; the kernel gives this process a copy of its own. */
static int protect(const ElfW(Sym) * symbol, int protection) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t begin = (uintptr_t)symbol & ~(page - 1);
  uintptr_t end = ((uintptr_t)(symbol + 1) + page - 1) & ~(page - 1);
  return mprotect((void *)begin, end - begin, protection) == 0 ? 0 : -errno;
}

int nr_lack(const char *function) {
  void *address = dlsym(RTLD_DEFAULT, function);
  Dl_info info;
  ElfW(Sym) *symbol = NULL;
  if (address == NULL) return 0;
  if (dladdr1(address, &info, (void **)&symbol, RTLD_DL_SYMENT) == 0 || symbol == NULL || info.dli_sname == NULL ||
      strcmp(info.dli_sname, function) != 0) {
    return -ENOENT;
  }
  int error = protect(symbol, PROT_READ | PROT_WRITE);
  if (error < 0) return error;
  symbol->st_value = 0;
  symbol->st_shndx = SHN_UNDEF;
  return protect(symbol, PROT_READ);
}
