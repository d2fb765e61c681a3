/* SPDX-License-Identifier: MIT */
/*
 * More events than the budget holds: what is missing stands in a gap in that very place, and is
 * counted exactly, for who is durable and for who is not.
 */
#include "tests/wine/lib/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET    65536u
#define MANY      5000u
#define FIRST_PID 10000u
#define ROUNDS    200
#define THREADS   4u
#define EACH_WAY  (CONTROL_CREATE_EACH | CONTROL_EXIT_EACH)

static struct stream durable, ephemeral;

static void both_open(void)
{
    stream_open(&durable, "durable", 0);
    stream_open(&ephemeral, "", 0);
}

static void both_close(void)
{
    stream_close(&durable);
    stream_close(&ephemeral);
    CHECK(driver_detach("durable") == 0, "detach");
}

static uint64_t lost_of(const char *name)
{
    struct rollcall_consumer_stats stats;

    if (!consumer_stats(name, &stats))
        die("there is no consumer '%s'", name);
    return stats.lost;
}

/* Every number behind base is in the stream or in a gap; the processes were raised in the order of
 * their pids, so each number has its own. */
static void expect_exact(const struct stream *stream, uint64_t base, uint64_t raised)
{
    const struct rollcall_event *event = NULL;
    uint64_t lost = 0, delivered = 0;

    while ((event = stream_next(stream, event)) != NULL) {
        uint64_t index = event->seq - base - 1;

        if (event->type == ROLLCALL_GAP) {
            CHECK(event->reason == ROLLCALL_LOST_FULL, "%u", event->reason);
            lost += event->lost;
            continue;
        }
        delivered++;
        CHECK(event->type == (index % 2 == 0 ? ROLLCALL_CREATE : ROLLCALL_EXIT) &&
                  event->pid == FIRST_PID + 4 * (index / 2),
              "event %llu is of process %u", (unsigned long long)event->seq, event->pid);
    }
    CHECK(delivered + lost == raised && lost == stream->lost,
          "%llu delivered, %llu lost, %llu raised", (unsigned long long)delivered,
          (unsigned long long)lost, (unsigned long long)raised);
}

/* None is read before all are raised. */
static void nobody_reads(void)
{
    struct rollcall_engine_stats before = driver_stats(), after;

    both_open();
    CHECK(raise_bulk(FIRST_PID, MANY, EACH_WAY, 100) == 0, "refused");
    after = driver_stats();
    CHECK(after.last_seq == before.last_seq + 2 * MANY, "%llu", (unsigned long long)after.last_seq);
    CHECK(after.used <= BUDGET, "%llu bytes", (unsigned long long)after.used);
    CHECK(after.used > BUDGET / 2, "%llu bytes", (unsigned long long)after.used);
    stream_read(&durable);
    stream_read(&ephemeral);
    expect_exact(&durable, before.last_seq, 2 * MANY);
    expect_exact(&ephemeral, before.last_seq, 2 * MANY);
    CHECK(stream_next(&durable, NULL)->type == ROLLCALL_GAP, "the gap is in front");
    CHECK(stream_count(&durable, ROLLCALL_GAP, 0) == 1, "one gap");
    CHECK(lost_of("durable") == durable.lost && lost_of("") == ephemeral.lost, "%llu and %llu",
          (unsigned long long)lost_of("durable"), (unsigned long long)lost_of(""));
    /* Nobody can have these; what was there before both came is among them. */
    after = driver_stats();
    CHECK(after.lost[ROLLCALL_LOST_FULL] >= durable.lost &&
              after.lost[ROLLCALL_LOST_FULL] - before.lost[ROLLCALL_LOST_FULL] <=
                  durable.lost + before.last_seq,
          "%llu lost, %llu in the gap", (unsigned long long)after.lost[ROLLCALL_LOST_FULL],
          (unsigned long long)durable.lost);
    both_close();
}

/* The gap comes behind what was read before, acknowledged or not. */
static void gap_in_its_place(void)
{
    uint64_t base = driver_stats().last_seq;
    const struct rollcall_event *event = NULL;
    uint32_t i;

    both_open();
    raise_bulk(FIRST_PID, 20, EACH_WAY, 100);
    stream_read(&durable);
    stream_read(&ephemeral);
    ask_acknowledge(durable.device, base + 10);
    raise_bulk(FIRST_PID + 4 * 20, MANY, EACH_WAY, 100);
    stream_read(&durable);
    stream_read(&ephemeral);
    expect_exact(&durable, base, 2 * MANY + 40);
    expect_exact(&ephemeral, base, 2 * MANY + 40);
    for (i = 0; i < 40; i++) {
        event = stream_next(&durable, event);
        CHECK(event->seq == base + 1 + i && event->type != ROLLCALL_GAP, "event %u", i);
    }
    event = stream_next(&durable, event);
    CHECK(event->type == ROLLCALL_GAP && event->seq == base + 41, "a gap at %llu",
          (unsigned long long)event->seq);
    both_close();
}

/* What is delivered again to the next one of that name, after it was lost meanwhile. */
static void lost_in_hand(void)
{
    uint64_t base = driver_stats().last_seq;

    stream_open(&durable, "durable", 0);
    raise_bulk(FIRST_PID, 20, EACH_WAY, 100);
    stream_read(&durable);
    ask_acknowledge(durable.device, base + 10);
    stream_close(&durable);
    raise_bulk(FIRST_PID + 4 * 20, MANY, EACH_WAY, 100);
    stream_open(&durable, "durable", ROLLCALL_ATTACH_CONTINUE);
    CHECK(durable.next_seq == base + 11, "%llu", (unsigned long long)durable.next_seq);
    stream_read(&durable);
    expect_exact(&durable, base, 2 * MANY + 30);
    CHECK(stream_next(&durable, NULL)->type == ROLLCALL_GAP, "a gap");
    CHECK(lost_of("durable") == durable.lost, "%llu", (unsigned long long)lost_of("durable"));
    stream_close(&durable);
    CHECK(driver_detach("durable") == 0, "detach");
}

/* ---- now one reads, now the other ---- */

static void read_some(struct stream *stream)
{
    int i;

    for (i = rand() % 4; i > 0; i--)
        CHECK(stream_drain(stream, 8192) == 0, "drain");
    if (rand() % 2 == 0)
        stream_acknowledge(stream);
}

static void random_readers(void)
{
    uint64_t base = driver_stats().last_seq;
    unsigned seed = GetTickCount();
    uint32_t raised = 0, n;
    int i;

    printf("seed %u\n", seed);
    srand(seed);
    both_open();
    for (i = 0; i < ROUNDS; i++) {
        n = 1 + (uint32_t)rand() % 200;
        raise_bulk(FIRST_PID + 4 * raised, n, EACH_WAY, 2 * ((uint32_t)rand() % 500));
        raised += n;
        read_some(&durable);
        read_some(&ephemeral);
        if (rand() % 16 == 0)
            driver_configure(BUDGET << rand() % 4, 0);
    }
    stream_read(&durable);
    stream_read(&ephemeral);
    CHECK(durable.lost > 0 && ephemeral.lost > 0, "nothing was lost: this tests nothing");
    expect_exact(&durable, base, 2 * raised);
    expect_exact(&ephemeral, base, 2 * raised);
    CHECK(lost_of("durable") == durable.lost && lost_of("") == ephemeral.lost, "%llu and %llu",
          (unsigned long long)lost_of("durable"), (unsigned long long)lost_of(""));
    driver_configure(BUDGET, 0);
    both_close();
}

static DWORD WINAPI raise_many(void *context)
{
    raise_bulk(*(uint32_t *)context, MANY, EACH_WAY, 200);
    return 0;
}

/* Several raise, one reads: the numbers say all. */
static void many_threads(void)
{
    uint64_t base = driver_stats().last_seq;
    uint32_t first[THREADS], i;
    HANDLE threads[THREADS];

    both_open();
    for (i = 0; i < THREADS; i++) {
        first[i] = FIRST_PID + 100000 * i;
        threads[i] = thread_begin(raise_many, &first[i]);
    }
    while (durable.next_seq <= base + THREADS * MANY) {
        stream_drain(&durable, 4096);
        stream_acknowledge(&durable);
    }
    for (i = 0; i < THREADS; i++)
        thread_join(threads[i]);
    stream_read(&durable);
    stream_read(&ephemeral);
    CHECK(durable.next_seq == base + 1 + 2ull * THREADS * MANY, "%llu",
          (unsigned long long)(durable.next_seq - base));
    CHECK(durable.next_seq == ephemeral.next_seq, "%llu",
          (unsigned long long)(ephemeral.next_seq - base));
    CHECK(durable.count - stream_count(&durable, ROLLCALL_GAP, 0) + durable.lost ==
              2ull * THREADS * MANY,
          "%zu delivered, %llu lost", durable.count, (unsigned long long)durable.lost);
    CHECK(lost_of("durable") == durable.lost && lost_of("") == ephemeral.lost, "%llu and %llu",
          (unsigned long long)lost_of("durable"), (unsigned long long)lost_of(""));
    both_close();
}

/* ---- configured at run time ---- */

static void smaller_and_larger(void)
{
    uint64_t base = driver_stats().last_seq, lost;
    struct rollcall_engine_stats stats;

    driver_configure(1u << 20, 0);
    both_open();
    raise_bulk(FIRST_PID, 1000, EACH_WAY, 100);
    stats = driver_stats();
    CHECK(stats.budget == 1u << 20 && stats.used > 4 * BUDGET, "%llu of %llu",
          (unsigned long long)stats.used, (unsigned long long)stats.budget);
    lost = stats.lost[ROLLCALL_LOST_FULL];
    driver_configure(BUDGET, 0);
    stats = driver_stats();
    CHECK(stats.budget == BUDGET && stats.used <= BUDGET, "%llu of %llu",
          (unsigned long long)stats.used, (unsigned long long)stats.budget);
    CHECK(stats.lost[ROLLCALL_LOST_FULL] > lost, "at once");
    driver_configure(1u << 20, 0);
    raise_bulk(FIRST_PID + 4 * 1000, 100, EACH_WAY, 100);
    stream_read(&durable);
    stream_read(&ephemeral);
    expect_exact(&durable, base, 2200);
    expect_exact(&ephemeral, base, 2200);
    driver_configure(BUDGET, 0);
    both_close();
}

int main(void)
{
    test_begin("rollcall.sys");
    driver_parameter("Budget", BUDGET);
    driver_begin();
    nobody_reads();
    gap_in_its_place();
    lost_in_hand();
    random_readers();
    many_threads();
    smaller_and_larger();
    return test_end();
}
