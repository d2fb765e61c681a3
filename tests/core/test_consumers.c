/* SPDX-License-Identifier: MIT */
/* Consumers come and go. */
#include "tests/core/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_one_owner_of_a_name(void **state)
{
    struct fixture *f = *state;
    struct peer one;
    struct peer two;

    assert_int_equal(attach(f, &one, "service", ROLLCALL_ATTACH_CONTINUE), ENGINE_ABSENT);
    attached(f, &one, "service", 0);
    assert_int_equal(attach(f, &two, "service", 0), ENGINE_BUSY);
    assert_int_equal(detach(f, "service"), ENGINE_BUSY);
    assert_int_equal(detach(f, "servic"), ENGINE_ABSENT);
    attached(f, &two, "services", 0);
    engine_close(f->engine, one.id);
    assert_int_equal(consumer_stats(f, 0).pid, 0);
    assert_int_equal(detach(f, "service"), ENGINE_OK);
    assert_int_equal(detach(f, "service"), ENGINE_ABSENT);
    assert_int_equal(consumer_stats(f, 0).pid, 4711);
    assert_int_equal(consumer_stats(f, 0).name_size, 8);
}

static void test_one_consumer_of_an_owner(void **state)
{
    struct fixture *f = *state;
    struct rollcall_attach request;
    struct peer peer;
    uint64_t id = 0;

    attached(f, &peer, "", 0);
    make_attach(&request, "other", 0);
    assert_int_equal(
        engine_attach(f->engine, &request, sizeof(request), &peer.owner, 1, &peer.attached, &id),
        ENGINE_BUSY);
    assert_int_equal(stats(f).consumers, 1);
}

static void test_closed(void **state)
{
    struct fixture *f = *state;
    struct rollcall_fetch fetch_request;
    struct rollcall_request plain;
    struct peer peer;
    struct peer next;

    attached(f, &peer, "", 0);
    engine_close(f->engine, peer.id);
    engine_close(f->engine, peer.id);
    engine_close(f->engine, 0);
    assert_int_equal(stats(f).consumers, 0);
    attached(f, &next, "", 0);
    engine_close(f->engine, peer.id);
    assert_int_equal(stats(f).consumers, 1);
    make_fetch(&fetch_request, 0);
    make_plain(&plain);
    assert_int_equal(engine_fetch(f->engine, peer.id, &fetch_request, sizeof(fetch_request)),
                     ENGINE_CLOSED);
    assert_int_equal(engine_wait(f->engine, peer.id, &plain, sizeof(plain)), ENGINE_CLOSED);
    assert_int_equal(engine_match(f->engine, peer.id), ENGINE_CLOSED);
    assert_int_equal(acknowledge(f, &peer, 0), ENGINE_CLOSED);
    assert_int_equal(drain(f, &peer), ENGINE_CLOSED);
    assert_int_equal(f->bytes, 0);
}

/* Nothing is taken from the queue of who is gone. */
static void test_closed_with_requests(void **state)
{
    struct fixture *f = *state;
    struct request *one = request_new(1024, false);
    struct peer peer;

    attached(f, &peer, "service", 0);
    fetch(f, &peer, one, 0);
    engine_close(f->engine, peer.id);
    post(f, 1);
    assert_false(one->done);
    assert_true(request_cancel(&f->host, &peer.owner, one));
    request_free(one);
}

/* What another thread does while the lock is free for a moment. */
static struct fixture *disturbed;
static struct peer *closing;

static void close_meanwhile(struct host *host)
{
    (void)host;
    engine_close(disturbed->engine, closing->id);
}

static void post_one_meanwhile(struct host *host)
{
    (void)host;
    post(disturbed, 1);
}

/* Requests, more than are completed at once; how many of them are done when something has come, and
 * another thread does that while the first of them are being completed. */
static unsigned complete_disturbed(struct fixture *f, void (*unlocked)(struct host *))
{
    struct request *requests[20];
    struct peer peer;
    unsigned done = 0;

    attached(f, &peer, "service", 0);
    for (unsigned i = 0; i < 20; i++) {
        requests[i] = request_new(sizeof(struct rollcall_ready), true);
        await(f, &peer, requests[i]);
    }
    disturbed = f;
    closing = &peer;
    f->host.unlocked = unlocked;
    post(f, 1);
    for (unsigned i = 0; i < 20; i++) {
        done += requests[i]->done;
        assert_int_not_equal(requests[i]->done, requests[i]->queued);
        request_cancel(&f->host, &peer.owner, requests[i]);
        request_free(requests[i]);
    }
    return done;
}

static void test_closed_meanwhile(void **state)
{
    assert_in_range(complete_disturbed(*state, close_meanwhile), 1, 19);
}

static void test_completed_meanwhile(void **state)
{
    assert_int_equal(complete_disturbed(*state, post_one_meanwhile), 20);
}

static void test_too_many_consumers(void **state)
{
    struct fixture *f = *state;
    struct peer peers[ROLLCALL_CONSUMERS_MAX];
    struct peer more;

    for (unsigned i = 0; i < ROLLCALL_CONSUMERS_MAX; i++)
        attached(f, &peers[i], "", 0);
    assert_int_equal(attach(f, &more, "", 0), ENGINE_LIMIT);
    assert_int_equal(attach(f, &more, "service", 0), ENGINE_LIMIT);
    engine_close(f->engine, peers[3].id);
    attached(f, &more, "service", 0);
    assert_int_equal(more.attached.continued, 0);
}

static void test_stats_that_do_not_fit(void **state)
{
    struct fixture *f = *state;
    struct rollcall_request request;
    struct rollcall_engine_stats *s = (void *)f->buffer;
    const size_t one = sizeof(struct rollcall_consumer_stats);
    struct peer peers[3];

    for (unsigned i = 0; i < 3; i++)
        attached(f, &peers[i], "", 0);
    make_plain(&request);
    assert_int_equal(
        engine_stats(f->engine, &request, sizeof(request), f->buffer, sizeof(*s) - 1, &f->bytes),
        ENGINE_TOO_SMALL);
    assert_int_equal(f->bytes, 0);
    assert_int_equal(engine_stats(f->engine, &request, sizeof(request), f->buffer,
                                  sizeof(*s) + 3 * one - 1, &f->bytes),
                     ENGINE_OK);
    assert_int_equal(s->consumers, 3);
    assert_int_equal(s->given, 2);
    assert_int_equal(f->bytes, sizeof(*s) + 2 * one);
    assert_int_equal(s->attached_ns, 3);
    assert_int_equal(s->epoch, HOST_EPOCH);
}

static void test_host_without_pended(void **state)
{
    struct fixture *f = *state;
    const struct engine_options options = {.budget = BUDGET, .record_max = 4096};
    struct rollcall_request request;
    struct rollcall_attach attach_request;
    struct peer peer;
    struct engine *engine = NULL;

    f->host.engine.pended = NULL;
    assert_int_equal(engine_create(&f->host.engine, &options, &engine), ENGINE_OK);
    owner_init(&peer.owner);
    make_attach(&attach_request, "", 0);
    assert_int_equal(engine_attach(engine, &attach_request, sizeof(attach_request), &peer.owner, 1,
                                   &peer.attached, &peer.id),
                     ENGINE_OK);
    make_plain(&request);
    assert_int_equal(
        engine_stats(engine, &request, sizeof(request), f->buffer, sizeof(f->buffer), &f->bytes),
        ENGINE_OK);
    engine_close(engine, peer.id);
    engine_destroy(engine);
}

static void test_create(void **state)
{
    struct fixture *f = *state;
    struct engine_options options = {.budget = BUDGET, .record_max = 4096};
    struct engine *engine = NULL;

    f->host.fail_all = true;
    assert_int_equal(engine_create(&f->host.engine, &options, &engine), ENGINE_NO_MEMORY);
    f->host.fail_all = false;
    options.budget = ROLLCALL_BUDGET_MIN - 1;
    assert_int_equal(engine_create(&f->host.engine, &options, &engine), ENGINE_INVALID);
    options.budget = ROLLCALL_BUDGET_MAX + 1ull;
    assert_int_equal(engine_create(&f->host.engine, &options, &engine), ENGINE_INVALID);
    options.budget = ROLLCALL_BUDGET_MAX;
    options.record_max = ROLLCALL_RECORD_MIN - 1;
    assert_int_equal(engine_create(&f->host.engine, &options, &engine), ENGINE_INVALID);
    options.record_max = ROLLCALL_RECORD_MAX + 1;
    assert_int_equal(engine_create(&f->host.engine, &options, &engine), ENGINE_INVALID);
    assert_null(engine);
    engine_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_owner_of_a_name),
        TEST(test_one_consumer_of_an_owner),
        TEST(test_closed),
        TEST(test_closed_with_requests),
        TEST(test_closed_meanwhile),
        TEST(test_completed_meanwhile),
        TEST(test_too_many_consumers),
        TEST(test_stats_that_do_not_fit),
        TEST(test_host_without_pended),
        TEST(test_create),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
