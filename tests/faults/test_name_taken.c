/* SPDX-License-Identifier: MIT */
/* While the daemon is stopped, somebody removes its pins with their directory, and opens a consumer of the same
 * name. The daemon touches nothing of his, says so, and goes on; when the name is free it pins again. */
#include "tests/faults/fault.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define PROCESSES 300

static const char while_open[] =
    "is gone, and cannot be pinned again (Device or resource busy): what happens between this "
    "process and its successor will be missing; somebody else has taken the name: see `rollcall "
    "stats`";
static const char while_pinned[] = "is gone, and cannot be pinned again (File exists)";

static struct rollcall_options name_of(const struct rig *rig)
{
    const struct rollcall_options opts = {
        .struct_size = sizeof(opts), .name = rig->name, .flags = ROLLCALL_DIRECT};

    return opts;
}

static struct rollcall *take_name(const struct rig *rig)
{
    const struct rollcall_options opts = name_of(rig);
    struct rollcall *rc;
    char command[128];

    CHECK(kill(rig->daemon, SIGSTOP) == 0);
    snprintf(command, sizeof(command), "rm -r /sys/fs/bpf/rollcall/%s", rig->name);
    CHECK(system(command) == 0); // NOLINT(cert-env33-c)
    CHECK_EQUAL(rollcall_open(&opts, &rc), 0);
    return rc;
}

/* His capture is whole. */
static void read_to_mark(struct rollcall *rc)
{
    const struct rollcall_event *event = NULL;
    struct rollcall_batch batch;
    bool marked = false;

    while (!marked) {
        CHECK(rollcall_next(rc, RIG_LIMIT_S * 1000, &batch) > 0);
        while ((event = rollcall_batch_next(&batch, event))) {
            CHECK(event->type != ROLLCALL_GAP);
            marked |= rig_is_mark(event);
        }
        CHECK_EQUAL(rollcall_ack(rc, batch.last_seq), 0);
    }
}

static void give_back(const struct rig *rig, struct rollcall *rc)
{
    const struct rollcall_options opts = name_of(rig);

    rollcall_close(rc);
    CHECK_EQUAL(rollcall_detach_at(&opts), 0);
    fault_says(rig, "had been removed, and is pinned again: look who removes it");
}

/* Its successor finds what it has pinned again. */
static void stop_and_go_on(struct rig *rig)
{
    const struct behaviour all = {.name = "all"};
    uint64_t epoch = rig->heard[0].epoch;

    rig_stop(rig, SIGTERM);
    fault_forget_log(rig);
    fault_start(rig, NULL);
    rig->heard[0].gaps = 0;
    rig_mark_end();
    rig_await(rig_consume(rig, 0, &all));
    CHECK_EQUAL(rig->heard[0].epoch, epoch);
    CHECK_EQUAL(rig->heard[0].gaps, 0);
}

static void and_has_it_open(struct rig *rig)
{
    struct load load = {0};
    pid_t consumer = fault_load(rig, &load, PROCESSES, "all");
    struct rollcall *rc = take_name(rig);

    CHECK(kill(rig->daemon, SIGCONT) == 0);
    fault_says(rig, while_open);
    fault_finish(&load, consumer);
    CHECK_EQUAL(rig->heard[0].lost, 0);
    read_to_mark(rc);
    give_back(rig, rc);
    load_end(&load);
    stop_and_go_on(rig);
}

static void and_goes(struct rig *rig)
{
    const struct rollcall_options opts = name_of(rig);
    struct rollcall *rc = take_name(rig);

    rollcall_close(rc);
    CHECK(kill(rig->daemon, SIGCONT) == 0);
    fault_says(rig, while_pinned);
    CHECK_EQUAL(rollcall_open(&opts, &rc), 0);
    rig_mark_end();
    read_to_mark(rc);
    give_back(rig, rc);
    stop_and_go_on(rig);
}

static void test(struct rig *rig)
{
    fault_own_bpffs();
    fault_start(rig, NULL);
    and_has_it_open(rig);
    and_goes(rig);
    rig_stop(rig, SIGTERM);
}

int main(void)
{
    return rig_main(test);
}
