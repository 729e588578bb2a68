/*
 * What is known about handles without asking (known.c), and which of them are of fresh objects (fresh.c).
 */
#ifndef NR_CLIENT_KNOWN_H
#define NR_CLIENT_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "napi.pb-c.h"
#include "wire/port.h"
#include "wire/protocol.h"
#include "wire/table.h"
#include "wire/value.h"

struct nr_call;
struct nr_channel;

/* What is known about a handle without asking. Valid for views and wraps only as long as the epochs match. */
struct nr_known {
  nr_value value;
  uint32_t shape; /* enum nr_shape */
  uint32_t js_epoch;
  uint32_t wrap_epoch;
  uint32_t unwrap_epoch;
  const uint8_t *text;
  uint32_t text_length; /* UTF-16 units */
  nr_id wrap_id;
  bool read;     /* from a snapshot, and its bytes were not asked for since */
  Nr__View view; /* `bytes` is not kept */
};

#define NR_LEARNED 64u /* handles that the client remembers facts of, beside the arguments of the open entries */
#define NR_LEARNED_TEXT 64u

/* The value of a property that was read without asking for it. */
struct nr_property {
  nr_value value;       /* what is no primitive: only its tag counts */
  uint32_t shape;       /* enum nr_shape */
  uint32_t text_size;   /* bytes */
  const uint8_t *text;  /* with NR_SHAPE_TEXT */
  const Nr__View *view; /* with NR_SHAPE_VIEW */
};

struct nr_learned {
  struct nr_known known;
  uint8_t text[NR_LEARNED_TEXT * 2];
};

/* What is known of a handle; NULL: nothing. Valid until the next call. */
const struct nr_known *nr_known(struct nr_channel *channel, nr_value value);
/* `shape` bits that hold of the value right now, out of those asked for: stale views and wraps are left out. */
uint32_t nr_known_shape(struct nr_channel *channel, const struct nr_known *known);
/* What came along of what the value wraps has been of use. */
void nr_known_looked(struct nr_channel *channel, nr_value value);
/* An object holds that from now on. */
void nr_known_wrapped(struct nr_channel *channel, nr_value value, nr_id object_id);
/* Native code asks for the bytes of a value. */
void nr_known_asked(struct nr_channel *channel, nr_value value);
/* The view of a value that came along, when it still holds. */
const Nr__View *nr_known_view(struct nr_channel *channel, nr_value value);
/* Of a typed array, bytes. */
uint32_t nr_element_size(uint32_t type);
/* Fills a known from a message that came with `frame`; text stays in the frame. */
void nr_known_set(struct nr_channel *channel, struct nr_known *known, const Nr__Fact *fact,
                  const struct nr_frame *frame);
/* The same from InvokeRequest.views. */
void nr_known_set_view(struct nr_channel *channel, struct nr_known *known, nr_value value,
                       const uint64_t numbers[NR_VIEW_NUMBERS]);
/* Remembers a fact about a result. */
void nr_learn(struct nr_channel *channel, const Nr__Fact *fact, const struct nr_frame *frame);
/* Bindings ask for the address of a view more than once: it need not be asked for again. NULL: nothing is known. */
void nr_learn_view(struct nr_call *call, nr_value value, Nr__View *view);
/* The same about what a snapshot held. */
void nr_learn_property(struct nr_channel *channel, nr_value value, const struct nr_property *property);

/* Handles come round again: nothing is known of any, and none is fresh. */
void nr_known_forget(struct nr_channel *channel);
/* The addon has made a string of this text, Latin-1 or UTF-8. */
void nr_learn_text(struct nr_channel *channel, nr_value value, const char *text, nr_span span);

/* ---- fresh objects --------------------------------------------------------------------------------------------------
 */

#define NR_FRESH 256u
struct nr_fresh {
  nr_value value;
  uint32_t epoch;
  uint32_t uses;
  bool array;
  bool moved; /* there was another handle of it, which may be in use */
};

/* Objects that this entry, or one that it is nested in, has made and nobody else has seen: their properties can be set
 * without waiting. There is one handle of each. */
void nr_fresh_add(struct nr_channel *channel, nr_value value, bool array);
bool nr_fresh_has(struct nr_channel *channel, nr_value value);
bool nr_fresh_is_array(struct nr_channel *channel, nr_value value);
/* The same for a Buffer: of the last one only, and nothing of it is set without waiting. */
void nr_fresh_add_buffer(struct nr_channel *channel, nr_value value);
/* Is it any of these, and has had one handle only? */
bool nr_fresh_is_untouched(struct nr_channel *channel, nr_value value);
/* The object has another handle now. */
void nr_fresh_move(struct nr_channel *channel, nr_value from, nr_value to);
/* JavaScript gets it, or another handle of it is made. What it holds is not fresh any more either. */
void nr_fresh_show(struct nr_channel *channel, nr_value value);
void nr_fresh_clear(struct nr_channel *channel);
/* Does Object.prototype have that name as it was made? */
bool nr_is_special_name(const char *name, size_t length);

#endif
