/*
 * Reading the dynamic symbol table of an addon, by pread with every offset checked: the file may be anything, and may
 * shrink while it is read, so it is not mapped. Found through the program headers (PT_DYNAMIC), since a stripped file
 * has no section headers.
 */
#include "server/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bounds on what a real addon has; beyond them it is none of ours to judge. */
#define NR_ELF_HEADERS_MAX 4096u
#define NR_ELF_DYNAMIC_MAX 4096u
#define NR_ELF_SYMBOLS_MAX (1u << 22)
#define NR_ELF_STRINGS_MAX (256u << 20)
#define NR_ELF_RELOCATIONS_MAX (1u << 24)

/* Another machine's file is refused by the loader, in its own words. */
#if defined(__x86_64__)
#define NR_ELF_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define NR_ELF_MACHINE EM_AARCH64
#else
#error "Which machine is this in ELF's terms?"
#endif

struct image {
  int fd;
  uint64_t size;
  Elf64_Phdr *headers;
  uint32_t header_count;
};

/* What PT_DYNAMIC tells, as addresses and sizes in bytes. */
struct dynamic {
  uint64_t symbols;
  uint64_t strings;
  uint64_t strings_size;
  uint64_t hash;
  uint64_t gnu_hash;
  uint64_t relocations;
  uint64_t relocations_size;
  uint64_t plt_relocations;
  uint64_t plt_relocations_size;
};

static int read_at(const struct image *image, uint64_t offset, void *buffer, uint64_t length) {
  if (offset > image->size || length > image->size - offset) return -EINVAL;
  uint64_t done = 0;
  while (done < length) {
    ssize_t count = pread(image->fd, (char *)buffer + done, length - done, (off_t)(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count < 0 ? -errno : -EINVAL;
    done += (uint64_t)count;
  }
  return 0;
}

/* Where an address of the loaded image lies in the file. */
static int offset_of(const struct image *image, uint64_t address, uint64_t *offset) {
  for (uint32_t i = 0; i < image->header_count; i++) {
    const Elf64_Phdr *header = &image->headers[i];
    if (header->p_type != PT_LOAD || address < header->p_vaddr || address - header->p_vaddr >= header->p_filesz)
      continue;
    return __builtin_add_overflow(header->p_offset, address - header->p_vaddr, offset) ? -EINVAL : 0;
  }
  return -EINVAL;
}

static int read_address(const struct image *image, uint64_t address, void *buffer, uint64_t length) {
  uint64_t offset;
  int error = offset_of(image, address, &offset);
  return error < 0 ? error : read_at(image, offset, buffer, length);
}

static int read_headers(struct image *image) {
  Elf64_Ehdr header;
  int error = read_at(image, 0, &header, sizeof header);
  if (error < 0) return error;
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != NR_ELF_MACHINE ||
      header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum > NR_ELF_HEADERS_MAX) {
    return -ENOEXEC;
  }
  image->header_count = header.e_phnum;
  image->headers = calloc(header.e_phnum, sizeof *image->headers);
  if (image->headers == NULL) return -ENOMEM;
  return read_at(image, header.e_phoff, image->headers, header.e_phnum * sizeof *image->headers);
}

static void take_entry(const Elf64_Dyn *entry, struct dynamic *dynamic) {
  switch (entry->d_tag) {
  case DT_SYMTAB: dynamic->symbols = entry->d_un.d_ptr; break;
  case DT_STRTAB: dynamic->strings = entry->d_un.d_ptr; break;
  case DT_STRSZ: dynamic->strings_size = entry->d_un.d_val; break;
  case DT_HASH: dynamic->hash = entry->d_un.d_ptr; break;
  case DT_GNU_HASH: dynamic->gnu_hash = entry->d_un.d_ptr; break;
  case DT_RELA: dynamic->relocations = entry->d_un.d_ptr; break;
  case DT_RELASZ: dynamic->relocations_size = entry->d_un.d_val; break;
  case DT_JMPREL: dynamic->plt_relocations = entry->d_un.d_ptr; break;
  case DT_PLTRELSZ: dynamic->plt_relocations_size = entry->d_un.d_val; break;
  default: break;
  }
}

static int read_dynamic(const struct image *image, struct dynamic *dynamic) {
  memset(dynamic, 0, sizeof *dynamic);
  for (uint32_t i = 0; i < image->header_count; i++) {
    const Elf64_Phdr *header = &image->headers[i];
    if (header->p_type != PT_DYNAMIC) continue;
    uint64_t count = header->p_filesz / sizeof(Elf64_Dyn);
    for (uint64_t n = 0; n < count; n++) {
      Elf64_Dyn entry;
      uint64_t offset;
      if (n == NR_ELF_DYNAMIC_MAX || __builtin_add_overflow(header->p_offset, n * sizeof entry, &offset))
        return -EINVAL;
      int error = read_at(image, offset, &entry, sizeof entry);
      if (error < 0) return error;
      if (entry.d_tag == DT_NULL) break;
      take_entry(&entry, dynamic);
    }
    break;
  }
  bool readable = dynamic->symbols != 0 && dynamic->strings != 0 && dynamic->strings_size <= NR_ELF_STRINGS_MAX;
  return readable ? 0 : -EINVAL;
}

/* The largest of the bucket heads: where the chain of the last exports begins. 0: nothing is exported. */
static int last_bucket(const struct image *image, uint64_t address, uint32_t buckets, uint32_t *last) {
  uint32_t heads[1024];
  *last = 0;
  for (uint32_t done = 0, some; done < buckets; done += some) {
    some = buckets - done < 1024 ? buckets - done : 1024;
    int error = read_address(image, address + (uint64_t)done * 4, heads, (uint64_t)some * 4);
    if (error < 0) return error;
    for (uint32_t i = 0; i < some; i++) {
      if (heads[i] > *last) *last = heads[i];
    }
  }
  return 0;
}

/*
 * A GNU hash table knows only what is exported; imports come before that. The last export is the end of the last chain.
 * -ENOENT when nothing is exported: then linkers write a table that does not tell how many imports there are.
 */
static int count_by_gnu_hash(const struct image *image, uint64_t table, uint32_t *count) {
  uint32_t header[4]; /* buckets, first export, words of the Bloom filter, shift */
  uint32_t last;
  int error = read_address(image, table, header, sizeof header);
  if (error < 0) return error;
  if (header[0] > NR_ELF_SYMBOLS_MAX || header[2] > NR_ELF_SYMBOLS_MAX) return -EINVAL;
  uint64_t buckets = table + sizeof header + (uint64_t)header[2] * 8;
  error = last_bucket(image, buckets, header[0], &last);
  if (error < 0) return error;
  if (last == 0) return -ENOENT;
  if (last < header[1]) return -EINVAL;
  uint64_t chains = buckets + (uint64_t)header[0] * 4;
  for (uint32_t chain = 0; (chain & 1) == 0; last++) {
    if (last > NR_ELF_SYMBOLS_MAX) return -EINVAL;
    error = read_address(image, chains + (uint64_t)(last - header[1]) * 4, &chain, sizeof chain);
    if (error < 0) return error;
  }
  *count = last;
  return 0;
}

/* One more than the highest symbol that the relocations name. An import that matters has a relocation. */
static int count_by_relocations(const struct image *image, uint64_t table, uint64_t size, uint32_t *count) {
  Elf64_Rela relocations[256];
  uint64_t total = size / sizeof relocations[0];
  if (total > NR_ELF_RELOCATIONS_MAX) return -EINVAL;
  for (uint64_t done = 0, some; done < total; done += some) {
    some = total - done < 256 ? total - done : 256;
    int error = read_address(image, table + done * sizeof relocations[0], relocations, some * sizeof relocations[0]);
    if (error < 0) return error;
    for (uint64_t i = 0; i < some; i++) {
      uint64_t symbol = ELF64_R_SYM(relocations[i].r_info);
      if (symbol >= NR_ELF_SYMBOLS_MAX) return -EINVAL;
      if (symbol >= *count) *count = (uint32_t)symbol + 1;
    }
  }
  return 0;
}

/* Without section headers nothing says how many symbols there are, except tables that refer to them. */
static int count_symbols(const struct image *image, const struct dynamic *dynamic, uint32_t *count) {
  uint32_t header[2]; /* buckets, chains: as many chains as symbols */
  int error = -ENOENT;
  *count = 0;
  if (dynamic->hash != 0) {
    error = read_address(image, dynamic->hash, header, sizeof header);
    *count = error < 0 ? 0 : header[1];
  } else if (dynamic->gnu_hash != 0) {
    error = count_by_gnu_hash(image, dynamic->gnu_hash, count);
  }
  if (error == -ENOENT) {
    error = count_by_relocations(image, dynamic->relocations, dynamic->relocations_size, count);
    if (error == 0) error = count_by_relocations(image, dynamic->plt_relocations, dynamic->plt_relocations_size, count);
  }
  if (error < 0) return error;
  return *count > NR_ELF_SYMBOLS_MAX ? -EINVAL : 0;
}

/* client/calls/isolate.c has them. */
static bool is_given(const char *name) {
  return strcmp(name, "_ZN2v87Isolate10GetCurrentEv") == 0 ||
         strcmp(name, "_ZN4node19GetCurrentEventLoopEPN2v87IsolateE") == 0;
}

static bool is_internal(const char *name) {
  static const char *const prefixes[] = {"_ZN2v8", "_ZNK2v8", "_ZTIN2v8", "_ZTVN2v8", "_ZN4node", "_ZNK4node"};
  for (size_t i = 0; !is_given(name) && i < sizeof prefixes / sizeof prefixes[0]; i++) {
    if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) return true;
  }
  return strcmp(name, "node_module_register") == 0;
}

/* _ZN2v87Isolate10GetCurrentEv: v8::Isolate::GetCurrent. What is not such a nested name stays as it is. */
static void make_readable(const char *name, char *out, size_t size) {
  const char *at = strchr(name, 'N');
  size_t used = 0;
  if (strncmp(name, "_Z", 2) != 0 || at == NULL) {
    strncpy(out, name, size - 1);
    out[size - 1] = '\0';
    return;
  }
  for (at += at[1] == 'K' ? 2 : 1; *at >= '1' && *at <= '9';) {
    char *end;
    unsigned long length = strtoul(at, &end, 10);
    if (length > strlen(end) || used + length + 3 > size) break;
    if (used > 0) {
      memcpy(out + used, "::", 2);
      used += 2;
    }
    memcpy(out + used, end, length);
    used += length;
    at = end + length;
  }
  out[used] = '\0';
}

static void note(struct nr_elf_report *report, const char *name) {
  report->total++;
  if (report->count == NR_ELF_SYMBOLS) return;
  make_readable(name, report->symbols[report->count++], NR_ELF_SYMBOL_SIZE);
}

static int scan(const struct image *image, const struct dynamic *dynamic, uint32_t count,
                struct nr_elf_report *report) {
  char *strings = malloc(dynamic->strings_size + 1);
  Elf64_Sym *symbols = malloc((count + 1u) * sizeof *symbols);
  int error = strings == NULL || symbols == NULL ? -ENOMEM : 0;
  if (error == 0) error = read_address(image, dynamic->strings, strings, dynamic->strings_size);
  if (error == 0) error = read_address(image, dynamic->symbols, symbols, count * sizeof *symbols);
  if (error == 0) strings[dynamic->strings_size] = '\0';
  for (uint32_t i = 0; error == 0 && i < count; i++) {
    if (symbols[i].st_shndx != SHN_UNDEF || symbols[i].st_name >= dynamic->strings_size) continue;
    if (is_internal(strings + symbols[i].st_name)) note(report, strings + symbols[i].st_name);
  }
  free(strings);
  free(symbols);
  return error;
}

static int inspect(struct image *image, struct nr_elf_report *report) {
  struct dynamic dynamic;
  uint32_t count = 0;
  int error = read_headers(image);
  if (error == 0) error = read_dynamic(image, &dynamic);
  if (error == 0) error = count_symbols(image, &dynamic, &count);
  if (error == 0) error = scan(image, &dynamic, count, report);
  return error;
}

int nr_elf_inspect(const char *file, struct nr_elf_report *report) {
  struct image image = {.fd = -1};
  struct stat status;
  memset(report, 0, sizeof *report);
  /* The loader looks for a name without a slash in its own path, not in the working directory. */
  if (strchr(file, '/') == NULL) return -ENOENT;
  image.fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (image.fd < 0) return -errno;
  int error = fstat(image.fd, &status) < 0 ? -errno : 0;
  if (error == 0 && !S_ISREG(status.st_mode)) error = -EINVAL;
  if (error == 0) {
    image.size = (uint64_t)status.st_size;
    error = inspect(&image, report);
  }
  free(image.headers);
  close(image.fd);
  return error;
}
