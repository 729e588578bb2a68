#include "server/memory/cells.h"

#include <stddef.h>
#include <sys/mman.h>

#include "wire/pages.h"

#define NR_CELL_GRAIN UINT64_C(16)
/* Two to a page at least; larger ones have pages of their own. */
#define NR_CELL_SMALL (NR_PAGE / 2)

/* Pages that come from the kernel together, and begin at a multiple of their size: so a cell's is found. */
#define NR_FIELD_PAGES 64u
#define NR_FIELD (NR_FIELD_PAGES * NR_PAGE)

/* In the first of its pages. */
struct nr_cell_field {
  struct nr_cell_field *next, *previous; /* of those that have an empty page */
  uint64_t empty;                        /* pages, a bit each */
  uint16_t used[NR_FIELD_PAGES];         /* cells on each */
};

#define NR_ALL_EMPTY (~UINT64_C(1))

static uint64_t half_of(uint64_t length) {
  return length == 0 ? NR_CELL_GRAIN : (length + NR_CELL_GRAIN - 1) / NR_CELL_GRAIN * NR_CELL_GRAIN;
}

uint8_t *nr_cell_twin(uint8_t *cell, uint64_t length) {
  return cell + half_of(length);
}

static struct nr_cell_field *field_of(uint8_t *cell) {
  return (struct nr_cell_field *)(cell - (uintptr_t)cell % NR_FIELD);
}

static uint32_t number_of(const uint8_t *cell) {
  return (uint32_t)((uintptr_t)cell % NR_FIELD / NR_PAGE);
}

static uint16_t *used_of(uint8_t *cell) {
  return &field_of(cell)->used[number_of(cell)];
}

static void link_field(struct nr_cells *cells, struct nr_cell_field *field) {
  field->previous = NULL;
  field->next = cells->with_room;
  if (field->next != NULL) field->next->previous = field;
  cells->with_room = field;
}

static void unlink_field(struct nr_cells *cells, struct nr_cell_field *field) {
  *(field->previous == NULL ? &cells->with_room : &field->previous->next) = field->next;
  if (field->next != NULL) field->next->previous = field->previous;
}

static bool add_field(struct nr_cells *cells) {
  uint8_t *memory =
      mmap(NULL, 2 * NR_FIELD, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return false;
  size_t before = (NR_FIELD - (uintptr_t)memory % NR_FIELD) % NR_FIELD;
  if (before > 0) munmap(memory, before);
  munmap(memory + before + NR_FIELD, NR_FIELD - before);
  struct nr_cell_field *field = (struct nr_cell_field *)(memory + before);
  field->empty = NR_ALL_EMPTY;
  link_field(cells, field);
  return true;
}

/* The empty page of a field with the lowest address is filled next: what is in use stays together. */
static bool begin_page(struct nr_cells *cells) {
  if (cells->with_room == NULL && !add_field(cells)) return false;
  struct nr_cell_field *field = cells->with_room;
  uint64_t number = (uint64_t)__builtin_ctzll(field->empty);
  field->empty &= field->empty - 1;
  if (field->empty == 0) unlink_field(cells, field);
  cells->page = (uint8_t *)field + number * NR_PAGE;
  cells->filled = 0;
  return true;
}

static uint8_t *create_on_page(struct nr_cells *cells, uint64_t size) {
  bool has_room = cells->page != NULL && cells->filled + size <= NR_PAGE;
  if (!has_room && !begin_page(cells)) return NULL;
  uint8_t *cell = cells->page + cells->filled;
  cells->filled += size;
  ++*used_of(cell);
  return cell;
}

static void empty_page(struct nr_cells *cells, uint8_t *page) {
  struct nr_cell_field *field = field_of(page);
  if (field->empty == 0) link_field(cells, field);
  field->empty |= UINT64_C(1) << number_of(page);
  bool is_only = field->next == NULL && field->previous == NULL;
  if (field->empty != NR_ALL_EMPTY || is_only) return;
  unlink_field(cells, field);
  munmap(field, NR_FIELD);
}

static void free_on_page(struct nr_cells *cells, uint8_t *cell) {
  uint8_t *page = cell - (uintptr_t)cell % NR_PAGE;
  if (--*used_of(cell) > 0) return;
  if (page == cells->page)
    cells->filled = 0;
  else
    empty_page(cells, page);
}

uint8_t *nr_cell_create(struct nr_cells *cells, struct nr_blocks *blocks, uint64_t length) {
  uint64_t size = 2 * half_of(length);
  return size <= NR_CELL_SMALL ? create_on_page(cells, size) : nr_spare_create(blocks, size);
}

void nr_cell_free(struct nr_cells *cells, struct nr_blocks *blocks, uint8_t *cell, uint64_t length) {
  uint64_t size = 2 * half_of(length);
  if (size <= NR_CELL_SMALL)
    free_on_page(cells, cell);
  else
    nr_spare_free(blocks, cell, size);
}

void nr_cells_end(struct nr_cells *cells) {
  if (cells->page != NULL) empty_page(cells, cells->page);
  while (cells->with_room != NULL) {
    struct nr_cell_field *field = cells->with_room;
    cells->with_room = field->next;
    munmap(field, NR_FIELD);
  }
  *cells = (struct nr_cells){.page = NULL};
}
