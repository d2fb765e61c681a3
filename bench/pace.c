/* SPDX-License-Identifier: MIT */
/*
 * pace NAME RATE SECONDS: writes the events of RATE processes per second into the ring of the durable
 * consumer NAME, a millisecond's at a time, for rates at which this machine cannot make any. Prints how many
 * that were, and how many per second.
 */
#include "bench/producer.h"
#include "linux/clock.h"

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FIRST_PID 4194304u /* no process has it */
#define SECOND    1000000000ull

static uint64_t number(const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);

    if (*end || value == 0 || value > 1000000)
        errx(2, "'%s' is not a number from 1 to 1000000", text);
    return value;
}

static void wait_until_ns(uint64_t then)
{
    const struct timespec time = {.tv_sec = (time_t)(then / SECOND),
                                  .tv_nsec = (long)(then % SECOND)};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

int main(int argc, char **argv)
{
    struct producer *producer;
    uint64_t elapsed = 0;
    uint64_t made = 0;
    uint64_t seconds;
    uint64_t start;
    uint64_t rate;

    if (argc != 4)
        errx(2, "usage: pace NAME RATE SECONDS");
    rate = number(argv[2]);
    seconds = number(argv[3]);
    producer = producer_open(argv[1]);
    start = clock_mono_ns();
    for (uint64_t i = 1; elapsed < seconds * SECOND; i++) {
        uint64_t due;

        wait_until_ns(start + i * (SECOND / 1000));
        elapsed = clock_mono_ns() - start;
        due = (uint64_t)((double)elapsed * (double)rate / (double)SECOND);
        if (due > made)
            producer_processes(producer, due - made, FIRST_PID + (uint32_t)made);
        made = due;
    }
    printf("%" PRIu64 "\t%.0f\n", made, (double)made * (double)SECOND / (double)elapsed);
    producer_close(producer);
    return 0;
}
