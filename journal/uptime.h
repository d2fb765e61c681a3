/* SPDX-License-Identifier: MIT */
/* The clock of events, which nobody sets: nanoseconds since boot, time asleep included. */
#ifndef JOURNAL_UPTIME_H
#define JOURNAL_UPTIME_H

#include <stdint.h>

uint64_t uptime_ns(void);

#endif
