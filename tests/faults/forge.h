/*
 * Messages of a host's that are well-formed and say what the test wants. The failing host has nr_forge(), which its
 * addons find by dlsym(): see tests/addons/forger.c.
 */
#ifndef NR_TESTS_FORGE_H
#define NR_TESTS_FORGE_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NR_FORGE_FIELDS 12

/* A field of a message by its name. `bits`: as it travels; `value`: a handle to be put there instead. */
struct nr_forge_field {
  char name[32];
  uint64_t bits;
  napi_value value;
};

struct nr_forge_fields {
  size_t count;
  struct nr_forge_field list[NR_FORGE_FIELDS];
};

struct nr_forgery {
  char name[64]; /* of the row in the table */
  uint32_t env;  /* 0: the caller's own */
  bool post;     /* without a reply */
  struct nr_forge_fields fields;
};

/* The status, with the numbers of the reply; -1: there is no such row, or field. Fields that are called `result` or
 * `promise` get an id for the handle unless they are given. Fields of one Stretch begin with `stretch_`;
 * stretch_count: so many of them, all alike. */
typedef int nr_forge_function(napi_env env, const struct nr_forgery *forgery, struct nr_forge_fields *reply);
nr_forge_function nr_forge;

#endif
