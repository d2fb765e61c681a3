/* SPDX-License-Identifier: MIT */
/* The disk is full while processes come and go, also at a start of the daemon; then there is space. */
#include "tests/faults/fault.h"

#include <signal.h>

#define PROCESSES 4000

static void test(struct rig *rig)
{
    static const char *const arguments[] = {"--ring-size", "16M", NULL};
    struct rollcall_stats before;
    struct rollcall_stats after;
    struct load load = {0};
    pid_t consumer;

    fault_own_mounts();
    fault_small_disk(rig, "2m");
    fault_start(rig, arguments);
    consumer = fault_load(rig, &load, PROCESSES, "all");
    fault_says(rig, "no space for the journal");
    fault_says(rig, "free some on its file system, or let the journal keep less");
    fault_says(rig, "trying again every second, events wait in the kernel meanwhile");
    fault_stats(rig, &before);
    CHECK_EQUAL(load_wait(&load), 0);
    fault_stats(rig, &after);
    CHECK(after.ring_used > before.ring_used);
    /* Nothing is acknowledged that is not on the disk. */
    CHECK(after.acked_seq <= fault_stored(rig));
    CHECK_EQUAL(fault_count(rig, "trying again"), 1);
    rig_stop(rig, SIGKILL);
    fault_start(rig, arguments);
    fault_resize_disk(rig, "1g");
    if (fault_count(rig, "trying again") > 1)
        fault_says(rig, "the journal can be written again");
    fault_end_without_loss(rig, &load, consumer);
}

int main(void)
{
    return rig_main(test);
}
