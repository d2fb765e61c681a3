/* SPDX-License-Identifier: MIT */
#include "windows/driver/clock.h"

#include "windows/driver/ntos.h"

#define TICKS_TO_1970 116444736000000000 /* of 100 ns, since 1601 */

static int64_t wall_offset_ns;

static int64_t since_1970_ns(int64_t time)
{
    return (time - TICKS_TO_1970) * 100;
}

uint64_t clock_mono_ns(void)
{
    ULONG64 counter;

    return KeQueryInterruptTimePrecise(&counter) * 100;
}

void clock_start(void)
{
    LARGE_INTEGER wall;

    KeQuerySystemTimePrecise(&wall);
    wall_offset_ns = since_1970_ns(wall.QuadPart) - (int64_t)clock_mono_ns();
}

int64_t clock_wall_offset_ns(void)
{
    return wall_offset_ns;
}

uint64_t clock_from_wall(int64_t time)
{
    int64_t mono_ns = since_1970_ns(time) - wall_offset_ns;

    return mono_ns > 0 ? (uint64_t)mono_ns : 0;
}
