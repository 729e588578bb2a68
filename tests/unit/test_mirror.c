/*
 * Windows on one copy of another process' memory (server/memory/mirror.c). No such process is needed.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "server/memory/mirror.c"

#define GIGABYTE (UINT64_C(1) << 30)
#define BASE (UINT64_C(0x7f1234567000) + 40)

static void show(struct nr_mirror *mirror, uint64_t address, uint64_t length, struct nr_mirror_window *window) {
  *window = (struct nr_mirror_window){.bytes = NULL};
  cr_assert(nr_mirror_show(mirror, address, length, window));
}

Test(mirror, windows_show_one_and_the_same) {
  struct nr_mirror mirror = {.open = false};
  struct nr_mirror_window first, second;
  show(&mirror, BASE, GIGABYTE, &first);
  show(&mirror, BASE + 1234567, GIGABYTE, &second);
  cr_assert_eq((uintptr_t)second.bytes % NR_PAGE, (BASE + 1234567) % NR_PAGE);
  first.bytes[1234567] = 1;
  second.bytes[GIGABYTE - 1234567 - 1] = 2;
  second.twin[5] = 3;
  cr_assert_eq(second.bytes[0], 1);
  cr_assert_eq(first.bytes[GIGABYTE - 1], 2);
  cr_assert_eq(first.twin[1234572], 3);
  cr_assert_eq(first.bytes[1234572], 0);
  second.bytes[GIGABYTE - 1] = 4; /* behind the first one */
  nr_mirror_rest(&first);
  cr_assert_eq(first.bytes[1234567], 1);
  nr_mirror_close(&mirror, &first);
  nr_mirror_rest(&first);
  cr_assert_eq(second.bytes[0], 1);
  cr_assert_eq(second.twin[5], 3);
  nr_mirror_close(&mirror, &first); /* it is closed */
  nr_mirror_close(&mirror, &second);
  cr_assert_eq(mirror.count, 0);
  nr_mirror_end(&mirror);
}

/* What no window shows any more, and that only. */
Test(mirror, forgets) {
  struct nr_mirror mirror = {.open = false};
  struct nr_mirror_window all, left, right;
  uint64_t length = 100 * NR_PAGE, at = BASE / NR_PAGE * NR_PAGE;
  show(&mirror, at, length, &all);
  show(&mirror, at + 10 * NR_PAGE, 20 * NR_PAGE - 1, &left);
  show(&mirror, at + 60 * NR_PAGE, 10 * NR_PAGE, &right);
  memset(all.bytes, 7, length);
  memset(all.twin, 8, length);
  nr_mirror_close(&mirror, &all);
  show(&mirror, at, length, &all);
  for (unsigned page = 0; page < 100; page++) {
    bool shown = (page >= 10 && page < 30) || (page >= 60 && page < 70);
    cr_assert_eq(all.bytes[page * NR_PAGE + 9], shown ? 7 : 0);
    cr_assert_eq(all.twin[page * NR_PAGE + 9], shown ? 8 : 0);
  }
  nr_mirror_end(&mirror); /* what is open stays */
  cr_assert_eq(left.bytes[0], 7);
  nr_mirror_close(&mirror, &left);
  nr_mirror_close(&mirror, &right);
  nr_mirror_close(&mirror, &all);
}

Test(mirror, tells_of_each_page) {
  struct nr_mirror mirror = {.open = false};
  struct nr_mirror_window first, second;
  cr_assert_eq(nr_mirror_touched(&mirror), -1);
  show(&mirror, BASE, GIGABYTE, &first);
  show(&mirror, BASE + 2 * GIGABYTE, GIGABYTE - 5, &second);
  long touched = nr_mirror_touched(&mirror);
  cr_assert_eq(nr_mirror_touched(&mirror), touched);
  first.bytes[GIGABYTE - 1] = 1;
  cr_assert_neq(nr_mirror_touched(&mirror), touched);
  touched = nr_mirror_touched(&mirror);
  cr_assert_eq(second.bytes[12345], 0); /* read */
  cr_assert_neq(nr_mirror_touched(&mirror), touched);
  touched = nr_mirror_touched(&mirror);
  first.bytes[GIGABYTE - 1] = second.bytes[12345] = 2;
  first.twin[77] = 1;
  cr_assert_eq(nr_mirror_touched(&mirror), touched);
  /* As much comes as goes: that is not to look like nothing. */
  nr_mirror_close(&mirror, &second);
  first.bytes[5000] = 1;
  cr_assert_neq(nr_mirror_touched(&mirror), touched);
  nr_mirror_close(&mirror, &first);
  nr_mirror_end(&mirror);
}

struct found {
  struct nr_range ranges[8];
  size_t count, most;
};

static bool note(struct nr_range range, void *context) {
  struct found *found = context;
  found->ranges[found->count++] = range;
  return found->count < found->most;
}

Test(mirror, which_pages_there_are) {
  struct nr_mirror mirror = {.open = false};
  struct nr_mirror_window window;
  struct found found = {.most = 8};
  show(&mirror, BASE, GIGABYTE, &window);
  cr_assert_eq(nr_mirror_present(&mirror, BASE, GIGABYTE, note, &found), 0);
  cr_assert_eq(found.count, 0);
  window.bytes[0] = window.bytes[3 * NR_PAGE] = window.bytes[4 * NR_PAGE] = window.bytes[GIGABYTE - 1] = 1;
  cr_assert_eq(nr_mirror_present(&mirror, BASE, GIGABYTE, note, &found), 0);
  cr_assert_eq(found.count, 3);
  cr_assert_eq(found.ranges[0].from, 0);
  cr_assert_eq(found.ranges[0].to, NR_PAGE - 40);
  cr_assert_eq(found.ranges[1].from, 3 * NR_PAGE - 40);
  cr_assert_eq(found.ranges[1].to, 5 * NR_PAGE - 40);
  cr_assert_eq(found.ranges[2].to, GIGABYTE);
  found = (struct found){.most = 1};
  cr_assert_eq(nr_mirror_present(&mirror, BASE + NR_PAGE, 3 * NR_PAGE, note, &found), 0);
  cr_assert_eq(found.count, 1);
  cr_assert_eq(found.ranges[0].to, 3 * NR_PAGE);
  nr_mirror_close(&mirror, &window);
  nr_mirror_end(&mirror);
}

/* What a host says is no reason to go under. */
Test(mirror, nonsense) {
  struct nr_mirror mirror = {.open = false};
  struct nr_mirror_window window = {.bytes = NULL};
  cr_assert_not(nr_mirror_show(&mirror, UINT64_MAX - 4096, 4096, &window));
  cr_assert_not(nr_mirror_show(&mirror, 4096, UINT64_MAX - 4096, &window));
  cr_assert_not(nr_mirror_show(&mirror, 4096, 0, &window));
  cr_assert_not(nr_mirror_show(&mirror, 4096, NR_MIRROR_SIZE - 4096, &window)); /* more than can be mapped */
  cr_assert(window.bytes == NULL);
  show(&mirror, NR_MIRROR_SIZE - GIGABYTE, GIGABYTE, &window);
  window.bytes[GIGABYTE - 1] = 1;
  nr_mirror_close(&mirror, &window);
  nr_mirror_end(&mirror);
  cr_assert_not(nr_mirror_show(&mirror, BASE, GIGABYTE, &window));
}

/* Then it is the caller's to find other memory. */
Test(mirror, a_limit_to_files) {
  struct nr_mirror mirror = {.open = false};
  struct nr_mirror_window window = {.bytes = NULL};
  struct rlimit limit = {.rlim_cur = GIGABYTE, .rlim_max = RLIM_INFINITY};
  cr_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
  cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  cr_assert_not(nr_mirror_show(&mirror, BASE, GIGABYTE, &window));
  cr_assert_eq(nr_mirror_touched(&mirror), -1);
  nr_mirror_end(&mirror);
}
