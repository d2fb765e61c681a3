/* SPDX-License-Identifier: MIT */
#include "bench/clock.h"

#include "linux/clock.h"

uint64_t bench_now(void)
{
    return clock_mono_ns();
}

uint64_t bench_boot_ns(void)
{
    return clock_boot_ns();
}

void bench_pause(uint64_t ns)
{
    struct timespec time = {.tv_sec = (time_t)(ns / 1000000000),
                            .tv_nsec = (long)(ns % 1000000000)};

    nanosleep(&time, NULL);
}
