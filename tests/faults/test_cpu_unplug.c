/* SPDX-License-Identifier: MIT */
/* A processor goes, and comes again, while processes come and go on it. */
#include "tests/faults/fault.h"

#include <unistd.h>

#define PROCESSES 400
#define TIMES     3
#define ONLINE    "/sys/devices/system/cpu/cpu1/online"

static void wait_for_made(const struct load *load, uint32_t count)
{
    while (truth_made(load->truth) < count)
        usleep(1000);
}

static void test(struct rig *rig)
{
    struct load load = {0};
    pid_t consumer;

    fault_need_guest("it takes a processor away");
    if (access(ONLINE, W_OK) < 0)
        rig_skip("this kernel cannot take a processor away");
    fault_start(rig, NULL);
    consumer = fault_load(rig, &load, PROCESSES, "all");
    for (uint32_t i = 0; i < TIMES; i++) {
        wait_for_made(&load, PROCESSES * (2 * i + 1) / (2 * TIMES + 1));
        CHECK_EQUAL(fault_write(ONLINE, "0"), 0);
        wait_for_made(&load, PROCESSES * (2 * i + 2) / (2 * TIMES + 1));
        CHECK_EQUAL(fault_write(ONLINE, "1"), 0);
    }
    fault_end_without_loss(rig, &load, consumer);
}

int main(void)
{
    return rig_main(test);
}
