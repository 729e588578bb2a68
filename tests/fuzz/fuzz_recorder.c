/*
 * Feeds the reader of the flight recorder: the input is what a hostile host left there.
 *
 * Input: which part it goes into (1 byte: 0 the crash, else a record of the first ring), then its bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/recorder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int fd;
static struct nr_recorder *recorder;

static void set_up(void) {
  fd = nr_recorder_create();
  recorder = fd < 0 ? NULL : nr_recorder_map(fd);
  if (recorder == NULL) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (recorder == NULL) set_up();
  if (size == 0) return 0;
  struct nr_record_ring *ring = &recorder->rings[0];
  size_t room = data[0] == 0 ? sizeof recorder->crash : (NR_RECORDS - data[0] % NR_RECORDS) * sizeof ring->records[0];
  void *place = data[0] == 0 ? (void *)&recorder->crash : (void *)&ring->records[data[0] % NR_RECORDS];
  if (size - 1 < room) room = size - 1;
  memcpy(place, data + 1, room);
  struct nr_recorder *copy = nr_recorder_read(fd);
  if (copy == NULL) abort();
  free(nr_recorder_json(copy));
  nr_recorder_drop(copy);
  memset(place, 0, room);
  return 0;
}
