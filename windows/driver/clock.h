/* SPDX-License-Identifier: MIT */
/* The clocks: events are stamped in nanoseconds since boot, time asleep included. */
#ifndef WINDOWS_DRIVER_CLOCK_H
#define WINDOWS_DRIVER_CLOCK_H

#include <stdint.h>

/* Notes how the wall clock stands to the other one. Call first. */
void clock_start(void);

uint64_t clock_mono_ns(void);

/* Add it to such a time: nanoseconds since 1970. Constant from the start on. */
int64_t clock_wall_offset_ns(void);

/* A time as the kernel keeps that of a process's creation (100 ns since 1601), by the other clock;
 * 0 if that is before boot, as after a step of the wall clock. */
uint64_t clock_from_wall(int64_t time);

#endif
