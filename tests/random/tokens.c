/*
 * Pointers that mean something to the addon only: data of callbacks, wraps, externals, finalizers. Some are the same
 * each time; the others are fresh, so that no two objects have the same one and each is finalized once.
 */
#include "random.h"

#define TOKENS 16
#define FRESH (1u << 20)

static char tokens[TOKENS];
static char fresh[FRESH]; /* 1: finalized since it was given out */
static uint32_t given, base;

uint32_t rd_finalized[2];

void rd_tokens_begin(void) {
  base = given;
}

void *rd_token(int32_t word) {
  if (word >= 0) return &tokens[word % TOKENS];
  if (word == -1) return NULL;
  char *place = &fresh[given++ % FRESH];
  *place = 0;
  return place;
}

void rd_print_pointer(const void *pointer) {
  const char *place = pointer;
  if (place == NULL) {
    rd_print("NULL");
  } else if (place >= tokens && place < tokens + TOKENS) {
    rd_print("t%d", (int)(place - tokens));
  } else if (place >= fresh && place < fresh + FRESH) {
    /* One of an earlier program hangs on an object of the whole process. */
    rd_print("f%d", (int)(place - fresh) - (int)(base % FRESH));
  } else {
    rd_print("?");
  }
}

/* When it runs is the collector's matter, and no part of the transcript. */
void rd_finalize(napi_env env, void *data, void *hint) {
  char *place = data;
  (void)env;
  (void)hint;
  rd_finalized[0]++;
  if (place < fresh || place >= fresh + FRESH) return;
  if (*place != 0) rd_finalized[1]++;
  *place = 1;
}
