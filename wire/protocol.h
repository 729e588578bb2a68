/*
 * Numbers that both processes must agree on, beside the table in proto/napi.proto.
 */
#ifndef NR_WIRE_PROTOCOL_H
#define NR_WIRE_PROTOCOL_H

/* Counts up with every change of frames, messages or their meaning. The handshake refuses another. */
#define NR_PROTOCOL_VERSION 1u

/* NODE_API_EXPERIMENTAL_VERSION: an addon that declares it has its finalizers run inside the collection. */
#define NR_API_VERSION_EXPERIMENTAL INT32_MAX

/* The host's descriptors live here and above (lower when the limit of open files is smaller). */
#define NR_HOST_FD_BASE 1000

/* Places in either handle stack of a channel; ids of each other sort. Quotas: over them a call fails with
 * napi_generic_failure. */
#define NR_HANDLES_MAX (UINT32_C(1) << 24)
#define NR_IDS_MAX (UINT32_C(1) << 24)
/* CALLs and ENTERs nested in each other. V8's stack ends far before. */
#define NR_DEPTH_MAX 20000u

/* Strings of at most this many UTF-16 units travel along with the handle. */
#define NR_TEXT_INLINE 255u

/* Of external buffers so many parts, of so many bytes together, are compared in the host instead of being watched. */
#define NR_BESIDE_PARTS 256
#define NR_BESIDE_BYTES (UINT32_C(32) << 10)
/* Properties or elements in one snapshot. */
#define NR_SNAPSHOT_MAX 512u

/* V8's limit (kMaxLengthBits, 2^30 bits): it throws for longer ones without looking at the words. */
#define NR_BIGINT_WORDS_MAX (UINT64_C(1) << 24)

enum nr_view_kind {
  /* 0 to 11: napi_typedarray_type */
  NR_VIEW_DATAVIEW = 100,
  NR_VIEW_ARRAYBUFFER = 101,
  NR_VIEW_SHARED = 102, /* a SharedArrayBuffer, for Nodes whose napi_get_arraybuffer_info() takes one */
};

/* What Node does with a threadsafe function, and the host's half is to do. */
enum nr_threadsafe {
  NR_THREADSAFE_CALL = 0,     /* the next item of the queue */
  NR_THREADSAFE_CLOSING = 1,  /* the env ends: no more items */
  NR_THREADSAFE_FINALIZE = 2, /* it is closed */
  NR_THREADSAFE_DROP = 3,     /* the next item, without an env: after the finalizer */
};

/* The host's hold on the real threadsafe function: while one of its threads has the host's half. */
enum nr_hold { NR_HOLD_RELEASE = 0, NR_HOLD_ABORT = 1, NR_HOLD_ACQUIRE = 2 };

/* Where in a turn of Node's loop it enters the host's, in their order. */
enum nr_phase {
  NR_PHASE_TIMERS = 1,
  NR_PHASE_IDLE = 2,
  NR_PHASE_PREPARE = 3,
  NR_PHASE_POLL = 4, /* descriptors, asyncs, requests */
  NR_PHASE_CHECK = 5,
  NR_PHASE_CLOSE = 6,
};

/* Of LoopTimerRequest.due. */
#define NR_NO_TIMER UINT64_MAX

/* Of InvokeRequest.views. */
#define NR_VIEW_NUMBERS 4u

/* The first of them: the kind in four bits, so that the number is one byte for the first arguments of a call. */
static inline uint64_t nr_view_code(uint64_t place, uint32_t kind) {
  return place << 4 | (kind < NR_VIEW_DATAVIEW ? kind : kind - NR_VIEW_DATAVIEW + 12);
}
static inline uint64_t nr_view_code_place(uint64_t code) {
  return code >> 4;
}
static inline uint32_t nr_view_code_kind(uint64_t code) {
  uint32_t kind = code & 15;
  return kind < 12 ? kind : kind - 12 + NR_VIEW_DATAVIEW;
}

/* Of InvokeRequest.text_places. */
static inline uint64_t nr_text_code(uint64_t place, bool wide) {
  return place << 1 | wide;
}
static inline uint64_t nr_text_code_place(uint64_t code) {
  return code >> 1;
}
static inline bool nr_text_code_wide(uint64_t code) {
  return (code & 1) != 0;
}

/* Of InvokeRequest.shapes. */
#define NR_SHAPE_NUMBERS 2u

/* What Fact.shape tells about a value. */
enum nr_shape {
  NR_SHAPE_TEXT = 1,     /* a string whose contents are in `text` */
  NR_SHAPE_WIDE = 2,     /* ... in UTF-16; otherwise ASCII */
  NR_SHAPE_WRAP = 4,     /* `wrap_id` tells what napi_unwrap() finds; 0: nothing */
  NR_SHAPE_VIEW = 8,     /* `view` describes it */
  NR_SHAPE_NO_VIEW = 16, /* an object that is no view of bytes and no ArrayBuffer */
  NR_SHAPE_ARRAY = 32,   /* Array.isArray */
  NR_SHAPE_NO_ARRAY = 64,
  NR_SHAPE_BARE = 128,  /* nobody has wrapped anything in it */
  NR_SHAPE_FRESH = 256, /* an object that was made just now, holds nothing, and nobody else has; only of a KnownReply */
};

/* The first of NR_SHAPE_NUMBERS. */
static inline uint64_t nr_shape_code(uint64_t place, uint32_t shape) {
  return place << 8 | shape;
}
static inline uint64_t nr_shape_code_place(uint64_t code) {
  return code >> 8;
}
static inline uint32_t nr_shape_code_shape(uint64_t code) {
  return code & 255;
}

#endif
