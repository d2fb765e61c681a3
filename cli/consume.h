/* SPDX-License-Identifier: MIT */
/* Waiting for events, for a signal that asks to end, and for the time to be over. */
#ifndef CLI_CONSUME_H
#define CLI_CONSUME_H

#include <rollcall/rollcall.h>

#include <stdint.h>

/* A clock for intervals, in nanoseconds. */
uint64_t consume_now(void);

/* The clock of events, in nanoseconds. */
uint64_t consume_boot_ns(void);

#define CONSUME_FOREVER UINT64_MAX

/* The next batch. Returns how many events, 0 if `deadline` (consume_now()) has come or a signal
 * asked to end (signals.h), or a negative errno. output: returns 0 too when nobody is left who
 * reads what is written there; -1: none. */
int consume_next(struct rollcall *rc, uint64_t deadline, int output, struct rollcall_batch *batch);

#endif
