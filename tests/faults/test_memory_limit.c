/* SPDX-License-Identifier: MIT */
/* The daemon has little memory: less than its ring, then just enough to work, with a consumer that makes
 * it keep as much as it may. */
#include "tests/faults/fault.h"
#include "tests/faults/group.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#define PROCESSES 8000
#define MIB       (UINT64_C(1) << 20)

static struct group group;

static void too_little_for_the_ring(struct rig *rig)
{
    static const char *const arguments[] = {"--ring-size", "64M", NULL};

    CHECK_EQUAL(group_limit(&group, 48 * MIB), 0);
    rig_launch(rig, arguments);
    CHECK_EQUAL(rig_await_daemon(rig), 1 << 8);
    fault_says(rig, "no memory for the ring: use a smaller one");
}

static void just_enough(struct rig *rig)
{
    static const char *const arguments[] = {"--ring-size", "1M", "--memory", "2M", NULL};
    const struct behaviour stands = {.never_acks = true, .name = "stands"};
    struct load load = {0};
    pid_t consumer;
    pid_t standing;
    uint64_t hits;

    /* To load programs takes more. */
    CHECK_EQUAL(group_limit(&group, 96 * MIB), 0);
    fault_start(rig, arguments);
    CHECK_EQUAL(group_limit(&group, group_used(&group) + 6 * MIB), 0);
    hits = group_hits(&group);
    standing = rig_consume(rig, 1, &stands);
    consumer = fault_load(rig, &load, PROCESSES, "all");
    fault_finish(&load, consumer);
    rig_await(standing);
    CHECK_EQUAL(rig->heard[0].lost, 0);
    CHECK_EQUAL(rig->heard[1].lost, 0);
    fault_settle(rig);
    CHECK(group_hits(&group) > hits);
    rig_stop(rig, SIGTERM);
    fault_check_journal(rig->journal, load.truth);
    load_end(&load);
}

static void test(struct rig *rig)
{
    fault_keep_log(rig);
    group_procs(&group, rig->group);
    too_little_for_the_ring(rig);
    just_enough(rig);
}

int main(void)
{
    int status;

    group_make(&group);
    status = rig_main(test);
    group_remove(&group);
    return status;
}
