/*
 * Fresh objects and arrays: which ones native code has made and nobody else has seen, so that what is put into them
 * need not be waited for (properties.c), nor that a promise is resolved with one, or with a fresh Buffer (promises.c).
 *
 * Found by the place of their handle, two of a place: the last one, and of those before it the one that was used most.
 * What others are put into is used for as long as the builder runs, what is put there only until then.
 */
#include "client/client-private.h"

static struct nr_fresh *fresh_at(struct nr_channel *channel, nr_value value) {
  return channel->fresh[nr_value_index(value) % NR_FRESH];
}

static bool is_fresh(const struct nr_channel *channel, const struct nr_fresh *fresh) {
  return fresh->epoch == channel->fresh_epoch;
}

void nr_fresh_add(struct nr_channel *channel, nr_value value, bool array) {
  struct nr_fresh *fresh = fresh_at(channel, value);
  channel->fresh_any = true;
  if (is_fresh(channel, &fresh[0]) && is_fresh(channel, &fresh[1])) channel->fresh_lost = true;
  if (is_fresh(channel, &fresh[0]) && (!is_fresh(channel, &fresh[1]) || fresh[0].uses > fresh[1].uses))
    fresh[1] = fresh[0];
  fresh[0] = (struct nr_fresh){.value = value, .epoch = channel->fresh_epoch, .array = array};
}

static struct nr_fresh *find_fresh(struct nr_channel *channel, nr_value value) {
  if (nr_value_tag(value) != NR_TAG_OBJECT) return NULL;
  struct nr_fresh *fresh = fresh_at(channel, value);
  for (int i = 0; i < 2; i++) {
    if (fresh[i].value == value && is_fresh(channel, &fresh[i])) return &fresh[i];
  }
  return NULL;
}

bool nr_fresh_has(struct nr_channel *channel, nr_value value) {
  struct nr_fresh *fresh = find_fresh(channel, value);
  if (fresh == NULL) return false;
  fresh->uses++;
  return true;
}

static void forget_buffer(struct nr_channel *channel, nr_value value) {
  if (value == channel->fresh_buffer) channel->fresh_buffer = NR_ABSENT;
}

void nr_fresh_add_buffer(struct nr_channel *channel, nr_value value) {
  channel->fresh_any = true;
  channel->fresh_buffer = value;
}

bool nr_fresh_is_untouched(struct nr_channel *channel, nr_value value) {
  const struct nr_fresh *fresh = find_fresh(channel, value);
  return (fresh != NULL && !fresh->moved) || (value != NR_ABSENT && value == channel->fresh_buffer);
}

void nr_fresh_move(struct nr_channel *channel, nr_value from, nr_value to) {
  struct nr_fresh *fresh = find_fresh(channel, from);
  forget_buffer(channel, from);
  if (fresh == NULL) return;
  bool array = fresh->array;
  fresh->value = NR_ABSENT; /* one handle at most: what is set by it is known to be of that object */
  nr_fresh_add(channel, to, array);
  fresh_at(channel, to)->moved = true;
}

bool nr_fresh_is_array(struct nr_channel *channel, nr_value value) {
  const struct nr_fresh *fresh = find_fresh(channel, value);
  return fresh != NULL && fresh->array;
}

void nr_fresh_show(struct nr_channel *channel, nr_value value) {
  forget_buffer(channel, value);
  if (channel->fresh_any && (channel->fresh_lost || find_fresh(channel, value) != NULL)) nr_fresh_clear(channel);
}

void nr_fresh_clear(struct nr_channel *channel) {
  channel->fresh_lost = channel->fresh_any = false;
  channel->fresh_buffer = NR_ABSENT;
  if (NR_LIKELY(++channel->fresh_epoch != 0)) return;
  memset(channel->fresh, 0, sizeof channel->fresh);
  channel->fresh_epoch = 1;
}

bool nr_is_special_name(const char *name, size_t length) {
  static const char *const names[] = {
      "constructor",      "__defineGetter__", "__defineSetter__", "hasOwnProperty",
      "__lookupGetter__", "__lookupSetter__", "isPrototypeOf",    "propertyIsEnumerable",
      "toString",         "valueOf",          "__proto__",        "toLocaleString",
  };
  if (length < 7 || length > 20) return false;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) return true;
  }
  return false;
}
