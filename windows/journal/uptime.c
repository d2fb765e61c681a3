/* SPDX-License-Identifier: MIT */
#include "journal/uptime.h"

#include "windows/clock.h"

uint64_t uptime_ns(void)
{
    return clock_boot_ns();
}
