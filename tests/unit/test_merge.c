/*
 * Two sides write, each its own bytes: what one finds changed goes over, the other's stay (wire/merge.c).
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "wire/merge.h"

#define LENGTH 20000

struct sides {
  uint8_t from[LENGTH], twin[LENGTH], to[LENGTH];
};

static struct sides *alike(void) {
  struct sides *sides = malloc(sizeof *sides);
  for (int i = 0; i < LENGTH; i++) sides->from[i] = sides->twin[i] = sides->to[i] = (uint8_t)(i * 7 + i / 256);
  return sides;
}

Test(merge, what_is_alike_stays) {
  struct sides *sides = alike();
  sides->to[17] ^= 1;
  cr_assert_not(nr_merge(sides->from, sides->twin, sides->to, LENGTH));
  cr_assert_eq(sides->to[17], sides->twin[17] ^ 1);
  cr_assert_not(nr_merge(sides->from, sides->twin, sides->to, 0));
  free(sides);
}

/* Every byte by itself, at either end and around the steps in which it is done. */
Test(merge, one_byte_goes_over) {
  static const int places[] = {0, 1, 63, 64, 65, 4095, 4096, 4097, 8191, 8192, 19967, 19968, 19998, 19999};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    struct sides *sides = alike();
    int at = places[i], near = at == 0 ? 1 : at - 1;
    sides->from[at] ^= 0xff;
    sides->to[near] ^= 0xff; /* the other side's, on the same line */
    uint8_t theirs = sides->to[near];
    cr_assert(nr_merge(sides->from, sides->twin, sides->to, LENGTH));
    cr_assert_eq(sides->to[at], sides->from[at]);
    cr_assert_eq(sides->twin[at], sides->from[at]);
    cr_assert_eq(sides->to[near], theirs);
    cr_assert_neq(sides->twin[near], theirs);
    free(sides);
  }
}

/* Against the loop that says what is meant. */
Test(merge, at_random) {
  srand(1);
  for (int round = 0; round < 300; round++) {
    struct sides *sides = alike(), *model = alike();
    int begin = rand() % 100, length = rand() % (LENGTH - begin);
    for (int i = rand() % 2000; i > 0; i--) {
      int at = rand() % LENGTH, value = rand();
      if (rand() % 2 != 0) {
        sides->from[at] = model->from[at] = (uint8_t)value;
      } else {
        sides->to[at] = model->to[at] = (uint8_t)value;
      }
    }
    bool changed = false;
    for (int i = begin; i < begin + length; i++) {
      if (model->from[i] == model->twin[i]) continue;
      model->to[i] = model->twin[i] = model->from[i];
      changed = true;
    }
    cr_assert_eq(nr_merge(sides->from + begin, sides->twin + begin, sides->to + begin, (uint64_t)length), changed);
    cr_assert_eq(memcmp(sides, model, sizeof *sides), 0);
    free(sides);
    free(model);
  }
}
