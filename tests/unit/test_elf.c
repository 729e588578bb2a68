/*
 * Reading an addon's imports from ELF files made by hand, without section headers: with each kind of table that tells
 * how many symbols there are, cut off at every length, with every byte corrupted, and hostile ones.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/mman.h>

#include "leaks.h"
#include "server/elf.c"

/* Addresses are not offsets: what confuses them finds nothing. */
#define BASE UINT64_C(0x400000)
#define IMAGE_MAX 16384u
#define DYNAMIC_OFFSET (sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr))
#define DYNAMIC_COUNT 10u

enum tables { SYSV_HASH, GNU_HASH, RELOCATIONS, PLT_RELOCATIONS, EMPTY_GNU_HASH_AND_RELOCATIONS, NO_TABLE };

struct symbol {
  const char *name;
  bool defined;
};

struct builder {
  uint8_t bytes[IMAGE_MAX];
  uint64_t used;
  uint32_t dynamic_used;
};

/* Room for `length` bytes, aligned for any table. */
static void *take(struct builder *builder, uint64_t length) {
  builder->used = (builder->used + 7) & ~UINT64_C(7);
  cr_assert_leq(builder->used + length, IMAGE_MAX);
  void *place = builder->bytes + builder->used;
  builder->used += length;
  return place;
}

static uint64_t address_of(const struct builder *builder, const void *place) {
  return BASE + (uint64_t)((const uint8_t *)place - builder->bytes);
}

static Elf64_Ehdr *header_of(struct builder *builder) {
  return (Elf64_Ehdr *)builder->bytes;
}

static Elf64_Phdr *segment_of(struct builder *builder, unsigned index) {
  return (Elf64_Phdr *)(builder->bytes + sizeof(Elf64_Ehdr)) + index;
}

static Elf64_Dyn *entry_of(struct builder *builder, Elf64_Sxword tag) {
  Elf64_Dyn *entries = (Elf64_Dyn *)(builder->bytes + DYNAMIC_OFFSET);
  for (uint32_t i = 0; i < builder->dynamic_used; i++) {
    if (entries[i].d_tag == tag) return &entries[i];
  }
  cr_assert_fail("no dynamic entry %ld", (long)tag);
  return NULL;
}

static void add_entry(struct builder *builder, Elf64_Sxword tag, uint64_t value) {
  cr_assert_lt(builder->dynamic_used, DYNAMIC_COUNT);
  Elf64_Dyn *entry = (Elf64_Dyn *)(builder->bytes + DYNAMIC_OFFSET) + builder->dynamic_used++;
  *entry = (Elf64_Dyn){.d_tag = tag, .d_un.d_val = value};
}

static void add_symbols(struct builder *builder, const struct symbol *symbols, uint32_t count) {
  uint64_t length = 1;
  for (uint32_t i = 0; i < count; i++) length += strlen(symbols[i].name) + 1;
  Elf64_Sym *table = take(builder, (count + 1) * sizeof *table);
  char *strings = take(builder, length);
  for (uint32_t i = 0, at = 1; i < count; i++) {
    table[i + 1] = (Elf64_Sym){.st_name = at, .st_shndx = symbols[i].defined ? 7 : SHN_UNDEF};
    memcpy(strings + at, symbols[i].name, strlen(symbols[i].name));
    at += (uint32_t)strlen(symbols[i].name) + 1;
  }
  add_entry(builder, DT_SYMTAB, address_of(builder, table));
  add_entry(builder, DT_STRTAB, address_of(builder, strings));
  add_entry(builder, DT_STRSZ, length);
}

/* One bucket in which all exports, from `first` on, are chained; with no export the table that linkers write then. */
static void add_gnu_hash(struct builder *builder, uint32_t first, uint32_t exports) {
  uint32_t *table = take(builder, (4 + 2 + 1 + exports) * sizeof *table);
  table[0] = 1;
  table[1] = exports == 0 ? 1 : first;
  table[2] = 1;
  table[6] = exports == 0 ? 0 : first;
  for (uint32_t i = 0; i < exports; i++) table[7 + i] = i + 1 == exports;
  add_entry(builder, DT_GNU_HASH, address_of(builder, table));
}

static void add_relocations(struct builder *builder, bool plt, uint32_t count) {
  Elf64_Rela *table = take(builder, count * sizeof *table);
  /* Backwards: the highest symbol is not the last one named. */
  for (uint32_t i = 0; i < count; i++) table[i].r_info = ELF64_R_INFO((uint64_t)(count - i), 7);
  add_entry(builder, plt ? DT_JMPREL : DT_RELA, address_of(builder, table));
  add_entry(builder, plt ? DT_PLTRELSZ : DT_RELASZ, count * sizeof *table);
}

static void add_tables(struct builder *builder, enum tables tables, const struct symbol *symbols, uint32_t count) {
  uint32_t exports = 0;
  for (uint32_t i = 0; i < count; i++) exports += symbols[i].defined;
  if (tables == SYSV_HASH) {
    uint32_t *table = take(builder, (2 + 1 + count + 1) * sizeof *table);
    table[0] = 1;
    table[1] = count + 1;
    add_entry(builder, DT_HASH, address_of(builder, table));
  }
  if (tables == GNU_HASH) add_gnu_hash(builder, count + 1 - exports, exports);
  if (tables == EMPTY_GNU_HASH_AND_RELOCATIONS) add_gnu_hash(builder, 1, 0);
  if (tables == RELOCATIONS || tables == EMPTY_GNU_HASH_AND_RELOCATIONS) add_relocations(builder, false, count);
  if (tables == PLT_RELOCATIONS) add_relocations(builder, true, count);
}

/* Exports, if any, must come last, as linkers put them. */
static void build(struct builder *builder, enum tables tables, const struct symbol *symbols, uint32_t count) {
  memset(builder, 0, sizeof *builder);
  builder->used = DYNAMIC_OFFSET + DYNAMIC_COUNT * sizeof(Elf64_Dyn);
  add_symbols(builder, symbols, count);
  add_tables(builder, tables, symbols, count);
  Elf64_Ehdr *header = header_of(builder);
  memcpy(header->e_ident, ELFMAG, SELFMAG);
  header->e_ident[EI_CLASS] = ELFCLASS64;
  header->e_ident[EI_DATA] = ELFDATA2LSB;
  header->e_ident[EI_VERSION] = EV_CURRENT;
  header->e_type = ET_DYN;
  header->e_machine = NR_ELF_MACHINE;
  header->e_phoff = sizeof *header;
  header->e_phentsize = sizeof(Elf64_Phdr);
  header->e_phnum = 2;
  *segment_of(builder, 0) =
      (Elf64_Phdr){.p_type = PT_LOAD, .p_vaddr = BASE, .p_filesz = builder->used, .p_memsz = builder->used};
  *segment_of(builder, 1) = (Elf64_Phdr){.p_type = PT_DYNAMIC,
                                         .p_offset = DYNAMIC_OFFSET,
                                         .p_vaddr = BASE + DYNAMIC_OFFSET,
                                         .p_filesz = DYNAMIC_COUNT * sizeof(Elf64_Dyn)};
}

/* A file in memory that is opened by name. */
static int make_file(char path[32]) {
  int fd = memfd_create("image", MFD_CLOEXEC);
  cr_assert_geq(fd, 0);
  snprintf(path, 32, "/proc/self/fd/%d", fd);
  return fd;
}

static int inspect_bytes(const void *bytes, uint64_t length, struct nr_elf_report *report) {
  char path[32];
  int fd = make_file(path);
  cr_assert_eq(pwrite(fd, bytes, length, 0), (ssize_t)length);
  int error = nr_elf_inspect(path, report);
  close(fd);
  return error;
}

static int inspect_built(const struct builder *builder, struct nr_elf_report *report) {
  return inspect_bytes(builder->bytes, builder->used, report);
}

static const struct symbol mixed[] = {
    {"malloc", false},
    {"_ZN2v87Isolate10GetCurrentEv", false}, /* the host has it */
    {"_ZN2v87Isolate10GetCurrentEi", false},
    {"napi_create_object", false},
    {"_ZNK2v85Value8IsStringEv", false},
    {"_ZN4node19GetCurrentEventLoopEPN2v87IsolateE", false}, /* and this */
    {"_ZN4node19GetCurrentEventLoopEv", false},
    {"_ZN2v88internal4mineEv", true},
    {"napi_register_module_v1", true},
};
#define MIXED_COUNT (sizeof mixed / sizeof mixed[0])

static void expect_mixed(int error, const struct nr_elf_report *report) {
  cr_assert_eq(error, 0);
  cr_assert_eq(report->total, 3);
  cr_assert_eq(report->count, 3);
  cr_assert_str_eq(report->symbols[0], "v8::Isolate::GetCurrent");
  cr_assert_str_eq(report->symbols[1], "v8::Value::IsString");
  cr_assert_str_eq(report->symbols[2], "node::GetCurrentEventLoop");
}

Test(elf, imports_are_found_through_every_table) {
  static struct builder builder;
  for (enum tables tables = SYSV_HASH; tables < NO_TABLE; tables++) {
    struct nr_elf_report report;
    build(&builder, tables, mixed, MIXED_COUNT);
    int error = inspect_built(&builder, &report);
    expect_mixed(error, &report);
  }
}

Test(elf, no_table_tells_the_number_of_symbols) {
  static struct builder builder;
  struct nr_elf_report report;
  build(&builder, NO_TABLE, mixed, MIXED_COUNT);
  cr_assert_eq(inspect_built(&builder, &report), 0);
  cr_assert_eq(report.total, 0);
}

Test(elf, names) {
  static const struct {
    const char *name, *readable;
  } cases[] = {
      {"_ZN2v87Isolate10GetCurrentEv", NULL},
      {"_ZN2v87Isolate12GetHeapLimitEv", "v8::Isolate::GetHeapLimit"},
      {"_ZNK2v85Value7IsArrayEv", "v8::Value::IsArray"},
      {"_ZTIN2v815ValueSerializer8DelegateE", "v8::ValueSerializer::Delegate"},
      {"_ZTVN2v811ArrayBuffer9AllocatorE", "v8::ArrayBuffer::Allocator"},
      {"_ZN2v811HandleScopeC1EPNS_7IsolateE", "v8::HandleScope"},
      {"_ZN4node13CallbackScopeD1Ev", "node::CallbackScope"},
      {"_ZNK4node5Mutex4LockEv", "node::Mutex::Lock"},
      {"node_module_register", "node_module_register"},
      {"node_module_register_not", NULL},
      {"_ZN3foo2v84nameEv", NULL},
      {"_ZN2v5", NULL},
      {"node", NULL},
      {"", NULL},
      /* Lengths that lie. */
      {"_ZN2v899999999999999999999999999Isolate", "v8"},
      {"_ZN2v89Isolate", "v8"},
      {"_ZN2v8", "v8"},
  };
  static struct builder builder;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct nr_elf_report report;
    struct symbol symbol = {cases[i].name, false};
    build(&builder, SYSV_HASH, &symbol, 1);
    cr_assert_eq(inspect_built(&builder, &report), 0);
    cr_assert_eq(report.total, cases[i].readable != NULL, "%s", cases[i].name);
    if (cases[i].readable != NULL) cr_assert_str_eq(report.symbols[0], cases[i].readable);
  }
}

Test(elf, long_names_are_cut) {
  static struct builder builder;
  static char name[1024] = "_ZN2v8";
  struct symbol symbol = {name, false};
  struct nr_elf_report report;
  for (int i = 0; i < 40; i++) strcat(name, "10abcdefghij");
  build(&builder, GNU_HASH, (struct symbol[]){symbol, {"exported", true}}, 2);
  cr_assert_eq(inspect_built(&builder, &report), 0);
  cr_assert_eq(report.total, 1);
  cr_assert_lt(strlen(report.symbols[0]), NR_ELF_SYMBOL_SIZE);
  cr_assert_eq(strncmp(report.symbols[0], "v8::abcdefghij::abcdefghij", 26), 0);
}

Test(elf, the_first_few_are_named_and_all_are_counted) {
  static struct builder builder;
  static char names[20][32];
  struct symbol symbols[20];
  struct nr_elf_report report;
  for (int i = 0; i < 20; i++) {
    snprintf(names[i], sizeof names[i], "_ZN2v84na%02dEv", i);
    symbols[i] = (struct symbol){names[i], false};
  }
  build(&builder, EMPTY_GNU_HASH_AND_RELOCATIONS, symbols, 20);
  cr_assert_eq(inspect_built(&builder, &report), 0);
  cr_assert_eq(report.total, 20);
  cr_assert_eq(report.count, NR_ELF_SYMBOLS);
  cr_assert_str_eq(report.symbols[0], "v8::na00");
  cr_assert_str_eq(report.symbols[NR_ELF_SYMBOLS - 1], "v8::na07");
}

static void expect_unreadable(struct builder *builder) {
  struct nr_elf_report report;
  cr_assert_lt(inspect_built(builder, &report), 0);
  cr_assert_eq(report.total, 0);
}

Test(elf, other_files_are_left_to_the_loader) {
  static struct builder builder;
  struct nr_elf_report report;
  build(&builder, SYSV_HASH, mixed, MIXED_COUNT);
  header_of(&builder)->e_ident[EI_CLASS] = ELFCLASS32;
  expect_unreadable(&builder);
  header_of(&builder)->e_ident[EI_CLASS] = ELFCLASS64;
  header_of(&builder)->e_ident[EI_DATA] = ELFDATA2MSB;
  expect_unreadable(&builder);
  header_of(&builder)->e_ident[EI_DATA] = ELFDATA2LSB;
  header_of(&builder)->e_machine = EM_386;
  expect_unreadable(&builder);
  header_of(&builder)->e_machine = NR_ELF_MACHINE;
  expect_mixed(inspect_built(&builder, &report), &report);
  cr_assert_lt(inspect_bytes("exports.answer = 42;\n", 21, &report), 0);
  cr_assert_lt(inspect_bytes("", 0, &report), 0);
  cr_assert_eq(nr_elf_inspect("/no/such/file.node", &report), -ENOENT);
  cr_assert_lt(nr_elf_inspect("/proc", &report), 0);
  cr_assert_lt(nr_elf_inspect("/dev/zero", &report), 0);
  cr_assert_eq(nr_elf_inspect("libc.so.6", &report), -ENOENT);
}

Test(elf, a_fifo_does_not_block) {
  struct nr_elf_report report;
  char path[32];
  int ends[2];
  cr_assert_eq(pipe(ends), 0);
  snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
  cr_assert_lt(nr_elf_inspect(path, &report), 0);
}

Test(elf, a_real_program) {
  struct nr_elf_report report;
  cr_assert_eq(nr_elf_inspect("/proc/self/exe", &report), 0);
  cr_assert_eq(report.total, 0);
}

static void expect_sane(const struct nr_elf_report *report) {
  cr_assert_leq(report->count, NR_ELF_SYMBOLS);
  cr_assert_leq(report->count, report->total);
  for (size_t i = 0; i < report->count; i++) {
    cr_assert_lt(strnlen(report->symbols[i], NR_ELF_SYMBOL_SIZE), NR_ELF_SYMBOL_SIZE);
  }
}

Test(elf, cut_off_at_every_length) {
  static struct builder builder;
  for (enum tables tables = SYSV_HASH; tables < NO_TABLE; tables++) {
    build(&builder, tables, mixed, MIXED_COUNT);
    for (uint64_t length = 0; length < builder.used; length++) {
      struct nr_elf_report report;
      int error = inspect_bytes(builder.bytes, length, &report);
      expect_sane(&report);
      cr_assert_leq(report.total, 3);
      if (length < DYNAMIC_OFFSET) cr_assert_lt(error, 0);
    }
  }
}

Test(elf, every_byte_corrupted) {
  static const uint8_t masks[] = {0x01, 0x10, 0x80, 0xff};
  static struct builder builder;
  char path[32];
  int fd = make_file(path);
  for (enum tables tables = SYSV_HASH; tables < NO_TABLE; tables++) {
    build(&builder, tables, mixed, MIXED_COUNT);
    cr_assert_eq(ftruncate(fd, 0), 0);
    cr_assert_eq(pwrite(fd, builder.bytes, builder.used, 0), (ssize_t)builder.used);
    for (uint64_t at = 0; at < builder.used; at++) {
      for (size_t m = 0; m < sizeof masks; m++) {
        struct nr_elf_report report;
        uint8_t byte = builder.bytes[at] ^ masks[m];
        cr_assert_eq(pwrite(fd, &byte, 1, (off_t)at), 1);
        nr_elf_inspect(path, &report);
        expect_sane(&report);
      }
      cr_assert_eq(pwrite(fd, builder.bytes + at, 1, (off_t)at), 1);
    }
  }
  close(fd);
}

/* Numbers chosen to overflow sums and products, and to ask for much memory or time. */
Test(elf, hostile_numbers) {
  static const uint64_t numbers[] = {
      0,        1,    UINT64_C(1) << 24, UINT32_MAX,     UINT64_C(1) << 40, INT64_MAX,  UINT64_MAX,
      BASE - 1, BASE, BASE + 1,          UINT64_MAX - 7, UINT64_MAX - 23,   BASE + 300, UINT32_MAX - 1};
  static const Elf64_Sxword tags[] = {DT_SYMTAB, DT_STRTAB, DT_STRSZ, DT_GNU_HASH, DT_RELA, DT_RELASZ};
  static struct builder builder;
  struct nr_elf_report report;
  for (size_t n = 0; n < sizeof numbers / sizeof numbers[0]; n++) {
    for (size_t t = 0; t < sizeof tags / sizeof tags[0]; t++) {
      build(&builder, EMPTY_GNU_HASH_AND_RELOCATIONS, mixed, MIXED_COUNT);
      entry_of(&builder, tags[t])->d_un.d_val = numbers[n];
      inspect_built(&builder, &report);
      expect_sane(&report);
    }
    for (int field = 0; field < 5; field++) {
      build(&builder, GNU_HASH, mixed, MIXED_COUNT);
      if (field == 0) header_of(&builder)->e_phoff = numbers[n];
      if (field == 1) segment_of(&builder, 0)->p_offset = numbers[n];
      if (field == 2) segment_of(&builder, 0)->p_filesz = numbers[n];
      if (field == 3) segment_of(&builder, 1)->p_offset = numbers[n];
      if (field == 4) segment_of(&builder, 1)->p_filesz = numbers[n];
      inspect_built(&builder, &report);
      expect_sane(&report);
    }
    for (unsigned field = 0; field < 8; field++) {
      build(&builder, GNU_HASH, mixed, MIXED_COUNT);
      uint64_t table = entry_of(&builder, DT_GNU_HASH)->d_un.d_ptr - BASE;
      ((uint32_t *)(builder.bytes + table))[field] = (uint32_t)numbers[n];
      inspect_built(&builder, &report);
      expect_sane(&report);
    }
  }
}

Test(elf, a_dynamic_section_without_end) {
  static struct builder builder;
  static Elf64_Dyn entries[2 * NR_ELF_DYNAMIC_MAX];
  struct nr_elf_report report;
  char path[32];
  build(&builder, SYSV_HASH, mixed, MIXED_COUNT);
  for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) entries[i].d_tag = DT_NEEDED;
  int fd = make_file(path);
  segment_of(&builder, 1)->p_offset = IMAGE_MAX;
  segment_of(&builder, 1)->p_filesz = UINT64_MAX;
  cr_assert_eq(pwrite(fd, builder.bytes, IMAGE_MAX, 0), (ssize_t)IMAGE_MAX);
  cr_assert_eq(pwrite(fd, entries, sizeof entries, IMAGE_MAX), (ssize_t)sizeof entries);
  cr_assert_lt(nr_elf_inspect(path, &report), 0);
  close(fd);
}
