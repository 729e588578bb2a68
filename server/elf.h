/*
 * What an ELF file imports, found by reading its dynamic symbol table: before anything of it runs.
 */
#ifndef NR_SERVER_ELF_H
#define NR_SERVER_ELF_H

#include <stddef.h>

#define NR_ELF_SYMBOLS 8
#define NR_ELF_SYMBOL_SIZE 128

struct nr_elf_report {
  size_t total;                                     /* undefined symbols of V8 and of Node's own C++ */
  size_t count;                                     /* of them named below */
  char symbols[NR_ELF_SYMBOLS][NR_ELF_SYMBOL_SIZE]; /* readable: v8::Isolate::GetCurrent */
};

/*
 * 0 when the file is an ELF file whose dynamic symbols could be read; a negative errno otherwise, which is no error of
 * the addon's: the loader will say it in its own words.
 */
int nr_elf_inspect(const char *file, struct nr_elf_report *report);

#endif
