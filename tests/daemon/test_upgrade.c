/* SPDX-License-Identifier: MIT */
/* Two builds of the daemon, whose programs in the kernel differ, take over from each other under load, as
 * an upgrade does: the old one ends, or is killed, and the new one starts. A durable consumer reads
 * all the time. It and the journal have each event once, and what they have is what happened. */
#include "journal/journal.h"
#include "tests/daemon/rig.h"
#include "tests/load/check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static unsigned upgrades;

static void upgrade(struct rig *rig, unsigned round)
{
    uint64_t before = rig->heard[0].last_seq;

    while (rig->heard[0].last_seq <= before + (uint64_t)round % 5 * 20)
        usleep(500);
    rig_stop(rig, round % 4 == 3 ? SIGKILL : SIGTERM);
    snprintf(rig->program, sizeof(rig->program), round % 2 ? "rollcalld" : "rollcalld_other");
    rig_start(rig, NULL);
}

static int check_one(const struct journal_event *stored, void *context)
{
    check_event(context, stored->epoch, stored->event);
    return 0;
}

static void check_journal(const struct rig *rig, const struct truth *truth, uint64_t attached_ns)
{
    const struct journal_options reading = {.read_only = true};
    const struct journal_filter all = {0};
    struct check *check = check_new(attached_ns);
    struct journal *journal;

    CHECK_EQUAL(journal_open(rig->journal, &reading, &journal), 0);
    CHECK_EQUAL(journal_query(journal, &all, check_one, check), 0);
    journal_close(journal);
    if (check_finish(check, truth) > 0) {
        check_print(check, stderr);
        rig_fail(__FILE__, __LINE__, "the journal is not what happened");
    }
    check_free(check);
}

static uint64_t when_attached(const struct rig *rig)
{
    const struct rollcall_options opts = {
        .struct_size = sizeof(opts), .name = rig->name, .flags = ROLLCALL_DIRECT};
    struct rollcall_stats stats;

    CHECK_EQUAL(rollcall_inspect_at(&opts, &stats, sizeof(stats)), 0);
    CHECK_EQUAL(stats.lost[ROLLCALL_LOST_FULL] + stats.lost[ROLLCALL_LOST_INTERRUPTED], 0);
    return stats.attached_ns;
}

static void test(struct rig *rig)
{
    const struct load_options load_opts = {.workers = 1,
                                           .count = LOAD_COUNT_MAX / 1000,
                                           .mix = LOAD_METHODS_ALL,
                                           .program = rig_child(),
                                           .rate = 200};
    struct behaviour behaviour = {.name = "reads"};
    struct load load = {0};
    pid_t consumer;

    rig_start(rig, NULL);
    CHECK_EQUAL(load_init(&load, &load_opts, NULL), 0);
    behaviour.truth = load.truth;
    consumer = rig_consume(rig, 0, &behaviour);
    CHECK_EQUAL(load_start(&load, &load_opts), 0);
    for (unsigned round = 0; round < upgrades; round++)
        upgrade(rig, round);
    load.truth->stop = 1;
    CHECK_EQUAL(load_wait(&load), 0);
    rig_mark_end();
    rig_await(consumer);
    CHECK_EQUAL(rig->heard[0].lost, 0);
    CHECK_EQUAL(rig->heard[0].epochs, 1);
    rig_stop(rig, SIGTERM);
    check_journal(rig, load.truth, when_attached(rig));
    load_end(&load);
}

int main(int argc, char **argv)
{
    upgrades = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20;
    return rig_main(test);
}
