/* SPDX-License-Identifier: MIT */
/* The policy `deny`: who could not be told of is refused, and room is reserved for the end of who lives. */
#include "tests/core/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_nothing_is_refused_without_holder(void **state)
{
    struct fixture *f = *state;
    struct peer peer;

    attached(f, &peer, "", 0);
    f->host.fail_all = true;
    assert_int_equal(create(f), ENGINE_LOST);
    f->host.fail_all = false;
    for (f->posted = 0; f->posted < 2000; f->posted++)
        assert_int_equal(create(f), ENGINE_OK);
    assert_int_equal(stats(f).deny, 0);
    assert_int_equal(stats(f).denied, 0);
}

/* Everything that was let in ends, and all of it is there. */
static void test_refused_before_anything_is_lost(void **state)
{
    struct fixture *f = *state;
    uint32_t admitted;
    struct peer peer;

    attached(f, &peer, "service", 0);
    assert_int_equal(stats(f).deny, 1);
    assert_int_equal(consumer_stats(f, 0).deny, 1);
    while (create(f) == ENGINE_OK)
        f->posted++;
    admitted = f->posted;
    /* Two records each, but for a few blocks. */
    assert_in_range(admitted, ROLLCALL_BUDGET_MIN / BASE / 2 * 3 / 4,
                    ROLLCALL_BUDGET_MIN / BASE / 2);
    assert_int_equal(create(f), ENGINE_REFUSED);
    assert_int_equal(stats(f).denied, 2);
    assert_int_equal(stats(f).last_seq, admitted);
    f->host.fail_all = true;
    for (uint32_t i = 0; i < admitted; i++)
        assert_int_equal(post_sized(f, ROLLCALL_EXIT, BASE), ENGINE_OK);
    expect_drained(f, &peer, 1, 2ull * admitted);
    assert_int_equal(stats(f).lost[ROLLCALL_LOST_FULL], 0);
}

static void test_admitted_again(void **state)
{
    struct fixture *f = *state;
    struct peer peer;
    uint32_t admitted;

    attached(f, &peer, "service", 0);
    while (create(f) == ENGINE_OK)
        f->posted++;
    admitted = f->posted;
    expect_drained(f, &peer, 1, admitted);
    assert_int_equal(create(f), ENGINE_REFUSED);
    assert_int_equal(acknowledge(f, &peer, admitted), ENGINE_OK);
    assert_int_equal(create(f), ENGINE_OK);
    f->posted++;
    /* It ends with the handle of its holder. */
    while (create(f) == ENGINE_OK)
        f->posted++;
    engine_close(f->engine, peer.id);
    assert_int_equal(create(f), ENGINE_OK);
    assert_int_equal(stats(f).deny, 0);
}

static void test_forgotten_gives_room_back(void **state)
{
    struct fixture *f = *state;
    struct peer peer;
    unsigned forgotten = 0;

    attached(f, &peer, "service", 0);
    while (create(f) == ENGINE_OK)
        f->posted++;
    while (create(f) == ENGINE_REFUSED && forgotten < 100) {
        engine_forget(f->engine);
        forgotten++;
    }
    assert_in_range(forgotten, 1, 99);
    for (unsigned i = 0; i < 2000; i++)
        engine_forget(f->engine);
}

/* Who holds no policy does not make it hold for others. */
static void test_only_the_holders_events_count(void **state)
{
    struct fixture *f = *state;
    struct peer holder;
    struct peer other;

    attached(f, &other, "other", 0);
    engine_close(f->engine, other.id);
    attached(f, &holder, "", ROLLCALL_ATTACH_DENY | ROLLCALL_ATTACH_OLDEST);
    for (unsigned i = 0; i < 2000; i++) {
        assert_int_equal(create(f), ENGINE_OK);
        f->posted++;
        assert_int_equal(post_sized(f, ROLLCALL_EXIT, BASE), ENGINE_OK);
        expect_drained(f, &holder, 2 * i + 1, 2 * i + 2);
        assert_int_equal(acknowledge(f, &holder, 2 * i + 2), ENGINE_OK);
    }
    assert_true(stats(f).lost[ROLLCALL_LOST_FULL] > 0);
}

/* Exempt processes, and what else happens, cost what is old, but not the exits. */
static void test_others_leave_the_reserve(void **state)
{
    struct fixture *f = *state;
    struct peer peer;
    uint32_t admitted;
    uint32_t others;

    attached(f, &peer, "service", 0);
    for (admitted = 0; admitted < 50; admitted++, f->posted++)
        assert_int_equal(create(f), ENGINE_OK);
    expect_drained(f, &peer, 1, 50);
    for (others = 0; others < 1000; others++)
        assert_int_equal(post_sized(f, others % 2 ? ROLLCALL_CREATE : ROLLCALL_EXEC, 512),
                         ENGINE_OK);
    assert_true(stats(f).lost[ROLLCALL_LOST_FULL] > 0);
    f->host.fail_all = true;
    for (unsigned i = 0; i < admitted; i++)
        assert_int_equal(post_sized(f, ROLLCALL_EXIT, 512), ENGINE_OK);
}

static void drain_and_acknowledge(struct fixture *f, const struct peer *peer, uint64_t first,
                                  uint64_t last)
{
    expect_drained(f, peer, first, last);
    assert_int_equal(acknowledge(f, peer, last), ENGINE_OK);
}

/* The room that is kept for the ends does not go with what was acknowledged. */
static void test_reserve_outlives_acknowledgement(void **state)
{
    struct fixture *f = *state;
    struct peer peer;

    attached(f, &peer, "service", 0);
    for (uint32_t count = 1; count < 60; count++) {
        uint32_t before = f->posted;

        for (uint32_t i = 0; i < count; i++, f->posted++)
            assert_int_equal(create(f), ENGINE_OK);
        drain_and_acknowledge(f, &peer, before + 1, before + count);
        f->host.fail_all = true;
        for (uint32_t i = 0; i < count; i++)
            assert_int_equal(post_sized(f, ROLLCALL_EXIT, BASE), ENGINE_OK);
        f->host.fail_all = false;
        drain_and_acknowledge(f, &peer, before + count + 1, before + 2 * count);
    }
}

/* Each end takes its room with it, also when a gap has taken some of it. */
static void test_reserve_is_given_back(void **state)
{
    struct fixture *f = *state;
    struct peer peer;
    uint32_t admitted;

    attached(f, &peer, "service", 0);
    while (create(f) == ENGINE_OK)
        f->posted++;
    admitted = f->posted;
    engine_post_lost(f->engine, ROLLCALL_LOST_SKIPPED, 1, 1);
    for (uint32_t i = 0; i < admitted; i++)
        assert_int_equal(post_sized(f, ROLLCALL_EXIT, BASE), ENGINE_OK);
    assert_int_equal(drain(f, &peer), ENGINE_OK);
    assert_int_equal(acknowledge(f, &peer, 2ull * admitted + 1), ENGINE_OK);
    assert_true(stats(f).used <= 2 * ROLLCALL_BUDGET_MIN / 16);
}

/* A large record has one block, and the exits another. */
static void test_reserve_beside_a_large_record(void **state)
{
    struct fixture *f = *state;
    const uint32_t size = ROLLCALL_BUDGET_MIN / 4;
    struct peer peer;

    attached(f, &peer, "service", 0);
    make_event(f->event, ROLLCALL_CREATE, 1, size);
    assert_int_equal(engine_post_create(f->engine, (void *)f->event), ENGINE_OK);
    assert_true(stats(f).used <= size + 2 * ROLLCALL_BUDGET_MIN / 16);
    assert_int_equal(stats(f).texts_cut, 0);
}

/* One block is all of a budget that was made smaller, and it is kept for somebody else. */
static void test_others_only_block(void **state)
{
    struct fixture *f = *state;
    struct peer slow;
    struct peer holder;

    configure(f, BUDGET, 0);
    attached(f, &slow, "slow", 0);
    engine_close(f->engine, slow.id);
    attached(f, &holder, "", ROLLCALL_ATTACH_DENY);
    for (; f->posted < 100; f->posted++)
        assert_int_equal(create(f), ENGINE_OK);
    drain_and_acknowledge(f, &holder, 1, 100);
    configure(f, ROLLCALL_BUDGET_MIN, 0);
    for (uint32_t seq = 101; seq < 2000; seq++) {
        if (seq % 2) {
            assert_int_equal(create(f), ENGINE_OK);
            f->posted++;
        } else {
            assert_int_equal(post_sized(f, ROLLCALL_EXIT, BASE), ENGINE_OK);
        }
        drain_and_acknowledge(f, &holder, seq, seq);
        assert_true(stats(f).used <= ROLLCALL_BUDGET_MIN);
    }
}

/* The same, and there is no memory any more: what is given up is used again. */
static void test_others_only_block_without_memory(void **state)
{
    struct fixture *f = *state;
    struct peer slow;
    struct peer holder;

    configure(f, BUDGET, 0);
    attached(f, &slow, "slow", 0);
    engine_close(f->engine, slow.id);
    attached(f, &holder, "", ROLLCALL_ATTACH_DENY);
    for (; f->posted < 100; f->posted++)
        assert_int_equal(create(f), ENGINE_OK);
    drain_and_acknowledge(f, &holder, 1, 100);
    configure(f, ROLLCALL_BUDGET_MIN, 0);
    f->host.fail_all = true;
    for (uint32_t seq = 101; seq < 2000; seq += 2) {
        assert_int_equal(post_sized(f, ROLLCALL_EXIT, BASE), ENGINE_OK);
        drain_and_acknowledge(f, &holder, seq, seq);
        assert_int_equal(create(f), ENGINE_OK);
        f->posted++;
        drain_and_acknowledge(f, &holder, seq + 1, seq + 1);
    }
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(post_sized(f, ROLLCALL_EXIT, BASE), ENGINE_OK);
}

/* It begins when the log is full of what its holder has to read. */
static void test_begins_with_a_full_log(void **state)
{
    struct fixture *f = *state;
    struct peer peer;
    uint64_t acked;

    attached(f, &peer, "service", 0);
    engine_close(f->engine, peer.id);
    for (f->posted = 0; f->posted < 2000; f->posted++)
        assert_int_equal(create(f), ENGINE_OK);
    for (unsigned i = 0; i < 1990; i++)
        post_sized(f, ROLLCALL_EXIT, BASE);
    attached(f, &peer, "service", 0);
    assert_int_equal(create(f), ENGINE_REFUSED);
    assert_int_equal(post_sized(f, ROLLCALL_EXIT, 512), ENGINE_OK);
    assert_int_equal(post_sized(f, ROLLCALL_EXEC, 512), ENGINE_OK);
    assert_int_equal(drain(f, &peer), ENGINE_OK);
    acked = ((const struct rollcall_reply *)(const void *)f->buffer)->last_seq;
    assert_int_equal(acknowledge(f, &peer, acked), ENGINE_OK);
    assert_int_equal(create(f), ENGINE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_DENY(test_nothing_is_refused_without_holder),
        TEST_DENY(test_refused_before_anything_is_lost),
        TEST_DENY(test_admitted_again),
        TEST_DENY(test_forgotten_gives_room_back),
        TEST_SMALL(test_only_the_holders_events_count),
        TEST_DENY(test_others_leave_the_reserve),
        TEST_DENY(test_reserve_outlives_acknowledgement),
        TEST_DENY(test_reserve_is_given_back),
        TEST_DENY(test_reserve_beside_a_large_record),
        TEST_SMALL(test_others_only_block),
        TEST_SMALL(test_others_only_block_without_memory),
        TEST_DENY(test_begins_with_a_full_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
