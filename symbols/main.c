/*
 * napi-remote-symbols: turns addresses of a process that is gone into names, lines and files, with elfutils. Started by
 * server/lib/report.js when somebody reads a report.
 *
 * Standard input:   m BASE BUILD-ID PATH    a module: in hexadecimal what the loader added, `-` without a build-id
 *                   f ADDRESS               a place to name
 * Standard output:  FUNCTION \t OFFSET \t FILE \t LINE \t PATH {\t INLINED}   for each f, empty where nothing is known;
 *                   the line is in the innermost of the functions that the compiler has put into that one
 */
#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* The C++ runtime's. */
char *__cxa_demangle(const char *name, char *buffer, size_t *length, int *status);

/* What a damaged file may make it take. */
#define NR_SECONDS 10
#define NR_BYTES (UINT64_C(4) << 30)

static void set_limits(void) {
  const struct rlimit seconds = {NR_SECONDS, NR_SECONDS}, none = {0, 0};
  setrlimit(RLIMIT_CPU, &seconds);
#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes */
  const struct rlimit bytes = {NR_BYTES, NR_BYTES};
  setrlimit(RLIMIT_AS, &bytes);
#endif
  setrlimit(RLIMIT_CORE, &none);
  unsetenv("DEBUGINFOD_URLS"); /* a report asks nobody on the network */
}

/* Tabs and line ends would be the protocol's. */
static void put_clean(const char *text) {
  for (; *text != '\0'; text++) putchar((unsigned char)*text < 0x20 ? '?' : *text);
}

/* Is it still the file that was loaded? */
static int is_same(Dwfl_Module *module, const char *build_id) {
  const unsigned char *bits = NULL;
  GElf_Addr place;
  int length = dwfl_module_build_id(module, &bits, &place);
  char digits[3];
  if (strcmp(build_id, "-") == 0 || length <= 0) return 1;
  if (strlen(build_id) != (size_t)length * 2) return 0;
  for (int i = 0; i < length; i++) {
    snprintf(digits, sizeof digits, "%02x", bits[i]);
    if (strncmp(build_id + i * 2, digits, 2) != 0) return 0;
  }
  return 1;
}

static void add_module(Dwfl *dwfl, const char *line) {
  uint64_t base;
  char build_id[64];
  int path = 0;
  struct stat status;
  if (sscanf(line, "m %" SCNx64 " %63s %n", &base, build_id, &path) != 2 || path == 0 || line[path] != '/') return;
  /* Not a pipe: nobody may be at its other end. */
  int fd = open(line + path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return;
  if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
    close(fd);
    return;
  }
  Dwfl_Module *module = dwfl_report_elf(dwfl, line + path, line + path, fd, base, true);
  if (module == NULL) {
    close(fd);
  } else if (!is_same(module, build_id)) {
    void **data = NULL;
    dwfl_module_info(module, &data, NULL, NULL, NULL, NULL, NULL, NULL);
    if (data != NULL) *data = module; /* marks it: names of another build would mislead */
  }
}

/* The name as in the source: a compiler that has split, specialised or moved a function says so behind it. */
static void cut_suffixes(char *name) {
  static const char *const suffixes[] = {"cold", "constprop", "isra", "llvm", "lto_priv", "part"};
  for (char *at = strchr(name, '.'); at != NULL; at = strchr(at + 1, '.')) {
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
      size_t length = strlen(suffixes[i]);
      if (at == name || strncmp(at + 1, suffixes[i], length) != 0) continue;
      if (at[1 + length] != '.' && at[1 + length] != '\0') continue;
      *at = '\0';
      return;
    }
  }
}

static void put_function(Dwfl_Module *module, uint64_t address) {
  GElf_Sym symbol;
  GElf_Off offset = 0;
  const char *known = dwfl_module_addrinfo(module, address, &offset, &symbol, NULL, NULL, NULL);
  char *name = known == NULL ? NULL : strdup(known);
  if (name == NULL) {
    printf("\t\t");
    return;
  }
  cut_suffixes(name);
  int status = -1;
  char *readable = strncmp(name, "_Z", 2) == 0 ? __cxa_demangle(name, NULL, NULL, &status) : NULL;
  put_clean(status == 0 && readable != NULL ? readable : name);
  printf("\t%" PRIu64 "\t", (uint64_t)offset);
  free(readable);
  free(name);
}

/* Innermost first. */
static void put_inlined(Dwfl_Module *module, uint64_t address) {
  Dwarf_Addr bias = 0;
  Dwarf_Die *unit = dwfl_module_addrdie(module, address, &bias), *scopes = NULL;
  int count = unit == NULL ? 0 : dwarf_getscopes(unit, address - bias, &scopes);
  for (int i = 0; i < count; i++) {
    const char *name = dwarf_tag(&scopes[i]) == DW_TAG_inlined_subroutine ? dwarf_diename(&scopes[i]) : NULL;
    if (name == NULL) continue;
    putchar('\t');
    put_clean(name);
  }
  free(scopes);
}

static void name_place(Dwfl *dwfl, const char *line) {
  uint64_t address = strtoull(line + 1, NULL, 16);
  Dwfl_Module *module = dwfl_addrmodule(dwfl, address);
  void **changed = NULL;
  if (module != NULL) dwfl_module_info(module, &changed, NULL, NULL, NULL, NULL, NULL, NULL);
  if (module == NULL || (changed != NULL && *changed != NULL)) {
    puts("\t\t\t\t");
    return;
  }
  put_function(module, address);
  Dwfl_Line *source = dwfl_module_getsrc(module, address);
  int number = 0;
  const char *file = source == NULL ? NULL : dwfl_lineinfo(source, NULL, &number, NULL, NULL, NULL);
  if (file != NULL) {
    put_clean(file);
    printf("\t%d", number);
  } else {
    printf("\t");
  }
  putchar('\t');
  put_clean(dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
  put_inlined(module, address);
  putchar('\n');
}

int main(void) {
  static const Dwfl_Callbacks callbacks = {
      .find_elf = dwfl_build_id_find_elf,
      .find_debuginfo = dwfl_standard_find_debuginfo,
      .section_address = dwfl_offline_section_address,
  };
  char *line = NULL;
  size_t room = 0;
  ssize_t length;
  set_limits();
  Dwfl *dwfl = dwfl_begin(&callbacks);
  if (dwfl == NULL) return 70; /* EX_SOFTWARE */
  int reporting = 1;
  dwfl_report_begin(dwfl);
  while ((length = getline(&line, &room, stdin)) > 0) {
    if (line[length - 1] == '\n') line[length - 1] = '\0';
    if (line[0] == 'm' && reporting) add_module(dwfl, line);
    if (line[0] != 'f') continue;
    if (reporting) dwfl_report_end(dwfl, NULL, NULL);
    reporting = 0;
    name_place(dwfl, line);
  }
  free(line);
  dwfl_end(dwfl);
  return fflush(stdout) == 0 ? 0 : 74; /* EX_IOERR */
}
