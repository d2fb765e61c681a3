/* SPDX-License-Identifier: MIT */
#include "bench/clock.h"

#include "windows/clock.h"

#include <windows.h>

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
    Sleep((DWORD)((ns + 999999) / 1000000));
}
