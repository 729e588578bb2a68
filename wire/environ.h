/*
 * The environment of C, getenv()'s, which is one in one process: either side tells the other what has changed in its
 * own since they were the same.
 */
#ifndef NR_WIRE_ENVIRON_H
#define NR_WIRE_ENVIRON_H

#include <stdbool.h>

/* Longer ones are not told. */
#define NR_VARIABLE_MAX (UINT32_C(1) << 20)

struct nr_environ;

/* As it is now. NULL without memory. Like everything here, for the thread that may call setenv(). */
struct nr_environ *nr_environ_create(void);
void nr_environ_destroy(struct nr_environ *known);

/* Has anything changed? setenv() never writes into a string that is there, so pointers tell: 5-10 ns. */
bool nr_environ_is_news(const struct nr_environ *known);

/* Tells of every variable that differs, `value` NULL: it is gone. Then what there is now is what is known. */
void nr_environ_tell(struct nr_environ *known, void (*tell)(void *context, const char *name, const char *value),
                     void *context);

/* What the other side told: sets the variable here, and knows it. `value` NULL: removes it. False: it is no name. */
bool nr_environ_take(struct nr_environ *known, const char *name, const char *value);

#endif
