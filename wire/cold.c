#include "wire/cold.h"

#include <stddef.h>

/* Comparisons without a change after which a recent one is idle. */
#define NR_COLD_RECENT_PATIENCE 32u
#define NR_COLD_CHURN_PATIENCE 8u /* ... where hundreds come of which nobody hears again */
/* Comparisons after which an idle one falls asleep, unless there is so little awake that it does not matter: 30 small
 * ones. (300 that lived added 55 us to every call.) */
#define NR_COLD_IDLE_PATIENCE 2000u
#define NR_COLD_AWAKE (UINT64_C(32) << 10)
/* So much is compared every time: it costs some ten microseconds. */
#define NR_COLD_ALL (UINT64_C(256) << 10)
/* Who adds another one with every visit, or with most, has hundreds that nobody will ever look at again, until they are
 * collected: then no more than what is always awake is compared every time. (Passing fresh Buffers took up to 100 us a
 * call between the first few dozens of them and the 250th, after each collection.) */
#define NR_COLD_CHURN_ADDED 16u
#define NR_COLD_CHURN_MIN 1024u
#define NR_COLD_CHURN_MAX 2048u
/* Where there is more: bytes for each visit. */
#define NR_COLD_KEPT_BUDGET (UINT32_C(256) << 10)
#define NR_COLD_RECENT_BUDGET (UINT32_C(24) << 10)
#define NR_COLD_IDLE_BUDGET (UINT32_C(2) << 10)

/* What the idle ones save up; a larger one costs them so much. */
#define NR_COLD_CREDIT_MAX (UINT32_C(256) << 10)

/* What an item counts towards NR_COLD_ALL: a few large ones shall not make the small ones wait. */
static uint32_t share_of(const struct nr_cold_item *item) {
  return item->cost < NR_COLD_ALL / 4 ? item->cost : (uint32_t)NR_COLD_ALL / 4;
}

static uint64_t *cost_of(struct nr_cold *cold, enum nr_cold_group group) {
  return group == NR_COLD_ASLEEP ? &cold->asleep : &cold->awake;
}

static void unlink_item(struct nr_cold *cold, struct nr_cold_item *item) {
  cold->counts[item->group]--;
  cold->costs[item->group] -= item->cost;
  *cost_of(cold, item->group) -= share_of(item);
  item->previous->next = item->next;
  item->next->previous = item->previous;
  item->next = item->previous = NULL;
}

static void link_before(struct nr_cold *cold, struct nr_cold_item *item, enum nr_cold_group group,
                        struct nr_cold_item *next) {
  item->cost = item->next_cost;
  cold->counts[group]++;
  cold->costs[group] += item->cost;
  *cost_of(cold, group) += share_of(item);
  item->group = group;
  item->next = next;
  item->previous = next->previous;
  item->previous->next = item;
  next->previous = item;
}

/* At the end of the line, where the newest are. */
static void link_item(struct nr_cold *cold, struct nr_cold_item *item, enum nr_cold_group group) {
  link_before(cold, item, group, &cold->heads[group]);
}

void nr_cold_init(struct nr_cold *cold) {
  *cold = (struct nr_cold){.credit = 0};
  for (int group = 0; group < NR_COLD_GROUPS; group++) {
    cold->heads[group].next = cold->heads[group].previous = &cold->heads[group];
  }
}

uint32_t nr_cold_count(const struct nr_cold *cold) {
  uint32_t count = 0;
  for (int group = 0; group < NR_COLD_GROUPS; group++) count += cold->counts[group];
  return count;
}

bool nr_cold_is_empty(const struct nr_cold *cold) {
  return nr_cold_count(cold) == 0;
}

void nr_cold_add(struct nr_cold *cold, struct nr_cold_item *item, uint32_t cost) {
  item->next_cost = cost;
  item->unchanged = 0;
  if (!item->was_added) cold->has_new = item->was_added = true;
  /* One that was kept before it was hot is so again. */
  link_item(cold, item, item->holds > 0 ? NR_COLD_HELD : item->was_kept ? NR_COLD_KEPT : NR_COLD_RECENT);
}

struct nr_cold_item *nr_cold_least(const struct nr_cold *cold) {
  for (int group = NR_COLD_GROUPS - 1; group >= 0; group--) {
    if (cold->counts[group] > 0) return cold->heads[group].next;
  }
  return NULL;
}

void nr_cold_keep(struct nr_cold *cold, struct nr_cold_item *item) {
  item->was_kept = true;
  if (item->next == NULL || item->group <= NR_COLD_KEPT) return;
  unlink_item(cold, item);
  link_item(cold, item, NR_COLD_KEPT);
}

void nr_cold_hold(struct nr_cold *cold, struct nr_cold_item *item, bool holds) {
  if (!holds && item->holds == 0) return;
  item->holds += holds ? 1 : -1;
  if (item->holds == 0) item->unchanged = 0;
  if (item->next == NULL || (item->group == NR_COLD_HELD) == (item->holds > 0)) return;
  unlink_item(cold, item);
  link_item(cold, item, item->holds > 0 ? NR_COLD_HELD : NR_COLD_KEPT);
}

void nr_cold_remove(struct nr_cold *cold, struct nr_cold_item *item) {
  if (item->next != NULL) unlink_item(cold, item);
}

typedef bool compare(struct nr_cold_item *item, void *context);

/* Do new ones keep coming of which nobody hears again? */
static bool is_churning(const struct nr_cold *cold) {
  return cold->mortal && cold->churn >= NR_COLD_CHURN_MIN;
}

/* Is it recent no more? */
static bool is_past(const struct nr_cold *cold, const struct nr_cold_item *item) {
  if (cold->newest && cold->costs[NR_COLD_RECENT] <= NR_COLD_AWAKE) return false;
  return item->unchanged >= (is_churning(cold) ? NR_COLD_CHURN_PATIENCE : NR_COLD_RECENT_PATIENCE);
}

/* The group it belongs to after a comparison. */
static enum nr_cold_group group_after(const struct nr_cold *cold, struct nr_cold_item *item, bool changed) {
  item->was_kept |= changed;
  item->unchanged = changed ? 0 : item->unchanged + 1;
  if (item->holds > 0) return NR_COLD_HELD;
  if (changed) return NR_COLD_KEPT;
  /* Who let go of it may have written before. (Inputs of works that are done would cost each call the most.) */
  if (item->group == NR_COLD_KEPT && !item->was_kept) return NR_COLD_RECENT;
  if (item->group == NR_COLD_RECENT && is_past(cold, item)) return NR_COLD_IDLE;
  if (item->group == NR_COLD_IDLE && item->unchanged >= NR_COLD_IDLE_PATIENCE && cold->awake > NR_COLD_AWAKE)
    return NR_COLD_ASLEEP;
  return item->group;
}

/* The part of a group whose turn it is. */
struct turn {
  struct nr_cold_item *newest; /* from there on all have it, each time */
  uint32_t newest_count;
  uint32_t oldest_count; /* so many of the others, from the first one on */
  uint32_t spent;
};

static uint32_t price_of(const struct nr_cold_item *item) {
  return item->group >= NR_COLD_IDLE && item->cost > NR_COLD_CREDIT_MAX ? NR_COLD_CREDIT_MAX : item->cost;
}

/* Half of the budget, and one in any case, is for what was in use last, or changed: native code may be at it right now,
 * on another thread. (Turns for all alike had a work's result come late as soon as more than the budget was in line,
 * which is a few dozen Buffers that nobody has collected yet.) */
static uint32_t choose_newest(const struct nr_cold *cold, enum nr_cold_group group, uint32_t budget, uint32_t *spent) {
  const struct nr_cold_item *item = cold->heads[group].previous;
  uint32_t count = 0;
  for (; count < cold->counts[group]; count++, item = item->previous) {
    uint32_t left = budget / 2 - *spent, price = price_of(item);
    if (count > 0 && price > left) break;
    *spent += price < left ? price : left; /* a large one leaves the others their half */
  }
  return count;
}

/* How many, from the first one on, the rest is for. One that alone costs more than all goes beside the others: they
 * shall not miss their turn for it. */
static uint32_t choose_oldest(const struct nr_cold *cold, enum nr_cold_group group, uint32_t most, uint32_t budget,
                              uint32_t *spent) {
  const struct nr_cold_item *item = cold->heads[group].next;
  uint32_t count = 0;
  bool beside = false;
  for (; count < most; count++, item = item->next) {
    uint32_t price = price_of(item);
    if (price > budget && group < NR_COLD_IDLE) {
      if (beside) break;
      beside = true;
    } else {
      if (price > budget - *spent) break; /* the idle ones save up */
      *spent += price;
    }
  }
  return count;
}

static void choose(const struct nr_cold *cold, enum nr_cold_group group, uint32_t budget, struct turn *turn) {
  *turn = (struct turn){.newest = (struct nr_cold_item *)&cold->heads[group]};
  if (group < NR_COLD_IDLE) turn->newest_count = choose_newest(cold, group, budget, &turn->spent);
  turn->oldest_count = choose_oldest(cold, group, cold->counts[group] - turn->newest_count, budget, &turn->spent);
  for (uint32_t i = 0; i < turn->newest_count; i++) turn->newest = turn->newest->previous;
}

static void visit_item(struct nr_cold *cold, struct nr_cold_item *item, struct nr_cold_item *next,
                       compare *compare_item, void *context) {
  enum nr_cold_group before = item->group;
  bool changed = compare_item(item, context);
  enum nr_cold_group after = group_after(cold, item, changed);
  unlink_item(cold, item);
  if (changed || after != before)
    link_item(cold, item, after);
  else
    link_before(cold, item, after, next);
}

/* Do all in the group have their turn? */
static bool fits(const struct nr_cold *cold, enum nr_cold_group group, uint32_t budget) {
  return cold->costs[group] <= budget;
}

/* Where all have it their order stays: nothing is written to one that has not changed. */
static void visit_all(struct nr_cold *cold, enum nr_cold_group group, compare *compare_item, void *context) {
  struct nr_cold_item *item = cold->heads[group].next, *next;
  for (uint32_t left = cold->counts[group]; left > 0; left--, item = next) {
    next = item->next;
    bool changed = compare_item(item, context);
    enum nr_cold_group after = group_after(cold, item, changed);
    if (!changed && after == group && item->next_cost == item->cost) continue;
    unlink_item(cold, item);
    if (changed || after != group)
      link_item(cold, item, after);
    else
      link_before(cold, item, group, next);
  }
}

/* Compares as many items as the budget is for, each once. Returns what was spent. */
static uint32_t visit(struct nr_cold *cold, enum nr_cold_group group, uint32_t budget, compare *compare_item,
                      void *context) {
  struct turn turn;
  uint64_t cost = cold->costs[group];
  if (cold->counts[group] == 0) return 0; /* of most groups there are none, and every call comes by */
  if (fits(cold, group, budget)) {
    visit_all(cold, group, compare_item, context);
    return (uint32_t)cost;
  }
  choose(cold, group, budget, &turn);
  for (uint32_t left = turn.oldest_count; left > 0; left--)
    visit_item(cold, cold->heads[group].next, turn.newest, compare_item, context);
  struct nr_cold_item *item = turn.newest, *next;
  for (uint32_t left = turn.newest_count; left > 0; left--, item = next) {
    next = item->next;
    visit_item(cold, item, next, compare_item, context);
  }
  return turn.spent;
}

static uint64_t all_of(const struct nr_cold *cold) {
  return is_churning(cold) ? NR_COLD_AWAKE : NR_COLD_ALL;
}

bool nr_cold_visits_all(const struct nr_cold *cold, uint32_t patience) {
  return cold->awake + cold->asleep <= patience * all_of(cold);
}

bool nr_cold_takes(const struct nr_cold *cold, uint32_t cost) {
  return cold->awake + cold->asleep + cost <= all_of(cold);
}

bool nr_cold_has_room(const struct nr_cold *cold, uint32_t cost) {
  return (!cold->mortal || cold->churn == 0) && cold->awake + cold->asleep + cost <= NR_COLD_AWAKE;
}

bool nr_cold_visits_used(const struct nr_cold *cold, uint32_t cost) {
  return cold->costs[NR_COLD_HELD] + cost <= NR_COLD_KEPT_BUDGET &&
         cold->costs[NR_COLD_KEPT] + cost <= NR_COLD_KEPT_BUDGET;
}

bool nr_cold_keeps(const struct nr_cold *cold, uint32_t cost) {
  return cold->costs[NR_COLD_KEPT] + cost <= NR_COLD_AWAKE;
}

static void count_churn(struct nr_cold *cold) {
  cold->churn -= cold->churn > 0;
  if (!cold->has_new) return;
  cold->has_new = false;
  if (cold->churn < NR_COLD_CHURN_MAX) cold->churn += NR_COLD_CHURN_ADDED;
}

/* Those that are recent only for being among the newest have their turn each time, one more as well. */
static uint32_t recent_budget(const struct nr_cold *cold) {
  return cold->newest ? 2 * (uint32_t)NR_COLD_AWAKE : NR_COLD_RECENT_BUDGET;
}

/* Idle ones before those that sleep. */
static void visit_rest(struct nr_cold *cold, bool all, compare *compare_item, void *context) {
  cold->credit += NR_COLD_IDLE_BUDGET;
  if (!all && cold->credit < cold->batch) return;
  if (all)
    visit(cold, NR_COLD_IDLE, UINT32_MAX, compare_item, context);
  else
    cold->credit -= visit(cold, NR_COLD_IDLE, cold->credit, compare_item, context);
  cold->credit -= visit(cold, NR_COLD_ASLEEP, cold->credit, compare_item, context);
  if (cold->credit > NR_COLD_CREDIT_MAX) cold->credit = NR_COLD_CREDIT_MAX;
}

void nr_cold_visit(struct nr_cold *cold, uint32_t patience, compare *compare_item, void *context) {
  count_churn(cold);
  bool all = nr_cold_visits_all(cold, patience);
  /* From the bottom up: one that changes groups is not compared twice. */
  visit_rest(cold, all, compare_item, context);
  visit(cold, NR_COLD_RECENT, all ? UINT32_MAX : patience * recent_budget(cold), compare_item, context);
  visit(cold, NR_COLD_KEPT, all ? UINT32_MAX : patience * NR_COLD_KEPT_BUDGET, compare_item, context);
  visit(cold, NR_COLD_HELD, all ? UINT32_MAX : patience * NR_COLD_KEPT_BUDGET, compare_item, context);
}

/* counts: who is found unchanged comes nearer to sleep. */
static void each_of(struct nr_cold *cold, enum nr_cold_group group, bool counts, compare *compare_item, void *context) {
  struct nr_cold_item *item = cold->heads[group].next;
  for (uint32_t left = cold->counts[group]; left > 0; left--) {
    struct nr_cold_item *next = item->next;
    bool changed = compare_item(item, context);
    item->unchanged = changed ? 0 : item->unchanged + counts;
    if (changed && item->next == next) nr_cold_keep(cold, item);
    item = next;
  }
}

void nr_cold_each(struct nr_cold *cold, compare *compare_item, void *context) {
  count_churn(cold);
  /* From the top down: one that is kept from now on comes once. */
  for (int group = 0; group < NR_COLD_GROUPS; group++)
    each_of(cold, (enum nr_cold_group)group, true, compare_item, context);
}

/* Those that were in use last, for half of their budget. */
static void look_at_newest(struct nr_cold *cold, compare *compare_item, void *context) {
  struct nr_cold_item *head = &cold->heads[NR_COLD_RECENT], *previous;
  uint32_t left = NR_COLD_RECENT_BUDGET / 2;
  for (struct nr_cold_item *item = head->previous; item != head && item->cost <= left; item = previous) {
    previous = item->previous;
    left -= item->cost;
    if (compare_item(item, context)) nr_cold_keep(cold, item);
  }
}

void nr_cold_visit_awake(struct nr_cold *cold, compare *compare_item, void *context) {
  if (cold->awake > all_of(cold)) {
    look_at_newest(cold, compare_item, context);
    nr_cold_visit_kept(cold, compare_item, context);
    return;
  }
  for (int group = 0; group < NR_COLD_ASLEEP; group++)
    each_of(cold, (enum nr_cold_group)group, false, compare_item, context);
}

void nr_cold_visit_kept(struct nr_cold *cold, compare *compare_item, void *context) {
  visit(cold, NR_COLD_KEPT, NR_COLD_KEPT_BUDGET, compare_item, context);
  visit(cold, NR_COLD_HELD, NR_COLD_KEPT_BUDGET, compare_item, context);
}

static void peek(const struct nr_cold *cold, enum nr_cold_group group, uint32_t budget,
                 void (*tell)(struct nr_cold_item *item, void *context), void *context) {
  struct turn turn = {.oldest_count = cold->counts[group]};
  if (!fits(cold, group, budget)) choose(cold, group, budget, &turn);
  struct nr_cold_item *item = cold->heads[group].next;
  for (uint32_t left = turn.oldest_count; left > 0; left--, item = item->next) tell(item, context);
  item = turn.newest;
  for (uint32_t left = turn.newest_count; left > 0; left--, item = item->next) tell(item, context);
}

void nr_cold_peek(const struct nr_cold *cold, bool whole, void (*tell)(struct nr_cold_item *item, void *context),
                  void *context) {
  bool all = whole && nr_cold_visits_all(cold, 1);
  peek(cold, NR_COLD_HELD, all ? UINT32_MAX : NR_COLD_KEPT_BUDGET, tell, context);
  peek(cold, NR_COLD_KEPT, all ? UINT32_MAX : NR_COLD_KEPT_BUDGET, tell, context);
  if (!whole) return;
  peek(cold, NR_COLD_RECENT, all ? UINT32_MAX : recent_budget(cold), tell, context);
  uint32_t credit = cold->credit + NR_COLD_IDLE_BUDGET;
  if (!all && credit < cold->batch) return;
  peek(cold, NR_COLD_IDLE, all ? UINT32_MAX : credit, tell, context);
  peek(cold, NR_COLD_ASLEEP, credit, tell, context);
}
