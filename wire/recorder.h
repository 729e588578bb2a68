/*
 * The flight recorder: memory that the server makes and the host writes, so that something is left of a host that died.
 * A ring of the last Node-API calls for each thread that has a channel, and what the crash handler found. Nothing is
 * printed when it is written, and nothing of it is trusted when it is read.
 */
#ifndef NR_WIRE_RECORDER_H
#define NR_WIRE_RECORDER_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NR_RECORDER_MAGIC UINT32_C(0x6e725246)
#define NR_RECORDER_VERSION 1u

#define NR_RECORDS 64u /* of a ring; a power of two */
/* The first is for all threads without a channel, and for those that found no other. */
#define NR_RECORD_RINGS 16u
#define NR_RECORD_WORDS 5u  /* of the request's fields */
#define NR_RECORD_EXTRA 48u /* bytes of its tail, or of a list of values */

enum nr_record_kind {
  NR_RECORD_CALL = 1,
  NR_RECORD_ENTRY = 2,   /* from the server */
  NR_RECORD_REFUSED = 3, /* a call that was refused before it began: `extra` has the function's name */
};
enum nr_record_state { NR_RECORD_OPEN = 0, NR_RECORD_DONE = 1 };

/*
 * One call, two cache lines. `request` and `reply` are what stands first in the protobuf structs behind their base,
 * pointers and all: the reader knows by the opcode what is what.
 */
struct nr_record {
  uint64_t serial; /* from 1, written last; 0: nothing, or half written */
  uint32_t env;
  uint16_t opcode;
  uint16_t depth;
  uint16_t status; /* napi_status, once it is done */
  uint8_t kind;
  uint8_t state;
  uint8_t request_words; /* of `request` */
  uint8_t reply_words;   /* of `reply` */
  uint8_t text_length;   /* bytes of `extra` that are the beginning of the tail */
  uint8_t values;        /* in `extra`, the beginning of the first list of values */
  uint32_t tail_length;  /* of the whole tail */
  uint32_t reserved;
  uint64_t request[NR_RECORD_WORDS];
  uint64_t reply[1];
  union {
    char text[NR_RECORD_EXTRA];
    uint64_t values[NR_RECORD_EXTRA / sizeof(uint64_t)];
  } extra;
};
_Static_assert(sizeof(struct nr_record) == 128, "two cache lines");

struct nr_record_ring {
  uint32_t thread; /* id of the thread that writes it; 0: none does */
  uint32_t reserved[15];
  struct nr_record records[NR_RECORDS];
};

/* What of `struct nr_crash` is there: each step of the handler may be the last one that works. */
enum nr_crash_state {
  NR_CRASH_SIGNAL = 1,
  NR_CRASH_MODULES = 2,
  NR_CRASH_FRAMES = 4,
  NR_CRASH_LIMITS = 8,
  NR_CRASH_EXIT = 16,  /* no crash: it called exit(), which the server had not asked for */
  NR_CRASH_ASKED = 32, /* no crash: the server wanted to know before it ends the process */
};

/* The value that comes with a SIGABRT of the server's, which only asks. */
#define NR_CRASH_QUESTION ((void *)(uintptr_t)UINT64_C(0x6e722061736b7321))

#define NR_CRASH_FRAMES_MAX 128u
#define NR_CRASH_MODULES_MAX 256u
#define NR_CRASH_REGISTERS 24u
#define NR_CRASH_LIMITS_MAX 16u
#define NR_CRASH_BUILD_ID 20u
#define NR_CRASH_PATHS 65536u
#define NR_CRASH_TEXT 512u

struct nr_crash_module {
  uint64_t base; /* what the loader added to the file's addresses */
  uint32_t path; /* where in `paths`; empty: the host itself */
  uint32_t build_id_length;
  uint8_t build_id[NR_CRASH_BUILD_ID];
};

struct nr_crash {
  uint32_t state;
  int32_t signal;
  int32_t code; /* si_code */
  uint32_t sender;
  uint64_t address; /* si_addr */
  uint32_t thread;
  char thread_name[20];
  uint32_t frame_count;
  uint32_t module_count;
  uint32_t register_count;
  uint32_t limit_count;
  uint64_t registers[NR_CRASH_REGISTERS];  /* in the order of nr_register_names */
  uint64_t limits[NR_CRASH_LIMITS_MAX][2]; /* by RLIMIT_ number: soft, hard */
  uint64_t frames[NR_CRASH_FRAMES_MAX];    /* innermost first: the place, then return addresses */
  char text[NR_CRASH_TEXT];                /* the last words of libc, or napi_fatal_error()'s */
  struct nr_crash_module modules[NR_CRASH_MODULES_MAX];
  char paths[NR_CRASH_PATHS]; /* each ends with a zero */
};

struct nr_recorder {
  uint32_t magic;
  uint32_t version;
  uint32_t reserved[14];
  struct nr_crash crash;
  _Alignas(64) struct nr_record_ring rings[NR_RECORD_RINGS];
};

/* The memory of a new recorder, of fixed size: a descriptor, or a negative errno. Untouched pages cost nothing. */
int nr_recorder_create(void);
/* Maps it to write; NULL when it is none. The descriptor stays the caller's. */
struct nr_recorder *nr_recorder_map(int fd);

/*
 * A private copy in which every count is within its bounds and every text ends: for nr_recorder_drop(). NULL without
 * memory, or when the host left no recorder there.
 */
struct nr_recorder *nr_recorder_read(int fd);
/* NULL: no effect. */
void nr_recorder_drop(struct nr_recorder *copy);

/* The records of a ring, oldest first, that can be printed; returns how many. */
size_t nr_record_sort(const struct nr_record_ring *ring, const struct nr_record *sorted[NR_RECORDS]);
/* Prints one as the trace does: `napi_get_value_double {value=1.5} = napi_ok {result=1.5}`. Returns the length. */
size_t nr_record_print(const struct nr_record *record, char *buffer, size_t size);

/* All of a private copy as JSON (recorder_json.c), to be freed; NULL without memory. */
char *nr_recorder_json(const struct nr_recorder *recorder);

/* The registers of this machine, NULL behind the last. */
extern const char *const nr_register_names[];

#endif
