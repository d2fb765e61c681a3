/* SPDX-License-Identifier: MIT */
/* The machine sleeps for some seconds while processes come and go. The clock of events goes on meanwhile, those
 * that time-outs run by stand still. */
#include "linux/clock.h"
#include "tests/faults/fault.h"

#include <stdio.h>
#include <unistd.h>

#define PROCESSES 400
#define SECONDS   5
#define ALARM     "/sys/class/rtc/rtc0/wakealarm"

static uint64_t slept_ns(void)
{
    return clock_boot_ns() - clock_mono_ns();
}

static void sleep_by(const char *state)
{
    uint64_t before = slept_ns();
    char seconds[16];

    snprintf(seconds, sizeof(seconds), "+%d", SECONDS);
    fault_write(ALARM, "0");
    if (fault_write(ALARM, seconds) < 0)
        rig_skip("there is no alarm clock that would wake the machine");
    if (fault_write("/sys/power/state", state) < 0)
        rig_skip("this kernel cannot put the machine to sleep");
    CHECK(slept_ns() - before > SECONDS * UINT64_C(1000000000) / 2);
}

static void test(struct rig *rig)
{
    struct load load = {0};
    pid_t consumer;

    fault_need_guest("it puts the machine to sleep");
    fault_start(rig, NULL);
    consumer = fault_load(rig, &load, PROCESSES, "all");
    while (truth_made(load.truth) < PROCESSES / 3)
        usleep(1000);
    sleep_by("mem");
    fault_end_without_loss(rig, &load, consumer);
}

int main(void)
{
    return rig_main(test);
}
