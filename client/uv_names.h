/*
 * Functions of libuv that addons must not get as they are: the host has its own under these names, and calls the
 * library's under others.
 */
#ifndef NR_CLIENT_UV_NAMES_H
#define NR_CLIENT_UV_NAMES_H

#include <uv.h>

int nr_uv_run(uv_loop_t *loop, uv_run_mode mode);
uv_loop_t *nr_uv_default_loop(void);

#endif
