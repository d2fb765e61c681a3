/* SPDX-License-Identifier: MIT */
/* The clocks that measurements read, and a pause. Each platform has one implementation. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>

/* A clock for intervals, in nanoseconds. */
uint64_t bench_now(void);

/* The clock of events, in nanoseconds. */
uint64_t bench_boot_ns(void);

/* Sleeps so long, or as much longer as the system's timers are coarse. */
void bench_pause(uint64_t ns);

#endif
