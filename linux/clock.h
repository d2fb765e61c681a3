/* SPDX-License-Identifier: MIT */
/* The clocks, in nanoseconds. */
#ifndef LINUX_CLOCK_H
#define LINUX_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* For intervals. */
static inline uint64_t clock_mono_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

/* The clock of events: since boot, time asleep included. */
static inline uint64_t clock_boot_ns(void)
{
    return clock_ns(CLOCK_BOOTTIME);
}

/* What makes an event's time a time of day. */
static inline int64_t clock_wall_offset_ns(void)
{
    return (int64_t)(clock_ns(CLOCK_REALTIME) - clock_boot_ns());
}

#endif
