/* SPDX-License-Identifier: MIT */
/* One consumer for a group of cmocka tests: each test does something, and looks what was said. */
#ifndef WITNESS_H
#define WITNESS_H

#include <rollcall/rollcall.h>

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Memory for what a test and its processes tell each other. */
struct shared {
    _Atomic uint32_t number;
    _Atomic uint32_t ready;
    _Atomic uint64_t time_ns;
};

extern struct shared *shared;

/* Group set-up and tear-down: opens the consumer, or skips the program. */
int witness_open(void **state);
int witness_close(void **state);

/* Test set-up: forgets all events, and zeroes what is shared. */
int witness_begin(void **state);

/* Takes all events up to now. */
void witness_look(void);

/* What is known of its consumer. */
struct rollcall_stats witness_stats(void);

/* Takes all events up to `synced`. */
void witness_wait_synced(void);

/* The n-th event (from 0) of the type and the pid, or NULL. It has its strings. */
const struct rollcall_event *witness_event(enum rollcall_type type, pid_t pid, size_t n);
size_t witness_count(enum rollcall_type type, pid_t pid);

/* How many processes the process has created. */
size_t witness_created_by(pid_t creator);

/* The n-th of them (from 0), or 0. */
pid_t witness_child(pid_t creator, size_t n);

/* Asserts that the process has one create, so many execs and one exit, of one start. Returns
 * the exit. */
const struct rollcall_event *witness_life(pid_t pid, size_t execs);

/* Runs body() in a child of its own, which ends with status 0 behind it. */
pid_t start_child(void (*body)(void));

/* The same, and waits for it. Its status as wait(2) gives it: *status (NULL: it must be 0). */
pid_t run_child(void (*body)(void), int *status);

/* The time since boot, time asleep included. */
uint64_t boot_ns(void);

/* In a child: waits until the shared `ready` is so high. */
void wait_until_ready(uint32_t ready);

/* In a child: ends it with status 100 when something does not work. */
void need(int works);

#endif
