/*
 * What the client knows of handles without asking: facts that came with arguments and results.
 */
#include "client/client-private.h"

/* A learned fact is found by its handle's place; two handles on one place push each other out, which costs a question,
 * nothing more. */
static uint32_t place(nr_value value) {
  return nr_value_index(value) % NR_LEARNED;
}

/* The entry that it is an argument of; NULL: of none about whose something is known. */
static struct nr_entry *entry_of(const struct nr_channel *channel, nr_value value) {
  uint32_t index = nr_value_index(value);
  for (struct nr_entry *entry = channel->entry; entry != NULL; entry = entry->outer) {
    if (entry->facts != NULL && index - entry->given_base < entry->given_count) return entry;
  }
  return NULL;
}

static struct nr_known *find(struct nr_channel *channel, nr_value value) {
  if (!nr_value_is_handle(value)) return NULL;
  if (nr_value_is_by_host(value)) {
    struct nr_known *known = &channel->learned[place(value)].known;
    return known->value == value ? known : NULL;
  }
  const struct nr_entry *entry = entry_of(channel, value);
  if (entry == NULL) return NULL;
  struct nr_known *known = &entry->facts[nr_value_index(value) - entry->given_base];
  return known->value == value ? known : NULL;
}

void nr_known_looked(struct nr_channel *channel, nr_value value) {
  struct nr_entry *entry = nr_value_is_by_host(value) ? NULL : entry_of(channel, value);
  /* `this` is seen to by itself. */
  if (entry != NULL && (entry->invoke == NULL || entry->invoke->values[0] != value)) entry->looked = true;
}

const struct nr_known *nr_known(struct nr_channel *channel, nr_value value) {
  return find(channel, value);
}

static void note_epochs(const struct nr_channel *channel, struct nr_known *known) {
  known->js_epoch = channel->js_epoch;
  known->wrap_epoch = channel->wrap_epoch;
  known->unwrap_epoch = channel->unwrap_epoch;
}

void nr_known_wrapped(struct nr_channel *channel, nr_value value, nr_id object_id) {
  struct nr_known *known = find(channel, value);
  if (known == NULL) return;
  known->shape = (known->shape | NR_SHAPE_WRAP) & ~(uint32_t)NR_SHAPE_BARE;
  known->wrap_id = object_id;
  known->wrap_epoch = channel->wrap_epoch;
  known->unwrap_epoch = channel->unwrap_epoch;
}

uint32_t nr_known_shape(struct nr_channel *channel, const struct nr_known *known) {
  if (known == NULL) return 0;
  uint32_t shape = known->shape;
  /* It may be detached or resized, or another addon has wrapped something in it. */
  if (known->js_epoch != channel->js_epoch) shape &= ~(uint32_t)(NR_SHAPE_VIEW | NR_SHAPE_BARE);
  if (known->wrap_epoch != channel->wrap_epoch) shape &= ~(uint32_t)NR_SHAPE_BARE;
  bool stale =
      known->wrap_id != 0 ? known->unwrap_epoch != channel->unwrap_epoch : known->wrap_epoch != channel->wrap_epoch;
  if (stale) shape &= ~(uint32_t)NR_SHAPE_WRAP;
  return shape;
}

void nr_known_asked(struct nr_channel *channel, nr_value value) {
  struct nr_known *known = find(channel, value);
  if (known == NULL || !known->read || known->js_epoch != channel->js_epoch) return;
  known->read = false;
  nr_habits_looked(nr_habits_of(channel), (known->shape & NR_SHAPE_VIEW) != 0);
}

const Nr__View *nr_known_view(struct nr_channel *channel, nr_value value) {
  const struct nr_known *known = nr_known(channel, value);
  return (nr_known_shape(channel, known) & NR_SHAPE_VIEW) != 0 ? &known->view : NULL;
}

void nr_known_set(struct nr_channel *channel, struct nr_known *known, const Nr__Fact *fact,
                  const struct nr_frame *frame) {
  known->value = fact->value;
  known->shape = fact->shape;
  known->read = false;
  note_epochs(channel, known);
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

void nr_known_set_view(struct nr_channel *channel, struct nr_known *known, nr_value value,
                       const uint64_t numbers[NR_VIEW_NUMBERS]) {
  known->value = value;
  known->shape = NR_SHAPE_VIEW | NR_SHAPE_NO_ARRAY;
  known->wrap_id = 0;
  note_epochs(channel, known);
  nr__view__init(&known->view);
  known->view.pair_id = nr_table_tenant(channel->pairs, numbers[1]);
  known->view.kind = nr_view_code_kind(numbers[0]);
  known->view.offset = numbers[2];
  known->view.length = numbers[3];
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

void nr_learn_view(struct nr_call *call, nr_value value, Nr__View *view) {
  if (view == NULL) return;
  Nr__Fact fact = NR__FACT__INIT;
  fact.value = value;
  fact.shape = NR_SHAPE_VIEW | NR_SHAPE_NO_ARRAY;
  fact.view = view;
  nr_learn(call->env->channel, &fact, &call->frame);
}

void nr_learn_property(struct nr_channel *channel, nr_value value, const struct nr_property *property) {
  struct nr_learned *learned = &channel->learned[place(value)];
  if (!nr_value_is_handle(value) || property->shape == 0) return;
  bool text = (property->shape & NR_SHAPE_TEXT) != 0 && property->text_size <= sizeof learned->text;
  learned->known = (struct nr_known){.value = value,
                                     .shape = text ? property->shape : property->shape & ~(uint32_t)NR_SHAPE_TEXT,
                                     .text = learned->text,
                                     .read = true,
                                     .text_length = property->text_size >> ((property->shape & NR_SHAPE_WIDE) != 0)};
  if ((property->shape & NR_SHAPE_VIEW) != 0) learned->known.view = *property->view;
  note_epochs(channel, &learned->known);
  if (text && property->text_size > 0) memcpy(learned->text, property->text, property->text_size);
}

/* Longer ones are hardly names. */
#define NR_NAME_MAX 48u

void nr_learn_text(struct nr_channel *channel, nr_value value, const char *text, nr_span span) {
  uint32_t length = span == NR_SPAN_NULL ? 0 : nr_span_length(span);
  struct nr_learned *learned = &channel->learned[place(value)];
  if (length > NR_NAME_MAX || !nr_value_is_handle(value)) return;
  for (uint32_t i = 0; i < length; i++) {
    if ((text[i] & 0x80) != 0) return;
  }
  learned->known =
      (struct nr_known){.value = value, .shape = NR_SHAPE_TEXT, .text = learned->text, .text_length = length};
  note_epochs(channel, &learned->known);
  if (length > 0) memcpy(learned->text, text, length);
}

/* Handles come round again: what is known of old ones would be taken for theirs. */
void nr_known_forget(struct nr_channel *channel) {
  for (uint32_t i = 0; i < NR_LEARNED; i++) channel->learned[i].known.value = NR_ABSENT;
  nr_fresh_clear(channel);
}
