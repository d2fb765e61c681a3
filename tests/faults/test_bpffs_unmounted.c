/* SPDX-License-Identifier: MIT */
/* The BPF file system is unmounted under the daemon. It goes on; its successor finds nothing, begins anew, and
 * tells that what came between them is missing. */
#include "tests/faults/fault.h"

#include <signal.h>
#include <sys/mount.h>

#define PROCESSES 600

static void test(struct rig *rig)
{
    const struct behaviour all = {.name = "all"};
    struct load load = {0};
    uint64_t epoch;
    pid_t consumer;

    fault_own_bpffs();
    fault_start(rig, NULL);
    consumer = fault_load(rig, &load, PROCESSES, "all");
    CHECK(umount2("/sys/fs/bpf", MNT_DETACH) == 0);
    fault_finish(&load, consumer);
    CHECK_EQUAL(rig->heard[0].lost, 0);
    rig_stop(rig, SIGTERM);
    fault_check_journal(rig->journal, load.truth);
    load_end(&load);
    epoch = rig->heard[0].epoch;
    fault_start(rig, NULL);
    rig_mark_end();
    rig_await(rig_consume(rig, 0, &all));
    CHECK(rig->heard[0].epoch > epoch);
    CHECK_EQUAL(rig->heard[0].gaps, 1);
    fault_says(rig,
               "an unknown number of events is missing at number 1: the programs had been taken "
               "out for a time: look who removes what is in /sys/fs/bpf/rollcall");
    rig_stop(rig, SIGTERM);
}

int main(void)
{
    return rig_main(test);
}
