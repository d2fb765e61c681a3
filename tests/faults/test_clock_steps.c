/* SPDX-License-Identifier: MIT */
/*
 * The time of day is set while processes come and go, forward by hours and back by more. Retention by age
 * removes nothing that is not as old, each view of the events follows, and what is collected
 * anew has a larger epoch.
 */
#include "journal/journal.h"
#include "linux/clock.h"
#include "tests/faults/fault.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 100
#define HOUR      3600
#define SECOND_NS INT64_C(1000000000)

static const char *const arguments[] = {"--keep-age", "1h", NULL};

static void step(int seconds)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += seconds;
    CHECK(clock_settime(CLOCK_REALTIME, &now) == 0);
}

/* Tells its events the time of day, which is a minute from now at most. */
static void check_time(int64_t mono_ns, int64_t wall_offset_ns)
{
    int64_t now = (int64_t)clock_ns(CLOCK_REALTIME);

    CHECK(llabs(now - (mono_ns + wall_offset_ns)) < 60 * SECOND_NS);
}

/* The next event that it has. */
static void check_view(struct rollcall *rc)
{
    struct rollcall_batch batch;
    int n;

    do {
        rig_mark_end();
        n = rollcall_next(rc, 1000, &batch);
    } while (n == 0);
    CHECK(n > 0);
    check_time((int64_t)batch.first->mono_ns, batch.wall_offset_ns);
    CHECK_EQUAL(rollcall_ack(rc, batch.last_seq), 0);
}

static int check_stored(const struct journal_event *found, void *context)
{
    (void)context;
    check_time((int64_t)found->event->mono_ns, found->wall_offset_ns);
    return 0;
}

static void check_newest(const struct rig *rig)
{
    const struct journal_options reading = {.read_only = true};
    const struct journal_filter newest = {.limit = 1, .last = true};
    struct journal *journal;

    CHECK_EQUAL(journal_open(rig->journal, &reading, &journal), 0);
    CHECK_EQUAL(journal_query(journal, &newest, check_stored, NULL), 0);
    journal_close(journal);
}

static void drain(struct rollcall *rc)
{
    struct rollcall_batch batch;

    while (rollcall_next(rc, 0, &batch) > 0)
        CHECK_EQUAL(rollcall_ack(rc, batch.last_seq), 0);
}

static void while_it_runs(struct rig *rig)
{
    static const int steps[] = {3 * HOUR, -7 * HOUR, 4 * HOUR};
    struct rollcall_options opts = rig_options(rig, NULL);
    struct load load = {0};
    struct rollcall *rc;

    rig_load(&load, PROCESSES);
    CHECK_EQUAL(rollcall_open(&opts, &rc), 0);
    for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        drain(rc);
        step(steps[i]);
        check_view(rc);
        /* Retention has its turn, once a second. */
        usleep(2500000);
        fault_settle(rig);
        check_newest(rig);
    }
    rollcall_close(rc);
    CHECK_EQUAL(load_wait(&load), 0);
    fault_settle(rig);
    fault_check_journal(rig->journal, load.truth);
    load_end(&load);
}

/* As after a boot of a machine whose clock has stopped. */
static void anew(struct rig *rig)
{
    const struct rollcall_options opts = {
        .struct_size = sizeof(opts), .name = rig->name, .flags = ROLLCALL_DIRECT};
    struct rollcall_stats before;
    struct rollcall_stats after;

    fault_stats(rig, &before);
    rig_stop(rig, SIGTERM);
    CHECK_EQUAL(rollcall_detach_at(&opts), 0);
    step(-24 * HOUR);
    rig_start(rig, arguments);
    fault_stats(rig, &after);
    CHECK(after.epoch > before.epoch);
    step(24 * HOUR);
    rig_stop(rig, SIGTERM);
}

static void test(struct rig *rig)
{
    fault_need_guest("it sets the machine's clock");
    fault_start(rig, arguments);
    while_it_runs(rig);
    anew(rig);
}

int main(void)
{
    return rig_main(test);
}
