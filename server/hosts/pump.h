/*
 * What a host writes to a pipe, for JavaScript to read when it has time.
 */
#ifndef NR_SERVER_PUMP_H
#define NR_SERVER_PUMP_H

/* A pipe whose writer (`child`) waits for nobody, within reason: a thread takes what comes and passes it on to `own`,
 * also while JavaScript is blocked in a call of the writer. 0 or a negative errno. */
int nr_pump_open(int *child, int *own);

#endif
