/*
 * The recorder's memory, and reading what is in it. The reader takes nothing for granted: the host may have written
 * anything, and may still be writing.
 */
#include "wire/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "opcodes.h"
#include "wire/print.h"

#if defined(__x86_64__)
/* The order of gregs in ucontext_t. */
const char *const nr_register_names[] = {"r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15",    "rdi", "rsi",
                                         "rbp", "rbx", "rdx", "rax", "rcx", "rsp", "rip", "eflags", NULL};
#else
const char *const nr_register_names[] = {NULL};
#endif

int nr_recorder_create(void) {
  int fd = memfd_create("napi-remote-recorder", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return -errno;
  if (ftruncate(fd, sizeof(struct nr_recorder)) == 0 &&
      fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
    return fd;
  }
  int error = -errno;
  close(fd);
  return error;
}

struct nr_recorder *nr_recorder_map(int fd) {
  struct stat status;
  if (fstat(fd, &status) < 0 || status.st_size != sizeof(struct nr_recorder)) return NULL;
  struct nr_recorder *recorder = mmap(NULL, sizeof *recorder, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (recorder == MAP_FAILED) return NULL;
  recorder->version = NR_RECORDER_VERSION;
  recorder->magic = NR_RECORDER_MAGIC;
  return recorder;
}

/* ---- Reading ---- */

static uint32_t at_most(uint32_t count, uint32_t most) {
  return count < most ? count : most;
}

static void check_crash(struct nr_crash *crash) {
  uint32_t registers = 0;
  while (nr_register_names[registers] != NULL) registers++;
  crash->register_count = at_most(crash->register_count, registers);
  crash->frame_count = at_most(crash->frame_count, NR_CRASH_FRAMES_MAX);
  crash->module_count = at_most(crash->module_count, NR_CRASH_MODULES_MAX);
  crash->limit_count = at_most(crash->limit_count, NR_CRASH_LIMITS_MAX);
  crash->thread_name[sizeof crash->thread_name - 1] = '\0';
  crash->text[sizeof crash->text - 1] = '\0';
  crash->paths[NR_CRASH_PATHS - 1] = '\0';
  for (uint32_t i = 0; i < crash->module_count; i++) {
    struct nr_crash_module *module = &crash->modules[i];
    if (module->path >= NR_CRASH_PATHS) module->path = NR_CRASH_PATHS - 1;
    if (module->build_id_length > NR_CRASH_BUILD_ID) module->build_id_length = 0;
  }
}

/* Not malloc()'s: what is allocated while it is there would lie behind it in the heap, and keep its place from being
 * given back. A program whose addon crashes again and again grew by 0.2 MB each time. */
struct nr_recorder *nr_recorder_read(int fd) {
  struct nr_recorder *copy = mmap(NULL, sizeof *copy, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (copy == MAP_FAILED) return NULL;
  for (size_t done = 0; done < sizeof *copy;) {
    ssize_t count = pread(fd, (char *)copy + done, sizeof *copy - done, (off_t)done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += (size_t)count;
    if (done < sizeof *copy || copy->magic != NR_RECORDER_MAGIC || copy->version != NR_RECORDER_VERSION) continue;
    check_crash(&copy->crash);
    return copy;
  }
  nr_recorder_drop(copy);
  return NULL;
}

void nr_recorder_drop(struct nr_recorder *copy) {
  if (copy != NULL) munmap(copy, sizeof *copy);
}

static int by_serial(const void *left, const void *right) {
  uint64_t a = (*(const struct nr_record *const *)left)->serial, b = (*(const struct nr_record *const *)right)->serial;
  return a < b ? -1 : a > b;
}

size_t nr_record_sort(const struct nr_record_ring *ring, const struct nr_record *sorted[NR_RECORDS]) {
  size_t count = 0;
  for (uint32_t i = 0; i < NR_RECORDS; i++) {
    const struct nr_record *record = &ring->records[i];
    bool known = record->kind == NR_RECORD_REFUSED || nr_op_info(record->opcode) != NULL;
    if (record->serial != 0 && known && record->kind >= NR_RECORD_CALL && record->kind <= NR_RECORD_REFUSED)
      sorted[count++] = record;
  }
  qsort(sorted, count, sizeof(struct nr_record *), by_serial);
  return count;
}

/* A struct of the message's type with the words that were kept of it, and nothing in it that points anywhere. */
static ProtobufCMessage *rebuild(const ProtobufCMessageDescriptor *descriptor, const uint64_t *words, size_t count,
                                 size_t room, struct nr_print_kept *kept) {
  ProtobufCMessage *message = calloc(1, descriptor->sizeof_message);
  size_t length = (count < room ? count : room) * sizeof *words;
  if (message == NULL) return NULL;
  if (length > descriptor->sizeof_message - sizeof *message) length = descriptor->sizeof_message - sizeof *message;
  memcpy(message + 1, words, length);
  message->descriptor = descriptor;
  kept->message = sizeof *message + length;
  for (unsigned i = 0; i < descriptor->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
    void *at = (char *)message + field->offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED || field->type == PROTOBUF_C_TYPE_STRING ||
        field->type == PROTOBUF_C_TYPE_MESSAGE) {
      memset(at, 0, sizeof(void *));
    } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
      memset(at, 0, sizeof(ProtobufCBinaryData));
    }
  }
  return message;
}

/* The values that were kept become the elements of the first list. */
static void give_values(ProtobufCMessage *message, const struct nr_record *record, struct nr_print_kept *kept) {
  size_t count = record->values, room = sizeof record->extra.values / sizeof record->extra.values[0];
  kept->values = 0;
  for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
    if (field->label != PROTOBUF_C_LABEL_REPEATED) continue;
    if (field->type == PROTOBUF_C_TYPE_FIXED64) {
      *(const uint64_t **)((char *)message + field->offset) = record->extra.values;
      kept->values = count < room ? count : room;
    }
    return;
  }
}

static size_t print_part(char *buffer, size_t size, const ProtobufCMessageDescriptor *descriptor,
                         const struct nr_record *record, bool reply) {
  struct nr_print_kept kept = {0};
  ProtobufCMessage *message = reply
                                  ? rebuild(descriptor, record->reply, record->reply_words, 1, &kept)
                                  : rebuild(descriptor, record->request, record->request_words, NR_RECORD_WORDS, &kept);
  if (message == NULL) return nr_print_message(buffer, size, NULL, NULL, 0);
  if (!reply) {
    kept.tail = at_most(record->text_length, NR_RECORD_EXTRA);
    if (record->values > 0) give_values(message, record, &kept);
  }
  /* Of the reply's tail nothing is kept, and its length is not known. */
  size_t tail_length = reply ? UINT32_MAX : record->tail_length;
  if (kept.tail > tail_length) kept.tail = tail_length;
  size_t length = nr_print_cut(buffer, size, message, (const uint8_t *)record->extra.text, tail_length, &kept);
  free(message);
  return length;
}

#define NR_PART 320

size_t nr_record_print(const struct nr_record *record, char *buffer, size_t size) {
  const struct nr_op_info *info = nr_op_info(record->opcode);
  char asked[NR_PART] = "", answered[NR_PART] = "", status[32] = "";
  int length;
  if (record->kind == NR_RECORD_REFUSED) {
    length = snprintf(buffer, size, "%.*s (refused) = %s", (int)NR_RECORD_EXTRA, record->extra.text,
                      nr_status_name(record->status));
  } else if (info == NULL) {
    length = snprintf(buffer, size, "opcode 0x%03x", record->opcode);
  } else {
    print_part(asked, sizeof asked, info->request, record, false);
    if (record->kind == NR_RECORD_CALL && record->state == NR_RECORD_DONE)
      snprintf(status, sizeof status, " = %s", nr_status_name(record->status));
    if (status[0] != '\0' && record->status == 0 && record->reply_words > 0 && info->reply->n_fields > 0) {
      answered[0] = ' ';
      print_part(answered + 1, sizeof answered - 1, info->reply, record, true);
    }
    length = snprintf(buffer, size, "%s%s %s%s%s", record->kind == NR_RECORD_ENTRY ? "> " : "", info->name, asked,
                      status, answered);
  }
  return length < 0 ? 0 : (size_t)length < size ? (size_t)length : size - 1;
}
