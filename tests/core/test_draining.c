/* SPDX-License-Identifier: MIT */
/* What is posted comes out again, in order, for each consumer in its own place. */
#include "tests/core/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_empty(void **state)
{
    struct fixture *f = *state;
    struct peer peer;

    attached(f, &peer, "", 0);
    assert_int_equal(peer.attached.epoch, HOST_EPOCH);
    assert_int_equal(peer.attached.acked_seq, 0);
    assert_int_equal(peer.attached.last_seq, 0);
    assert_int_equal(peer.attached.wall_offset_ns, 5);
    assert_int_equal(peer.attached.record_max, BUDGET / 4);
    assert_int_equal(peer.attached.continued, 0);
    assert_int_equal(drain(f, &peer), ENGINE_NOTHING);
    expect_head(f->buffer, f->bytes, 1, 0, 0);
    assert_int_equal(stats(f).oldest_seq, 0);
}

static void test_in_order(void **state)
{
    struct fixture *f = *state;
    struct peer peer;

    attached(f, &peer, "", 0);
    post(f, 3);
    expect_drained(f, &peer, 1, 3);
    assert_int_equal(drain(f, &peer), ENGINE_NOTHING);
    expect_head(f->buffer, f->bytes, 4, 3, 0);
    post(f, 1);
    expect_drained(f, &peer, 4, 4);
}

static void test_across_blocks(void **state)
{
    struct fixture *f = *state;
    struct peer peer;

    attached(f, &peer, "", 0);
    for (uint32_t i = 1; i <= 100; i++)
        assert_int_equal(post_sized(f, ROLLCALL_EXEC, BASE + 16 + 8 * i), ENGINE_OK);
    for (uint32_t i = 1; i <= 100; i++) {
        assert_int_equal(drain_into(f, &peer, 0, HEAD + BASE + 16 + (size_t)8 * i), ENGINE_OK);
        expect_head(f->buffer, f->bytes, i, i, 1);
        assert_true(is_event(record(f->buffer, 0), i, BASE + 16 + 8 * i));
    }
    post_sized(f, ROLLCALL_EXEC, 100u << 10);
    post_sized(f, ROLLCALL_EXEC, BUDGET / 4);
    assert_int_equal(drain(f, &peer), ENGINE_OK);
    expect_head(f->buffer, f->bytes, 101, 101, 1);
    assert_int_equal(drain(f, &peer), ENGINE_OK);
    assert_true(is_event(record(f->buffer, 0), 102, BUDGET / 4));
}

static void test_from_now(void **state)
{
    struct fixture *f = *state;
    struct peer late;
    struct peer durable;

    post(f, 5);
    attached(f, &late, "", 0);
    attached(f, &durable, "service", 0);
    assert_int_equal(late.attached.acked_seq, 5);
    assert_int_equal(late.attached.last_seq, 5);
    post(f, 1);
    expect_drained(f, &late, 6, 6);
    expect_drained(f, &durable, 6, 6);
}

static void test_from_oldest(void **state)
{
    struct fixture *f = *state;
    struct peer peer;

    post(f, 5);
    attached(f, &peer, "service", ROLLCALL_ATTACH_OLDEST);
    assert_int_equal(peer.attached.acked_seq, 0);
    expect_drained(f, &peer, 1, 5);
}

static void test_oldest_is_behind_what_all_acknowledged(void **state)
{
    struct fixture *f = *state;
    struct peer peer;
    struct peer second;

    attached(f, &peer, "service", 0);
    post(f, 5);
    expect_drained(f, &peer, 1, 5);
    assert_int_equal(acknowledge(f, &peer, 3), ENGINE_OK);
    assert_int_equal(stats(f).oldest_seq, 4);
    attached(f, &second, "", ROLLCALL_ATTACH_OLDEST);
    assert_int_equal(second.attached.acked_seq, 3);
    expect_drained(f, &second, 4, 5);
}

static void test_each_its_own_place(void **state)
{
    struct fixture *f = *state;
    struct peer a;
    struct peer b;

    attached(f, &a, "a", 0);
    attached(f, &b, "b", 0);
    post(f, 2);
    expect_drained(f, &a, 1, 2);
    post(f, 2);
    expect_drained(f, &a, 3, 4);
    expect_drained(f, &b, 1, 4);
}

static void test_too_small(void **state)
{
    struct fixture *f = *state;
    const struct rollcall_reply *reply = (const void *)f->buffer;
    struct peer peer;

    attached(f, &peer, "", 0);
    post_sized(f, ROLLCALL_EXEC, 512);
    post(f, 1);
    assert_int_equal(drain_into(f, &peer, 0, HEAD - 8), ENGINE_TOO_SMALL);
    assert_int_equal(f->bytes, 0);
    assert_int_equal(drain_into(f, &peer, 0, HEAD + 504), ENGINE_TOO_SMALL);
    expect_head(f->buffer, f->bytes, 1, 0, 0);
    assert_int_equal(reply->size, 512);
    assert_int_equal(drain_into(f, &peer, 0, HEAD + 512 + BASE - 8), ENGINE_OK);
    expect_head(f->buffer, f->bytes, 1, 1, 1);
    assert_true(is_event(record(f->buffer, 0), 1, 512));
    expect_drained(f, &peer, 2, 2);
}

static void test_reply_has_a_bound(void **state)
{
    struct fixture *f = *state;
    struct peer peer;
    const uint32_t fit = ROLLCALL_REPLY_MAX / BASE;

    attached(f, &peer, "", 0);
    post(f, fit + 1);
    expect_drained(f, &peer, 1, fit);
    expect_drained(f, &peer, fit + 1, fit + 1);
}

/* Who posts it may have cut them before. */
static void test_strings_cut_by_the_host(void **state)
{
    struct fixture *f = *state;
    struct rollcall_text *first = (void *)((struct rollcall_event *)(void *)f->event + 1);
    struct rollcall_text *second = first + 1;

    make_event(f->event, ROLLCALL_CREATE, 1, BASE + 2 * sizeof(*first) + 8);
    first->size = 0;
    *second = (struct rollcall_text){.field = ROLLCALL_USER, .size = 8, .full_size = 8};
    assert_int_equal(engine_post(f->engine, (void *)f->event), ENGINE_OK);
    assert_int_equal(stats(f).texts_cut, 0);
    second->flags = ROLLCALL_TEXT_CUT | ROLLCALL_TEXT_INEXACT;
    assert_int_equal(engine_post(f->engine, (void *)f->event), ENGINE_OK);
    assert_int_equal(stats(f).texts_cut, 1);
    first->flags = ROLLCALL_TEXT_CUT;
    assert_int_equal(engine_post(f->engine, (void *)f->event), ENGINE_OK);
    assert_int_equal(stats(f).texts_cut, 2);
    second->flags = ROLLCALL_TEXT_UNREADABLE;
    first->flags = 0;
    assert_int_equal(engine_post(f->engine, (void *)f->event), ENGINE_OK);
    assert_int_equal(stats(f).texts_cut, 2);
}

static void test_request_may_lie_in_the_buffer(void **state)
{
    struct fixture *f = *state;
    struct rollcall_fetch request;
    struct peer peer;

    attached(f, &peer, "", 0);
    post(f, 2);
    make_fetch(&request, 0);
    memcpy(f->buffer, &request, sizeof(request));
    assert_int_equal(engine_drain(f->engine, peer.id, f->buffer, sizeof(request), f->buffer,
                                  sizeof(f->buffer), &f->bytes),
                     ENGINE_OK);
    expect_events(f->buffer, f->bytes, 1, 2);
}

static void test_strings_too_long(void **state)
{
    struct fixture *f = *state;
    struct peer peer;

    attached(f, &peer, "", 0);
    configure(f, 0, ROLLCALL_RECORD_MIN);
    assert_int_equal(stats(f).record_max, ROLLCALL_RECORD_MIN);
    assert_int_equal(post_sized(f, ROLLCALL_EXEC, ROLLCALL_RECORD_MIN), ENGINE_OK);
    assert_int_equal(post_sized(f, ROLLCALL_EXEC, ROLLCALL_RECORD_MIN + 8), ENGINE_OK);
    assert_int_equal(stats(f).texts_cut, 1);
    assert_int_equal(drain(f, &peer), ENGINE_OK);
    expect_head(f->buffer, f->bytes, 1, 2, 2);
    assert_true(is_event(record(f->buffer, 0), 1, ROLLCALL_RECORD_MIN));
    assert_true(is_event(record(f->buffer, 1), 2, BASE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_empty),
        TEST(test_in_order),
        TEST(test_across_blocks),
        TEST(test_from_now),
        TEST(test_from_oldest),
        TEST(test_oldest_is_behind_what_all_acknowledged),
        TEST(test_each_its_own_place),
        TEST(test_too_small),
        TEST(test_reply_has_a_bound),
        TEST(test_request_may_lie_in_the_buffer),
        TEST(test_strings_too_long),
        TEST(test_strings_cut_by_the_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
