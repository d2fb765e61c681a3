/* SPDX-License-Identifier: MIT */
/* The clocks, in nanoseconds. */
#ifndef WINDOWS_CLOCK_H
#define WINDOWS_CLOCK_H

#include <stdint.h>

/* For intervals. */
uint64_t clock_mono_ns(void);

/* The clock of events: since boot, time asleep included. */
uint64_t clock_boot_ns(void);

#endif
