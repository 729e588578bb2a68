/*
 * Memory of this side's of which little may be there (server/memory/sparse_memory.c).
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <sys/resource.h>

#include "server/memory/sparse_memory.c"

#define LENGTH (UINT64_C(1) << 30)

Test(sparse_memory, tells_of_each_page) {
  struct nr_sparse_memory sparse = {.open = false};
  uint64_t places[2];
  cr_assert_eq(nr_sparse_memory_touched(&sparse), -1);
  uint8_t *first = nr_sparse_memory_create(&sparse, LENGTH, &places[0]);
  uint8_t *second = nr_sparse_memory_create(&sparse, LENGTH - 5, &places[1]);
  cr_assert(first != NULL && second != NULL);
  long touched = nr_sparse_memory_touched(&sparse);
  cr_assert_eq(nr_sparse_memory_touched(&sparse), touched);
  first[LENGTH - 1] = 1;
  cr_assert_neq(nr_sparse_memory_touched(&sparse), touched);
  touched = nr_sparse_memory_touched(&sparse);
  cr_assert_eq(second[12345], 0); /* read */
  cr_assert_neq(nr_sparse_memory_touched(&sparse), touched);
  touched = nr_sparse_memory_touched(&sparse);
  first[LENGTH - 1] = second[12345] = 2;
  cr_assert_eq(nr_sparse_memory_touched(&sparse), touched);
  nr_sparse_memory_free(&sparse, first, LENGTH, places[0]);
  nr_sparse_memory_free(&sparse, second, LENGTH - 5, places[1]);
  nr_sparse_memory_end(&sparse);
}

/* As much comes as goes: that is not to look like nothing. */
Test(sparse_memory, never_the_same_again) {
  struct nr_sparse_memory sparse = {.open = false};
  uint64_t places[2];
  uint8_t *stays = nr_sparse_memory_create(&sparse, LENGTH, &places[0]);
  uint8_t *goes = nr_sparse_memory_create(&sparse, LENGTH, &places[1]);
  cr_assert(stays != NULL && goes != NULL);
  goes[0] = 1;
  long touched = nr_sparse_memory_touched(&sparse);
  nr_sparse_memory_free(&sparse, goes, LENGTH, places[1]);
  stays[0] = 1;
  cr_assert_neq(nr_sparse_memory_touched(&sparse), touched);
  uint8_t *next = nr_sparse_memory_create(&sparse, LENGTH, &places[1]);
  cr_assert(next != NULL);
  cr_assert_eq(next[0], 0);
  nr_sparse_memory_free(&sparse, next, LENGTH, places[1]);
  nr_sparse_memory_free(&sparse, stays, LENGTH, places[0]);
  nr_sparse_memory_end(&sparse);
}

/* Then it is the caller's to find other memory. */
Test(sparse_memory, a_limit_to_files) {
  struct nr_sparse_memory sparse = {.open = false};
  struct rlimit limit = {.rlim_cur = LENGTH, .rlim_max = RLIM_INFINITY};
  uint64_t places[2];
  cr_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
  cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  uint8_t *memory = nr_sparse_memory_create(&sparse, LENGTH, &places[0]);
  cr_assert(memory != NULL);
  cr_assert(nr_sparse_memory_create(&sparse, LENGTH, &places[1]) == NULL);
  cr_assert(nr_sparse_memory_create(&sparse, 4096, &places[1]) == NULL);
  memory[0] = 1;
  nr_sparse_memory_free(&sparse, memory, LENGTH, places[0]);
  nr_sparse_memory_end(&sparse);
}
