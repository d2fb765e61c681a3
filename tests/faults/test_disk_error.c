/* SPDX-License-Identifier: MIT */
/* The disk fails while processes come and go: first what waits for it, then all
 * that writes. When it is well again all events are on it: also of a power
 * failure at that very time. */
#include "tests/faults/fault.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FEW  60
#define MANY 3000

/* bad_disk.c */
static void set_fault(const struct rig *rig, const char *fault, bool on)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", rig->directory, fault);
    if (!on) {
        CHECK(unlink(path) == 0);
        return;
    }
    file = fopen(path, "we");
    CHECK(file && fclose(file) == 0);
}

/* The daemon and what the disk has not got are gone. */
static void power_failure(struct rig *rig)
{
    char command[256];

    rig_stop(rig, SIGKILL);
    snprintf(command, sizeof(command), "for i in '' -wal; do cp \"%s$i.disk\" \"%s$i\"; done",
             rig->journal, rig->journal);
    CHECK(system(command) == 0); // NOLINT(cert-env33-c)
}

static void wait_for_made(const struct load *load, uint32_t count)
{
    while (truth_made(load->truth) < count)
        usleep(1000);
}

/* What waits for the disk fails. Few enough events that they are all in the
 * journal's log at the end. */
static void broken(struct rig *rig)
{
    struct rollcall_stats before;
    struct rollcall_stats after;
    struct load load = {0};
    pid_t consumer;

    fault_settle(rig);
    consumer = fault_load(rig, &load, FEW, "few");
    wait_for_made(&load, FEW / 4);
    set_fault(rig, "broken", true);
    fault_says(rig, "check the disk and the kernel's log; trying again every second");
    fault_stats(rig, &before);
    CHECK_EQUAL(load_wait(&load), 0);
    fault_stats(rig, &after);
    CHECK_EQUAL(after.acked_seq, before.acked_seq);
    set_fault(rig, "broken", false);
    fault_says(rig, "the journal can be written again");
    fault_finish(&load, consumer);
    CHECK_EQUAL(rig->heard[0].lost, 0);
    fault_settle(rig);
    power_failure(rig);
    fault_check_journal(rig->journal, load.truth);
    load_end(&load);
}

/* Nothing can be written. */
static void dead(struct rig *rig)
{
    struct load load = {0};
    pid_t consumer = fault_load(rig, &load, MANY, NULL);

    wait_for_made(&load, MANY / 4);
    set_fault(rig, "dead", true);
    fault_says(rig, "check the disk and the kernel's log; trying again every second");
    CHECK_EQUAL(load_wait(&load), 0);
    set_fault(rig, "dead", false);
    fault_finish(&load, consumer);
    CHECK_EQUAL(rig->heard[0].lost, 0);
    fault_settle(rig);
    power_failure(rig);
    fault_check_journal(rig->journal, load.truth);
    load_end(&load);
}

static void test(struct rig *rig)
{
    static const char *const arguments[] = {"--ring-size", "16M", NULL};

    snprintf(rig->preload, sizeof(rig->preload), "%s", BAD_DISK);
    fault_start(rig, arguments);
    broken(rig);
    fault_forget_log(rig);
    fault_start(rig, arguments);
    dead(rig);
}

int main(void)
{
    return rig_main(test);
}
