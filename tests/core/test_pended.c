/* SPDX-License-Identifier: MIT */
/* Requests that wait for events, and events that wait for requests. */
#include "tests/core/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_request_waits_for_event(void **state)
{
    struct fixture *f = *state;
    struct request *one = request_new(1024, false);
    struct peer peer;

    attached(f, &peer, "", 0);
    fetch(f, &peer, one, 0);
    assert_false(one->done);
    post(f, 1);
    assert_true(one->done);
    assert_int_equal(one->status, ENGINE_OK);
    expect_events(one->data, one->bytes, 1, 1);
    fetch(f, &peer, one, 1);
    assert_false(one->done);
    assert_int_equal(consumer_stats(f, 0).acked_seq, 1);
    post(f, 1);
    expect_events(one->data, one->bytes, 2, 2);
    request_free(one);
}

static void test_event_waits_for_request(void **state)
{
    struct fixture *f = *state;
    struct request *one = request_new(HEAD + (size_t)2 * BASE, false);
    struct peer peer;

    attached(f, &peer, "", 0);
    post(f, 3);
    fetch(f, &peer, one, 0);
    assert_true(one->done);
    expect_events(one->data, one->bytes, 1, 2);
    fetch(f, &peer, one, 0);
    assert_true(one->done);
    expect_events(one->data, one->bytes, 3, 3);
    request_free(one);
}

static void test_oldest_request_first(void **state)
{
    struct fixture *f = *state;
    struct request *requests[ROLLCALL_PENDED_MAX];
    struct peer peer;

    attached(f, &peer, "", 0);
    for (unsigned i = 0; i < ROLLCALL_PENDED_MAX; i++) {
        requests[i] = request_new(1024, false);
        fetch(f, &peer, requests[i], 0);
    }
    assert_int_equal(consumer_stats(f, 0).pended, ROLLCALL_PENDED_MAX);
    for (unsigned i = 0; i < ROLLCALL_PENDED_MAX; i++) {
        assert_false(requests[i]->done);
        post(f, 1);
        assert_true(requests[i]->done);
        expect_events(requests[i]->data, requests[i]->bytes, i + 1, i + 1);
        request_free(requests[i]);
    }
    assert_int_equal(consumer_stats(f, 0).pended, 0);
}

/* More than fit into what is gathered under the lock at once. */
static void test_many_at_once(void **state)
{
    struct fixture *f = *state;
    struct request *requests[ROLLCALL_PENDED_MAX];
    struct rollcall_request bytes;
    struct peer peer;

    attached(f, &peer, "", 0);
    make_plain(&bytes);
    for (unsigned i = 0; i < ROLLCALL_PENDED_MAX; i++) {
        requests[i] = request_new(1024, true);
        await(f, &peer, requests[i]);
    }
    post(f, 1);
    for (unsigned i = 0; i < ROLLCALL_PENDED_MAX; i++) {
        assert_true(requests[i]->done);
        request_free(requests[i]);
    }
}

/* More bytes than are copied at once. */
static void test_much_at_once(void **state)
{
    struct fixture *f = *state;
    struct request *requests[3];
    const unsigned fit = ROLLCALL_REPLY_MAX / BASE;
    struct peer peer;

    attached(f, &peer, "", 0);
    post(f, 3 * fit);
    for (unsigned i = 0; i < 3; i++) {
        requests[i] = request_new(HEAD + ROLLCALL_REPLY_MAX, false);
        request_queue(&f->host, &peer.owner, requests[i]);
    }
    assert_int_equal(engine_match(f->engine, peer.id), ENGINE_OK);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(requests[i]->done);
        expect_events(requests[i]->data, requests[i]->bytes, 1ull * i * fit + 1, (i + 1ull) * fit);
        request_free(requests[i]);
    }
}

static void test_post_wakes_each_consumer(void **state)
{
    struct fixture *f = *state;
    struct peer peers[ROLLCALL_CONSUMERS_MAX];
    struct request *requests[ROLLCALL_CONSUMERS_MAX];

    for (unsigned i = 0; i < ROLLCALL_CONSUMERS_MAX; i++) {
        attached(f, &peers[i], "", 0);
        requests[i] = request_new(1024, false);
        fetch(f, &peers[i], requests[i], 0);
    }
    post(f, 1);
    for (unsigned i = 0; i < ROLLCALL_CONSUMERS_MAX; i++) {
        assert_true(requests[i]->done);
        expect_events(requests[i]->data, requests[i]->bytes, 1, 1);
        request_free(requests[i]);
    }
}

/* The next, larger one gets the record that did not fit. */
static void test_pended_too_small(void **state)
{
    struct fixture *f = *state;
    struct request *tiny = request_new(HEAD - 8, false);
    struct request *small = request_new(HEAD + 256, false);
    struct request *large = request_new(HEAD + 512, false);
    struct peer peer;

    attached(f, &peer, "", 0);
    fetch(f, &peer, tiny, 0);
    fetch(f, &peer, small, 0);
    fetch(f, &peer, large, 0);
    post_sized(f, ROLLCALL_EXEC, 512);
    assert_true(tiny->done);
    assert_int_equal(tiny->status, ENGINE_TOO_SMALL);
    assert_int_equal(tiny->bytes, 0);
    assert_true(small->done);
    assert_int_equal(small->status, ENGINE_TOO_SMALL);
    expect_head(small->data, small->bytes, 1, 0, 0);
    assert_int_equal(((const struct rollcall_reply *)(const void *)small->data)->size, 512);
    assert_true(large->done);
    assert_int_equal(large->status, ENGINE_OK);
    assert_true(is_event(record(large->data, 0), 1, 512));
    request_free(tiny);
    request_free(small);
    request_free(large);
}

static void test_wait_takes_nothing(void **state)
{
    struct fixture *f = *state;
    struct request *wait = request_new(sizeof(struct rollcall_ready), true);
    struct request *tiny = request_new(8, true);
    const struct rollcall_ready *ready = (const void *)wait->data;
    struct peer peer;

    attached(f, &peer, "", 0);
    await(f, &peer, wait);
    await(f, &peer, tiny);
    assert_false(wait->done);
    post(f, 1);
    assert_true(wait->done);
    assert_int_equal(wait->status, ENGINE_OK);
    assert_int_equal(wait->bytes, sizeof(*ready));
    assert_int_equal(ready->next_seq, 1);
    assert_int_equal(ready->last_seq, 1);
    assert_int_equal(tiny->status, ENGINE_TOO_SMALL);
    assert_int_equal(tiny->bytes, 0);
    await(f, &peer, wait);
    assert_true(wait->done);
    expect_drained(f, &peer, 1, 1);
    request_free(wait);
    request_free(tiny);
}

/* DMF, bug 2: the request vanishes, the event that came for it is there for the next one. */
static void test_cancelled_request(void **state)
{
    struct fixture *f = *state;
    struct request *one = request_new(1024, false);
    struct peer peer;

    attached(f, &peer, "", 0);
    fetch(f, &peer, one, 0);
    assert_true(request_cancel(&f->host, &peer.owner, one));
    post(f, 2);
    assert_false(one->done);
    fetch(f, &peer, one, 0);
    assert_true(one->done);
    expect_events(one->data, one->bytes, 1, 2);
    request_free(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_request_waits_for_event),
        TEST(test_event_waits_for_request),
        TEST(test_oldest_request_first),
        TEST(test_many_at_once),
        TEST(test_much_at_once),
        TEST(test_post_wakes_each_consumer),
        TEST(test_pended_too_small),
        TEST(test_wait_takes_nothing),
        TEST(test_cancelled_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
