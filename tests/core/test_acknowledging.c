/* SPDX-License-Identifier: MIT */
/* What is not acknowledged is delivered again; what all have acknowledged is freed. */
#include "tests/core/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_redelivered_until_acknowledged(void **state)
{
    struct fixture *f = *state;
    struct peer peer;

    attached(f, &peer, "service", 0);
    post(f, 5);
    expect_drained(f, &peer, 1, 5);
    assert_int_equal(acknowledge(f, &peer, 2), ENGINE_OK);
    engine_close(f->engine, peer.id);
    post(f, 1);
    attached(f, &peer, "service", ROLLCALL_ATTACH_CONTINUE);
    assert_int_equal(peer.attached.continued, 1);
    assert_int_equal(peer.attached.acked_seq, 2);
    assert_int_equal(peer.attached.last_seq, 6);
    expect_drained(f, &peer, 3, 6);
}

static void test_acknowledges_only_what_was_delivered(void **state)
{
    struct fixture *f = *state;
    struct peer peer;

    attached(f, &peer, "service", 0);
    post(f, 5);
    assert_int_equal(acknowledge(f, &peer, 1), ENGINE_INVALID);
    assert_int_equal(drain_into(f, &peer, 1, sizeof(f->buffer)), ENGINE_INVALID);
    assert_int_equal(f->bytes, 0);
    assert_int_equal(drain_into(f, &peer, 0, HEAD + (size_t)3 * BASE), ENGINE_OK);
    assert_int_equal(acknowledge(f, &peer, 4), ENGINE_INVALID);
    assert_int_equal(acknowledge(f, &peer, 3), ENGINE_OK);
    assert_int_equal(acknowledge(f, &peer, 2), ENGINE_OK);
    assert_int_equal(acknowledge(f, &peer, 0), ENGINE_OK);
    assert_int_equal(acknowledge(f, &peer, UINT64_MAX), ENGINE_INVALID);
    assert_int_equal(consumer_stats(f, 0).acked_seq, 3);
    assert_int_equal(consumer_stats(f, 0).delivered_seq, 3);
}

static void test_memory_is_given_back(void **state)
{
    struct fixture *f = *state;
    size_t before = f->host.allocated;
    struct peer peer;
    uint64_t acked = 0;

    attached(f, &peer, "service", 0);
    post(f, 7000);
    assert_true(f->host.allocated > before + (size_t)7000 * BASE);
    while (drain_into(f, &peer, acked, sizeof(f->buffer)) == ENGINE_OK)
        acked = ((const struct rollcall_reply *)(const void *)f->buffer)->last_seq;
    assert_int_equal(acked, 7000);
    /* One spare block. */
    assert_true(f->host.allocated <= before + (64u << 10));
    assert_int_equal(stats(f).used, f->host.allocated - before);
}

/* What one has not acknowledged is kept, whatever the others do. */
static void test_kept_for_the_slowest(void **state)
{
    struct fixture *f = *state;
    struct peer fast;
    struct peer slow;

    attached(f, &fast, "fast", 0);
    attached(f, &slow, "slow", 0);
    post(f, 2000);
    expect_drained(f, &fast, 1, 2000);
    assert_int_equal(acknowledge(f, &fast, 2000), ENGINE_OK);
    engine_close(f->engine, slow.id);
    assert_int_equal(stats(f).oldest_seq, 1);
    attached(f, &slow, "slow", 0);
    expect_drained(f, &slow, 1, 2000);
    engine_close(f->engine, slow.id);
    assert_int_equal(detach(f, "slow"), ENGINE_OK);
    assert_int_equal(stats(f).oldest_seq, 0);
}

/* More blocks than are looked at before the lock is given back. */
#define MANY_EVENTS 60000u

static void drain_many(struct fixture *f, const struct peer *peer, uint64_t first)
{
    for (uint64_t seq = first; seq <= MANY_EVENTS;) {
        uint64_t last = seq - 1 + ROLLCALL_REPLY_MAX / BASE;

        last = last < MANY_EVENTS ? last : MANY_EVENTS;
        expect_drained(f, peer, seq, last);
        seq = last + 1;
    }
}

static void test_many_acknowledged_at_once(void **state)
{
    struct fixture *f = *state;
    struct peer peer;

    configure(f, ROLLCALL_BUDGET_MAX, 0);
    attached(f, &peer, "service", 0);
    post(f, MANY_EVENTS);
    assert_int_equal(drain_into(f, &peer, 0, HEAD + (size_t)10 * BASE), ENGINE_OK);
    assert_int_equal(acknowledge(f, &peer, 5), ENGINE_OK);
    drain_many(f, &peer, 11);
    /* Its successor begins there, wherever what was noted of the place stands. */
    assert_int_equal(acknowledge(f, &peer, 50000), ENGINE_OK);
    assert_int_equal(stats(f).oldest_seq, 50001);
    engine_close(f->engine, peer.id);
    attached(f, &peer, "service", 0);
    drain_many(f, &peer, 50001);
    assert_int_equal(acknowledge(f, &peer, MANY_EVENTS), ENGINE_OK);
    assert_true(stats(f).used <= 64u << 10);
}

/* What another thread does while the lock is free for a moment. */
static struct fixture *disturbed;

static void post_meanwhile(struct host *host)
{
    (void)host;
    post(disturbed, MANY_EVENTS);
}

/* The budget is spent on blocks that nobody needs and that are just being given back. */
static void test_acknowledged_blocks_are_not_lost(void **state)
{
    struct fixture *f = *state;
    struct peer peer;

    configure(f, MANY_EVENTS * BASE + (64u << 10) * 4, 0);
    attached(f, &peer, "service", 0);
    post(f, MANY_EVENTS);
    drain_many(f, &peer, 1);
    disturbed = f;
    f->host.unlocked = post_meanwhile;
    assert_int_equal(acknowledge(f, &peer, MANY_EVENTS), ENGINE_OK);
    assert_int_equal(stats(f).last_seq, 2 * MANY_EVENTS);
    assert_int_equal(stats(f).oldest_seq, MANY_EVENTS + 1);
    assert_int_equal(stats(f).lost[ROLLCALL_LOST_FULL], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_redelivered_until_acknowledged), TEST(test_acknowledges_only_what_was_delivered),
        TEST(test_memory_is_given_back),           TEST(test_kept_for_the_slowest),
        TEST(test_many_acknowledged_at_once),      TEST(test_acknowledged_blocks_are_not_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
