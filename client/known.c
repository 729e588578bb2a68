/*
 * What the client knows of handles without asking: facts that came with arguments and results, and which objects are
 * fresh.
 */
#include "client/client-private.h"

/* A learned fact is found by its handle's place; two handles on one place push each other out, which costs a question,
 * nothing more. */
static uint32_t place(nr_value value) {
  return nr_value_index(value) % NR_LEARNED;
}

const struct nr_known *nr_known(struct nr_channel *channel, nr_value value) {
  if (!nr_value_is_handle(value)) return NULL;
  if (nr_value_is_by_host(value)) {
    const struct nr_known *known = &channel->learned[place(value)].known;
    return known->value == value ? known : NULL;
  }
  uint32_t index = nr_value_index(value);
  for (const struct nr_entry *entry = channel->entry; entry != NULL; entry = entry->outer) {
    if (entry->facts == NULL || index - entry->given_base >= entry->given_count) continue;
    const struct nr_known *known = &entry->facts[index - entry->given_base];
    return known->value == value ? known : NULL;
  }
  return NULL;
}

uint32_t nr_known_shape(struct nr_channel *channel, const struct nr_known *known) {
  if (known == NULL) return 0;
  uint32_t shape = known->shape;
  if (known->js_epoch != channel->js_epoch) shape &= ~(uint32_t)NR_SHAPE_VIEW; /* it may be detached or resized */
  if (known->wrap_epoch != channel->wrap_epoch) shape &= ~(uint32_t)NR_SHAPE_WRAP;
  return shape;
}

void nr_known_set(struct nr_channel *channel, struct nr_known *known, const Nr__Fact *fact,
                  const struct nr_frame *frame) {
  known->value = fact->value;
  known->shape = fact->shape;
  known->js_epoch = channel->js_epoch;
  known->wrap_epoch = channel->wrap_epoch;
  known->wrap_id = fact->wrap_id;
  if ((fact->shape & NR_SHAPE_TEXT) != 0) {
    known->text = nr_frame_bytes(frame, fact->text);
    known->text_length = nr_span_length(fact->text) / ((fact->shape & NR_SHAPE_WIDE) != 0 ? 2 : 1);
    if (known->text == NULL) known->shape &= ~(uint32_t)NR_SHAPE_TEXT;
  }
  if ((fact->shape & NR_SHAPE_VIEW) != 0 && fact->view != NULL) {
    known->view = *fact->view;
    nr_memory_view(channel, fact->view);
    /* Bytes that are not there have to be asked for. */
    if (fact->view->pair_id != 0 && !fact->view->shown) known->shape &= ~(uint32_t)NR_SHAPE_VIEW;
  }
}

void nr_known_set_view(struct nr_channel *channel, struct nr_known *known, const uint64_t words[NR_VIEW_WORDS]) {
  known->value = words[0];
  known->shape = NR_SHAPE_VIEW | NR_SHAPE_NO_ARRAY;
  known->js_epoch = channel->js_epoch;
  known->wrap_epoch = channel->wrap_epoch;
  nr__view__init(&known->view);
  known->view.pair_id = words[1];
  known->view.kind = (uint32_t)words[2];
  known->view.offset = words[3];
  known->view.length = words[4];
  known->view.shown = true;
  nr_memory_view(channel, &known->view);
}

void nr_learn(struct nr_channel *channel, const Nr__Fact *fact, const struct nr_frame *frame) {
  struct nr_learned *learned = &channel->learned[place(fact->value)];
  if (!nr_value_is_handle(fact->value)) return;
  nr_known_set(channel, &learned->known, fact, frame);
  if ((learned->known.shape & NR_SHAPE_TEXT) == 0) return;
  size_t size = nr_span_length(fact->text);
  if (size > sizeof learned->text) {
    learned->known.shape &= ~(uint32_t)NR_SHAPE_TEXT;
    return;
  }
  memcpy(learned->text, learned->known.text, size);
  learned->known.text = learned->text;
}

/* Arrays are kept complemented: the tag of a handle is never zero, so neither can be taken for the other. */
void nr_fresh_add(struct nr_channel *channel, nr_value value, bool array) {
  channel->fresh[place(value)] = array ? ~value : value;
}

bool nr_fresh_has(const struct nr_channel *channel, nr_value value) {
  nr_value fresh = channel->fresh[place(value)];
  return nr_value_tag(value) == NR_TAG_OBJECT && (fresh == value || fresh == ~value);
}

bool nr_fresh_is_array(const struct nr_channel *channel, nr_value value) {
  return channel->fresh[place(value)] == ~value;
}

void nr_fresh_clear(struct nr_channel *channel) {
  memset(channel->fresh, 0, sizeof channel->fresh);
}
