/* SPDX-License-Identifier: MIT */
/* The daemon is stopped while processes come and go: as many as its ring can hold, then more. A second
 * consumer of the kernel is the witness of how many events there were. */
#include "tests/faults/fault.h"

#include <signal.h>
#include <unistd.h>

#define PROCESSES 1500
/* Two consumers have programs of their own: an event on another processor at the same instant can
 * come before the mark for one and after it for the other. */
#define SLACK 4u

static struct rollcall *open_witness(void)
{
    const struct rollcall_options opts = {
        .struct_size = sizeof(opts), .ring_size = 64u << 20, .flags = ROLLCALL_DIRECT};
    struct rollcall *rc;

    CHECK_EQUAL(rollcall_open(&opts, &rc), 0);
    return rc;
}

/* Numbers up to the second mark, from the first one on, as the witness has them. */
static uint64_t count_between_marks(struct rollcall *rc)
{
    const struct rollcall_event *event = NULL;
    struct rollcall_batch batch;
    uint64_t first = 0;

    for (;;) {
        CHECK(rollcall_next(rc, RIG_LIMIT_S * 1000, &batch) > 0);
        while ((event = rollcall_batch_next(&batch, event))) {
            CHECK(event->type != ROLLCALL_GAP);
            if (!rig_is_mark(event))
                continue;
            if (first)
                return event->seq - first;
            first = event->seq;
        }
        CHECK_EQUAL(rollcall_ack(rc, batch.last_seq), 0);
    }
}

/* So that the mark is not lost, too. */
static void wait_for_room(const struct rig *rig)
{
    uint64_t end = rig_now_ms() + RIG_LIMIT_S * UINT64_C(1000);
    struct rollcall_stats stats;

    do {
        CHECK(rig_now_ms() < end);
        usleep(1000);
        fault_stats(rig, &stats);
    } while (stats.ring_used > stats.ring_size / 2);
}

static void run_load_stopped(struct rig *rig, struct load *load)
{
    CHECK(kill(rig->daemon, SIGSTOP) == 0);
    rig_load(load, PROCESSES);
    CHECK_EQUAL(load_wait(load), 0);
    CHECK(kill(rig->daemon, SIGCONT) == 0);
    wait_for_room(rig);
    rig_mark_end();
}

/* Its ring holds them all. */
static void large_enough(struct rig *rig)
{
    static const char *const arguments[] = {"--ring-size", "16M", NULL};
    const struct behaviour plain = {0};
    struct load load = {0};
    pid_t consumer;

    fault_start(rig, arguments);
    consumer = rig_consume(rig, 0, &plain);
    run_load_stopped(rig, &load);
    rig_await(consumer);
    CHECK_EQUAL(rig->heard[0].lost, 0);
    fault_settle(rig);
    fault_check_journal(rig->journal, load.truth);
    CHECK_EQUAL(fault_count(rig, "the kernel lost"), 0);
    load_end(&load);
    rig_stop(rig, SIGTERM);
}

/* The number of the mark. */
static uint64_t read_to_mark(struct rig *rig, unsigned index)
{
    const struct behaviour plain = {0};
    pid_t consumer = rig_consume(rig, index, &plain);

    rig_mark_end();
    rig_await(consumer);
    return rig->heard[index].last_seq;
}

/* What a consumer has had and what gaps say are together what the witness has. */
static void too_small(struct rig *rig)
{
    static const char *const arguments[] = {"--ring-size", "64K", NULL};
    const struct rollcall_options opts = {
        .struct_size = sizeof(opts), .name = rig->name, .flags = ROLLCALL_DIRECT};
    const struct behaviour plain = {0};
    struct rollcall *witness;
    struct load load = {0};
    uint64_t happened;
    uint64_t from;
    pid_t consumer;

    CHECK_EQUAL(rollcall_detach_at(&opts), 0);
    fault_start(rig, arguments);
    witness = open_witness();
    from = read_to_mark(rig, 1);
    consumer = rig_consume(rig, 2, &plain);
    run_load_stopped(rig, &load);
    rig_await(consumer);
    happened = count_between_marks(witness);
    rollcall_close(witness);
    CHECK(rig->heard[2].lost > PROCESSES);
    CHECK(rig->heard[2].last_seq - from <= happened + SLACK);
    CHECK(rig->heard[2].last_seq - from >= happened - SLACK);
    fault_says(rig, "events, from number");
    fault_says(rig,
               "its ring was full: give it more by ring-size, or look why the journal is slow");
    load_end(&load);
    rig_stop(rig, SIGTERM);
}

static void test(struct rig *rig)
{
    large_enough(rig);
    too_small(rig);
}

int main(void)
{
    return rig_main(test);
}
