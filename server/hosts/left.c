#include "server/hosts/left.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire/recorder.h"

/* A program whose addons crash for ever does not keep what each of them left. */
#define NR_KEPT 64u

struct nr_left {
  int memfd; /* -1: `json` has it */
  char *json;
};

static struct {
  pthread_mutex_t lock; /* also of what is in each */
  struct nr_left *last[NR_KEPT];
  uint32_t next;
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct nr_left *nr_left_create(int memfd) {
  struct nr_left *left = malloc(sizeof *left);
  if (left == NULL) {
    close(memfd);
    return NULL;
  }
  *left = (struct nr_left){.memfd = memfd};
  return left;
}

void nr_left_free(struct nr_left *left) {
  if (left == NULL) return;
  pthread_mutex_lock(&kept.lock);
  for (uint32_t i = 0; i < NR_KEPT; i++) {
    if (kept.last[i] == left) kept.last[i] = NULL;
  }
  pthread_mutex_unlock(&kept.lock);
  if (left->memfd >= 0) close(left->memfd);
  free(left->json);
  free(left);
}

static char *read_memfd(int memfd) {
  struct nr_recorder *recorder = nr_recorder_read(memfd);
  char *json = recorder == NULL ? NULL : nr_recorder_json(recorder);
  nr_recorder_drop(recorder);
  return json;
}

char *nr_left_read(struct nr_left *left) {
  pthread_mutex_lock(&kept.lock);
  char *json = left->memfd >= 0 ? read_memfd(left->memfd) : left->json == NULL ? NULL : strdup(left->json);
  pthread_mutex_unlock(&kept.lock);
  return json;
}

/* In place of the oldest. With the lock held. */
static void keep(struct nr_left *left) {
  struct nr_left **place = &kept.last[kept.next++ % NR_KEPT];
  if (*place != NULL) {
    free((*place)->json);
    (*place)->json = NULL;
  }
  *place = left;
}

void nr_left_conclude(struct nr_left *left) {
  pthread_mutex_lock(&kept.lock);
  if (left->memfd >= 0) {
    char *json = read_memfd(left->memfd);
    /* It stays for long; in its place it would keep the large copy's from being used again whole. */
    left->json = json == NULL ? NULL : strdup(json);
    free(json);
    close(left->memfd);
    left->memfd = -1;
    keep(left);
  }
  pthread_mutex_unlock(&kept.lock);
}
