/* SPDX-License-Identifier: MIT */
/* When memory is spent or refused: a gap in its place, with the number of what is lost. */
#include "tests/core/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_budget_spent(void **state)
{
    struct fixture *f = *state;
    const struct rollcall_event *gap;
    struct peer slow;
    struct peer fast;
    uint64_t oldest;

    attached(f, &slow, "slow", 0);
    attached(f, &fast, "", 0);
    for (unsigned i = 1; i <= 2000; i++) {
        post(f, 1);
        expect_drained(f, &fast, i, i);
        assert_true(stats(f).used <= ROLLCALL_BUDGET_MIN);
    }
    oldest = stats(f).oldest_seq;
    /* Not more is given up than must be: a block in sixteen. */
    assert_in_range(2000 - oldest, ROLLCALL_BUDGET_MIN * 14 / 16 / BASE,
                    ROLLCALL_BUDGET_MIN / BASE);
    assert_int_equal(stats(f).lost[ROLLCALL_LOST_FULL], oldest - 1);
    assert_int_equal(drain(f, &slow), ENGINE_OK);
    expect_head(f->buffer, f->bytes, 1, 2000, (uint32_t)(2000 - oldest + 2));
    gap = record(f->buffer, 0);
    expect_gap(gap, 1, oldest - 1, ROLLCALL_LOST_FULL);
    assert_int_equal(gap->mono_ns, record(f->buffer, 1)->mono_ns);
    assert_int_equal(record(f->buffer, 1)->seq, oldest);
    assert_int_equal(consumer_stats(f, 0).lost, oldest - 1);
    assert_int_equal(consumer_stats(f, 1).lost, 0);
}

/* The gap grows while it is being waited for, and what was told is not told again. */
static void test_gap_in_the_middle(void **state)
{
    struct fixture *f = *state;
    struct peer peer;
    uint64_t oldest;

    attached(f, &peer, "service", 0);
    post(f, 100);
    assert_int_equal(drain_into(f, &peer, 0, HEAD + (size_t)10 * BASE), ENGINE_OK);
    expect_events(f->buffer, f->bytes, 1, 10);
    post(f, 1000);
    oldest = stats(f).oldest_seq;
    assert_int_equal(drain_into(f, &peer, 0, HEAD + BASE), ENGINE_OK);
    expect_head(f->buffer, f->bytes, 11, oldest - 1, 1);
    expect_gap(record(f->buffer, 0), 11, oldest - 11, ROLLCALL_LOST_FULL);
    assert_int_equal(consumer_stats(f, 0).lost, oldest - 11);
    /* Delivered again it has grown to the front, but counts once what was told. */
    engine_close(f->engine, peer.id);
    attached(f, &peer, "service", 0);
    assert_int_equal(drain_into(f, &peer, 0, HEAD + BASE), ENGINE_OK);
    expect_gap(record(f->buffer, 0), 1, oldest - 1, ROLLCALL_LOST_FULL);
    assert_int_equal(consumer_stats(f, 0).lost, oldest - 11);
}

static void test_nobody_there_keeps_the_newest(void **state)
{
    struct fixture *f = *state;
    struct peer peer;
    uint64_t oldest;

    post(f, 2000);
    oldest = stats(f).oldest_seq;
    attached(f, &peer, "service", ROLLCALL_ATTACH_OLDEST);
    assert_int_equal(peer.attached.acked_seq, 0);
    assert_int_equal(drain(f, &peer), ENGINE_OK);
    expect_gap(record(f->buffer, 0), 1, oldest - 1, ROLLCALL_LOST_FULL);
    assert_int_equal(record(f->buffer, 1)->seq, oldest);
}

static void test_smaller_budget_at_once(void **state)
{
    struct fixture *f = *state;
    struct peer peer;
    uint64_t oldest;

    attached(f, &peer, "service", 0);
    post(f, 7000);
    configure(f, ROLLCALL_BUDGET_MIN, 0);
    assert_true(stats(f).used <= ROLLCALL_BUDGET_MIN);
    oldest = stats(f).oldest_seq;
    assert_true(oldest > 1);
    /* The only block is as large as the budget: it goes when there is room needed. */
    post(f, 2000);
    assert_true(stats(f).used <= ROLLCALL_BUDGET_MIN);
    assert_true(stats(f).oldest_seq > oldest);
    assert_int_equal(stats(f).budget, ROLLCALL_BUDGET_MIN);
    configure(f, BUDGET, 0);
    oldest = stats(f).oldest_seq;
    post(f, 2000);
    assert_int_equal(stats(f).oldest_seq, oldest);
}

/* Nothing of what waits fits any more. */
static void test_budget_smaller_than_a_record(void **state)
{
    struct fixture *f = *state;
    const struct rollcall_event *gap;
    struct peer peer;

    attached(f, &peer, "service", 0);
    assert_int_equal(post_sized(f, ROLLCALL_EXEC, 100u << 10), ENGINE_OK);
    configure(f, ROLLCALL_BUDGET_MIN, 0);
    assert_int_equal(stats(f).used, 0);
    assert_int_equal(stats(f).oldest_seq, 0);
    assert_int_equal(stats(f).lost[ROLLCALL_LOST_FULL], 1);
    engine_post_lost(f->engine, ROLLCALL_LOST_SKIPPED, 2, 5);
    assert_int_equal(drain(f, &peer), ENGINE_OK);
    expect_head(f->buffer, f->bytes, 1, 3, 2);
    gap = record(f->buffer, 0);
    expect_gap(gap, 1, 1, ROLLCALL_LOST_FULL);
    assert_int_equal(gap->mono_ns, event_mono_ns(1));
    expect_gap(record(f->buffer, 1), 2, 2, ROLLCALL_LOST_SKIPPED);
    post(f, 1);
    assert_int_equal(drain_into(f, &peer, 1, sizeof(f->buffer)), ENGINE_OK);
    expect_head(f->buffer, f->bytes, 4, 4, 1);
}

/* ---- losses ---- */

static void test_no_memory(void **state)
{
    struct fixture *f = *state;
    struct peer peer;

    attached(f, &peer, "service", 0);
    f->host.fail_all = true;
    assert_int_equal(post_sized(f, ROLLCALL_EXEC, BASE), ENGINE_LOST);
    assert_int_equal(post_sized(f, ROLLCALL_EXEC, 512), ENGINE_LOST);
    assert_int_equal(stats(f).lost[ROLLCALL_LOST_FAILED], 2);
    assert_int_equal(drain(f, &peer), ENGINE_OK);
    expect_head(f->buffer, f->bytes, 1, 2, 1);
    expect_gap(record(f->buffer, 0), 1, 2, ROLLCALL_LOST_FAILED);
    assert_int_equal(post_sized(f, ROLLCALL_EXEC, BASE), ENGINE_LOST);
    f->host.fail_all = false;
    post(f, 1);
    assert_int_equal(drain(f, &peer), ENGINE_OK);
    expect_head(f->buffer, f->bytes, 3, 4, 2);
    expect_gap(record(f->buffer, 0), 3, 1, ROLLCALL_LOST_FAILED);
    assert_int_equal(record(f->buffer, 0)->mono_ns, record(f->buffer, 1)->mono_ns);
    assert_int_equal(record(f->buffer, 1)->seq, 4);
    assert_int_equal(consumer_stats(f, 0).lost, 3);
    /* A successor is told again, in one piece. */
    engine_close(f->engine, peer.id);
    attached(f, &peer, "service", 0);
    assert_int_equal(drain(f, &peer), ENGINE_OK);
    expect_gap(record(f->buffer, 0), 1, 3, ROLLCALL_LOST_FAILED);
    assert_int_equal(consumer_stats(f, 0).lost, 3);
}

/* What is too large for the memory that is left is kept without its strings. */
static void test_memory_for_the_base(void **state)
{
    struct fixture *f = *state;
    struct peer peer;

    attached(f, &peer, "service", 0);
    post(f, 1);
    f->host.fail_all = true;
    assert_int_equal(post_sized(f, ROLLCALL_EXEC, 100u << 10), ENGINE_OK);
    assert_int_equal(stats(f).texts_cut, 1);
    expect_drained(f, &peer, 1, 2);
}

static void test_host_missed_some(void **state)
{
    struct fixture *f = *state;
    struct request *one = request_new(1024, false);
    struct peer peer;

    attached(f, &peer, "service", 0);
    fetch(f, &peer, one, 0);
    engine_post_lost(f->engine, ROLLCALL_LOST_SKIPPED, 0, 1);
    assert_false(one->done);
    engine_post_lost(f->engine, ROLLCALL_LOST_SKIPPED, 7, 123);
    assert_true(one->done);
    expect_head(one->data, one->bytes, 1, 7, 1);
    expect_gap(record(one->data, 0), 1, 7, ROLLCALL_LOST_SKIPPED);
    assert_int_equal(record(one->data, 0)->mono_ns, 123);
    engine_post_lost(f->engine, ROLLCALL_LOST_INTERRUPTED, 1, 124);
    assert_int_equal(stats(f).lost[ROLLCALL_LOST_SKIPPED], 7);
    assert_int_equal(stats(f).lost[ROLLCALL_LOST_INTERRUPTED], 1);
    post(f, 1);
    assert_int_equal(drain(f, &peer), ENGINE_OK);
    expect_gap(record(f->buffer, 0), 8, 1, ROLLCALL_LOST_INTERRUPTED);
    assert_int_equal(record(f->buffer, 0)->flags, ROLLCALL_UNCOUNTED);
    assert_int_equal(record(f->buffer, 1)->seq, 9);
    request_free(one);
}

/* One acknowledges in the middle of a gap, and is told the rest of it. */
static void test_gap_acknowledged_in_part(void **state)
{
    struct fixture *f = *state;
    struct peer peer;

    attached(f, &peer, "service", 0);
    engine_post_lost(f->engine, ROLLCALL_LOST_SKIPPED, 10, 1);
    post(f, 1);
    assert_int_equal(drain(f, &peer), ENGINE_OK);
    expect_head(f->buffer, f->bytes, 1, 11, 2);
    assert_int_equal(acknowledge(f, &peer, 4), ENGINE_OK);
    engine_close(f->engine, peer.id);
    attached(f, &peer, "service", 0);
    assert_int_equal(drain(f, &peer), ENGINE_OK);
    expect_head(f->buffer, f->bytes, 5, 11, 2);
    expect_gap(record(f->buffer, 0), 5, 6, ROLLCALL_LOST_SKIPPED);
}

/* More kinds of losses, one after the other, than there are places for: the numbers are exact. */
static void test_losses_merge(void **state)
{
    struct fixture *f = *state;
    const struct rollcall_event *gap = NULL;
    struct peer peer;
    uint64_t next;
    unsigned count;

    attached(f, &peer, "service", 0);
    for (unsigned i = 0; i < 40; i++)
        engine_post_lost(f->engine, i % 2 ? ROLLCALL_LOST_SKIPPED : ROLLCALL_LOST_INTERRUPTED,
                         i % 2 ? 3 : 1, i);
    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(drain(f, &peer), ENGINE_OK);
        count = ((const struct rollcall_reply *)(const void *)f->buffer)->count;
        next = 1;
        for (unsigned i = 0; i < count && next <= 80; i++) {
            gap = record(f->buffer, i);
            assert_int_equal(gap->type, ROLLCALL_GAP);
            assert_int_equal(gap->seq, next);
            next += gap->lost;
        }
        assert_int_equal(next, 81);
        assert_non_null(gap);
        assert_true(gap->flags & ROLLCALL_UNCOUNTED);
        engine_close(f->engine, peer.id);
        attached(f, &peer, "service", 0);
        if (round == 0)
            post(f, 1);
    }
    assert_int_equal(consumer_stats(f, 0).lost, 80);
    assert_int_equal(stats(f).lost[ROLLCALL_LOST_SKIPPED], 60);
    assert_int_equal(stats(f).lost[ROLLCALL_LOST_INTERRUPTED], 20);
}

/* A gap that is itself given up is counted once, and stays one of which the number is unknown. */
static void test_gap_given_up(void **state)
{
    struct fixture *f = *state;
    struct rollcall_engine_stats s;
    struct peer peer;

    attached(f, &peer, "service", 0);
    engine_post_lost(f->engine, ROLLCALL_LOST_SKIPPED, 10, 1);
    post(f, 1);
    engine_post_lost(f->engine, ROLLCALL_LOST_INTERRUPTED, 1, 1);
    post(f, 1000);
    s = stats(f);
    assert_true(s.oldest_seq > 13);
    assert_int_equal(s.lost[ROLLCALL_LOST_SKIPPED], 10);
    assert_int_equal(s.lost[ROLLCALL_LOST_INTERRUPTED], 1);
    assert_int_equal(s.lost[ROLLCALL_LOST_FULL], s.oldest_seq - 1 - 11);
    assert_int_equal(drain(f, &peer), ENGINE_OK);
    expect_gap(record(f->buffer, 0), 1, s.oldest_seq - 1, ROLLCALL_LOST_FULL);
    assert_int_equal(record(f->buffer, 0)->flags, ROLLCALL_UNCOUNTED);
}

/* What was acknowledged is not lost when it is given up with the rest of its block. */
static void test_acknowledged_part_is_not_lost(void **state)
{
    struct fixture *f = *state;
    struct peer peer;
    uint64_t oldest;

    attached(f, &peer, "service", 0);
    engine_post_lost(f->engine, ROLLCALL_LOST_SKIPPED, 10, 1);
    post(f, 10);
    assert_int_equal(drain(f, &peer), ENGINE_OK);
    assert_int_equal(acknowledge(f, &peer, 5), ENGINE_OK);
    post(f, 1000);
    oldest = stats(f).oldest_seq;
    assert_int_equal(stats(f).lost[ROLLCALL_LOST_FULL], oldest - 1 - 10);
    assert_int_equal(stats(f).lost[ROLLCALL_LOST_SKIPPED], 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_SMALL(test_budget_spent),
        TEST_SMALL(test_gap_in_the_middle),
        TEST_SMALL(test_nobody_there_keeps_the_newest),
        TEST(test_smaller_budget_at_once),
        TEST(test_budget_smaller_than_a_record),
        TEST(test_no_memory),
        TEST(test_memory_for_the_base),
        TEST(test_host_missed_some),
        TEST(test_gap_acknowledged_in_part),
        TEST(test_losses_merge),
        TEST_SMALL(test_gap_given_up),
        TEST_SMALL(test_acknowledged_part_is_not_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
