/* SPDX-License-Identifier: MIT */
/* Pins are removed by hand, some or all, while the daemon runs and while it does not. The daemon pins them
 * again; and as long as anything is left that leads to the ring nothing is missing, else there is a gap. */
#include "tests/faults/fault.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PROCESSES 300

#define MAPS  "ring control states scratches snapshot_area"
#define LINKS "on_fork on_exec on_exit snapshot mark"

static const char pinned_again[] = "had been removed, and is pinned again: look who removes it";
static const char interrupted[] =
    "the programs had been taken out for a time: look who removes what is in /sys/fs/bpf/rollcall";

static void remove_pins(const struct rig *rig, const char *pins)
{
    char command[256];

    snprintf(command, sizeof(command), "cd /sys/fs/bpf/rollcall/%s && rm %s", rig->name, pins);
    CHECK(system(command) == 0); // NOLINT(cert-env33-c)
}

/* Until the last one is there. */
static void wait_for_pins(const struct rig *rig)
{
    uint64_t end = rig_now_ms() + RIG_LIMIT_S * UINT64_C(1000);
    char path[128];

    snprintf(path, sizeof(path), "/sys/fs/bpf/rollcall/%s/mark", rig->name);
    while (access(path, F_OK) < 0) {
        CHECK(rig_now_ms() < end);
        usleep(10000);
    }
}

/* Processes while it does not run; then it does. */
static void restart(struct rig *rig)
{
    struct load load = {0};

    rig_load(&load, PROCESSES);
    CHECK_EQUAL(load_wait(&load), 0);
    load_end(&load);
    fault_forget_log(rig);
    fault_start(rig, NULL);
}

/* From its place to the end. Gaps are counted anew, numbers go on. */
static void read_on(struct rig *rig)
{
    const struct behaviour all = {.name = "all"};

    rig->heard[0].gaps = 0;
    rig_mark_end();
    rig_await(rig_consume(rig, 0, &all));
}

/* The daemon holds what they stood for, and pins it again. Then its directory is removed, too. */
static void all_while_it_runs(struct rig *rig)
{
    struct load load = {0};
    uint64_t epoch;
    pid_t consumer;

    fault_start(rig, NULL);
    consumer = fault_load(rig, &load, PROCESSES, "all");
    remove_pins(rig, "*");
    fault_says(rig, pinned_again);
    remove_pins(rig, "-r $PWD");
    wait_for_pins(rig);
    fault_finish(&load, consumer);
    CHECK_EQUAL(rig->heard[0].lost, 0);
    epoch = rig->heard[0].epoch;
    rig_stop(rig, SIGTERM);
    fault_check_journal(rig->journal, load.truth);
    load_end(&load);
    restart(rig);
    read_on(rig);
    CHECK_EQUAL(rig->heard[0].epoch, epoch);
    CHECK_EQUAL(rig->heard[0].gaps, 0);
    rig_stop(rig, SIGTERM);
}

/* The programs that run lead to them. */
static void maps_while_it_does_not(struct rig *rig)
{
    uint64_t epoch = rig->heard[0].epoch;
    uint64_t last = rig->heard[0].last_seq;

    remove_pins(rig, MAPS);
    restart(rig);
    read_on(rig);
    CHECK_EQUAL(rig->heard[0].epoch, epoch);
    CHECK_EQUAL(rig->heard[0].gaps, 0);
    /* At least a create and an exit of each. */
    CHECK(rig->heard[0].last_seq - last > UINT64_C(2) * PROCESSES);
    rig_stop(rig, SIGTERM);
}

/* The programs are gone with them, the ring is not. */
static void links_while_it_does_not(struct rig *rig)
{
    uint64_t epoch = rig->heard[0].epoch;

    remove_pins(rig, LINKS);
    restart(rig);
    read_on(rig);
    CHECK_EQUAL(rig->heard[0].epoch, epoch);
    CHECK_EQUAL(rig->heard[0].gaps, 1);
    fault_says(rig, interrupted);
    rig_stop(rig, SIGTERM);
}

/* Nothing leads to the ring. */
static void what_leads_to_the_ring(struct rig *rig)
{
    uint64_t epoch = rig->heard[0].epoch;

    remove_pins(rig, "ring " LINKS);
    restart(rig);
    read_on(rig);
    CHECK(rig->heard[0].epoch > epoch);
    CHECK_EQUAL(rig->heard[0].gaps, 1);
    fault_says(rig, interrupted);
    rig_stop(rig, SIGTERM);
}

static void test(struct rig *rig)
{
    fault_own_bpffs();
    all_while_it_runs(rig);
    maps_while_it_does_not(rig);
    links_while_it_does_not(rig);
    what_leads_to_the_ring(rig);
}

int main(void)
{
    return rig_main(test);
}
