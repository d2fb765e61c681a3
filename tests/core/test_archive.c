/* SPDX-License-Identifier: MIT */
/* The engine of a host that has an archive, and events that have their numbers. */
#include "tests/core/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE  ((uint32_t)sizeof(struct rollcall_event))
#define HEAD  sizeof(struct rollcall_reply)
#define BEGIN 1000u /* numbers go on behind it */

struct fixture {
    struct host host;
    struct engine *engine;
    const void *told_owner; /* who is behind, as the host was told last */
    uint64_t told_seq;
    unsigned told;
    size_t posted;
    size_t bytes;
    uint64_t events[(256u << 10) / sizeof(uint64_t)];
    size_t size; /* of `events` */
    uint64_t buffer[(HEAD + ROLLCALL_REPLY_MAX) / sizeof(uint64_t)];
};

static struct fixture *current;

static void behind(void *context, void *owner, uint64_t next_seq)
{
    const struct host *host = context;

    assert_true(host->locked);
    current->told_owner = owner;
    current->told_seq = next_seq;
    current->told++;
}

static int setup(void **state)
{
    const struct engine_options options = {.epoch = HOST_EPOCH,
                                           .budget = ROLLCALL_BUDGET_MIN,
                                           .record_max = ROLLCALL_RECORD_MAX,
                                           .last_seq = BEGIN};
    struct fixture *f = calloc(1, sizeof(*f));

    current = f;
    host_init(&f->host);
    f->host.engine.behind = behind;
    assert_int_equal(engine_create(&f->host.engine, &options, &f->engine), ENGINE_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    engine_destroy(f->engine);
    host_destroy(&f->host);
    free(f);
    return 0;
}

/* ---- shorthands ---- */

static struct rollcall_event *add(struct fixture *f, uint64_t seq, uint32_t size)
{
    struct rollcall_event *event = (void *)((char *)f->events + f->size);

    make_event(event, ROLLCALL_EXEC, (uint32_t)seq, size);
    event->seq = seq;
    f->size += size;
    return event;
}

static void add_gap(struct fixture *f, uint64_t seq, uint64_t lost)
{
    struct rollcall_event *event = add(f, seq, BASE);

    event->type = ROLLCALL_GAP;
    event->flags = ROLLCALL_AT_MOST;
    event->reason = ROLLCALL_LOST_SKIPPED;
    event->lost = lost;
}

static enum engine_status post(struct fixture *f)
{
    enum engine_status status = engine_post_numbered(f->engine, f->events, f->size, &f->posted);

    f->size = 0;
    return status;
}

static void post_events(struct fixture *f, uint64_t first, uint64_t last)
{
    for (uint64_t seq = first; seq <= last; seq++)
        add(f, seq, BASE);
    assert_int_equal(post(f), ENGINE_OK);
}

static enum engine_status drain(struct fixture *f, uint64_t consumer)
{
    struct rollcall_fetch request;

    make_fetch(&request, 0);
    return engine_drain(f->engine, consumer, &request, sizeof(request), f->buffer,
                        sizeof(f->buffer), &f->bytes);
}

static const struct rollcall_reply *reply(const struct fixture *f)
{
    return (const void *)f->buffer;
}

static const struct rollcall_event *record(const struct fixture *f, unsigned index)
{
    return (const struct rollcall_event *)(const void *)(reply(f) + 1) + index;
}

static void expect(struct fixture *f, uint64_t consumer, uint64_t first, uint64_t last)
{
    assert_int_equal(drain(f, consumer), ENGINE_OK);
    assert_int_equal(reply(f)->first_seq, first);
    assert_int_equal(reply(f)->last_seq, last);
    assert_int_equal(record(f, 0)->seq, first);
}

static struct rollcall_engine_stats stats(struct fixture *f)
{
    struct rollcall_engine_stats out;
    struct rollcall_request request;

    make_plain(&request);
    assert_int_equal(
        engine_stats(f->engine, &request, sizeof(request), &out, sizeof(out), &f->bytes),
        ENGINE_OK);
    return out;
}

/* ---- numbers ---- */

static void test_numbers_go_on(void **state)
{
    struct fixture *f = *state;
    struct owner owner;
    uint64_t consumer;

    owner_init(&owner);
    assert_int_equal(stats(f).last_seq, BEGIN);
    assert_int_equal(engine_attach_at(f->engine, BEGIN, &owner, 1, &consumer), ENGINE_OK);
    assert_int_equal(drain(f, consumer), ENGINE_NOTHING);
    assert_int_equal(reply(f)->first_seq, BEGIN + 1);
    post_events(f, BEGIN + 1, BEGIN + 200);
    expect(f, consumer, BEGIN + 1, BEGIN + 200);
    assert_true(is_event(record(f, 199), BEGIN + 200, BASE));
}

static void test_what_it_has_is_passed_over(void **state)
{
    struct fixture *f = *state;
    struct owner owner;
    uint64_t consumer;

    owner_init(&owner);
    assert_int_equal(engine_attach_at(f->engine, BEGIN, &owner, 1, &consumer), ENGINE_OK);
    post_events(f, BEGIN - 10, BEGIN + 5);
    post_events(f, BEGIN + 3, BEGIN + 8);
    expect(f, consumer, BEGIN + 1, BEGIN + 8);
    assert_int_equal(reply(f)->count, 8);
}

static void test_a_number_is_missing(void **state)
{
    struct fixture *f = *state;

    add(f, BEGIN + 1, BASE);
    add(f, BEGIN + 3, BASE);
    assert_int_equal(post(f), ENGINE_INVALID);
    assert_int_equal(f->posted, BASE);
    assert_int_equal(stats(f).last_seq, BEGIN + 1);
}

/* They stand where they stood, each by itself. */
static void test_gaps_with_numbers(void **state)
{
    struct fixture *f = *state;
    struct owner owner;
    uint64_t consumer;

    owner_init(&owner);
    assert_int_equal(engine_attach_at(f->engine, BEGIN, &owner, 1, &consumer), ENGINE_OK);
    add_gap(f, BEGIN + 1, 10);
    add_gap(f, BEGIN + 11, 5);
    add(f, BEGIN + 16, BASE);
    assert_int_equal(post(f), ENGINE_OK);
    expect(f, consumer, BEGIN + 1, BEGIN + 16);
    assert_int_equal(reply(f)->count, 3);
    assert_int_equal(record(f, 0)->lost, 10);
    assert_int_equal(record(f, 0)->flags, ROLLCALL_AT_MOST);
    assert_int_equal(record(f, 1)->seq, BEGIN + 11);
    assert_int_equal(record(f, 1)->lost, 5);
    assert_int_equal(stats(f).lost[ROLLCALL_LOST_SKIPPED], 15);
    /* In the middle of one. */
    engine_close(f->engine, consumer);
    assert_int_equal(engine_attach_at(f->engine, BEGIN + 4, &owner, 1, &consumer), ENGINE_OK);
    expect(f, consumer, BEGIN + 5, BEGIN + 16);
    assert_int_equal(record(f, 0)->lost, 6);
}

/* Nothing becomes a gap, and nothing is forgotten. */
static void test_no_memory(void **state)
{
    struct fixture *f = *state;
    struct owner owner;
    uint64_t consumer;

    owner_init(&owner);
    assert_int_equal(engine_attach_at(f->engine, BEGIN, &owner, 1, &consumer), ENGINE_OK);
    f->host.fail_all = true;
    add(f, BEGIN + 1, BASE);
    assert_int_equal(post(f), ENGINE_NO_MEMORY);
    assert_int_equal(f->posted, 0);
    assert_int_equal(drain(f, consumer), ENGINE_NOTHING);
    f->host.fail_all = false;
    post_events(f, BEGIN + 1, BEGIN + 1);
    expect(f, consumer, BEGIN + 1, BEGIN + 1);
    assert_int_equal(stats(f).lost[ROLLCALL_LOST_FAILED], 0);
}

static void test_posting_answers_who_waits(void **state)
{
    struct fixture *f = *state;
    struct request *request = request_new(HEAD + 200ul * BASE, false);
    struct rollcall_fetch fetch;
    struct owner owner;
    uint64_t consumer;

    owner_init(&owner);
    make_fetch(&fetch, 0);
    assert_int_equal(engine_attach_at(f->engine, BEGIN, &owner, 1, &consumer), ENGINE_OK);
    assert_int_equal(engine_fetch(f->engine, consumer, &fetch, sizeof(fetch)), ENGINE_OK);
    request_queue(&f->host, &owner, request);
    assert_int_equal(engine_match(f->engine, consumer), ENGINE_OK);
    post_events(f, BEGIN + 1, BEGIN + 30);
    assert_true(request->done);
    /* All that was posted at once, in one answer. */
    assert_int_equal(((const struct rollcall_reply *)(const void *)request->data)->count, 30);
    request_free(request);
}

/* ---- places ---- */

static void test_attach_at(void **state)
{
    struct fixture *f = *state;
    struct owner owner;
    struct owner other;
    uint64_t consumer;
    uint64_t second;

    owner_init(&owner);
    owner_init(&other);
    post_events(f, BEGIN + 1, BEGIN + 60);
    assert_int_equal(engine_attach_at(f->engine, BEGIN + 61, &owner, 1, &consumer), ENGINE_INVALID);
    assert_int_equal(engine_attach_at(f->engine, BEGIN - 1, &owner, 1, &consumer), ENGINE_BEHIND);
    assert_int_equal(engine_attach_at(f->engine, BEGIN + 40, &owner, 1, &consumer), ENGINE_OK);
    assert_int_equal(engine_attach_at(f->engine, BEGIN + 50, &owner, 1, &second), ENGINE_BUSY);
    expect(f, consumer, BEGIN + 41, BEGIN + 60);
    assert_int_equal(engine_attach_at(f->engine, BEGIN + 60, &other, 2, &second), ENGINE_OK);
    assert_int_equal(drain(f, second), ENGINE_NOTHING);
    post_events(f, BEGIN + 61, BEGIN + 61);
    expect(f, second, BEGIN + 61, BEGIN + 61);
    expect(f, consumer, BEGIN + 61, BEGIN + 61);
}

static void test_attach_at_limit(void **state)
{
    struct fixture *f = *state;
    struct owner owners[ROLLCALL_CONSUMERS_MAX + 1];
    uint64_t consumer;

    for (unsigned i = 0; i <= ROLLCALL_CONSUMERS_MAX; i++)
        assert_int_equal(engine_attach_at(f->engine, BEGIN, &owners[i], i, &consumer),
                         i < ROLLCALL_CONSUMERS_MAX ? ENGINE_OK : ENGINE_LIMIT);
}

/* ---- behind ---- */

static void fill(struct fixture *f)
{
    for (uint64_t seq = BEGIN + 1; stats(f).oldest_seq <= BEGIN + 100; seq += 10)
        post_events(f, seq, seq + 9);
}

static void test_drain_behind(void **state)
{
    struct fixture *f = *state;
    struct owner owner;
    uint64_t consumer;
    uint64_t oldest;

    owner_init(&owner);
    assert_int_equal(engine_attach_at(f->engine, BEGIN + 0, &owner, 1, &consumer), ENGINE_OK);
    post_events(f, BEGIN + 1, BEGIN + 3);
    expect(f, consumer, BEGIN + 1, BEGIN + 3);
    fill(f);
    assert_int_equal(f->told, 0);
    assert_int_equal(drain(f, consumer), ENGINE_BEHIND);
    assert_int_equal(f->bytes, 0);
    assert_int_equal(f->told, 1);
    assert_ptr_equal(f->told_owner, &owner);
    assert_int_equal(f->told_seq, BEGIN + 4);
    /* It is in the archive: nothing is lost. */
    assert_int_equal(stats(f).lost[ROLLCALL_LOST_FULL], 0);
    oldest = stats(f).oldest_seq;
    engine_close(f->engine, consumer);
    assert_int_equal(engine_attach_at(f->engine, oldest - 2, &owner, 1, &consumer), ENGINE_BEHIND);
    assert_int_equal(engine_attach_at(f->engine, oldest - 1, &owner, 1, &consumer), ENGINE_OK);
    expect(f, consumer, oldest, stats(f).last_seq);
}

/* It stays in the queue, which is the host's from then on. */
static void test_fetch_behind(void **state)
{
    struct fixture *f = *state;
    struct request *request = request_new(1024, false);
    struct rollcall_fetch fetch;
    struct owner owner;
    uint64_t consumer;

    owner_init(&owner);
    make_fetch(&fetch, 0);
    assert_int_equal(engine_attach_at(f->engine, BEGIN, &owner, 1, &consumer), ENGINE_OK);
    fill(f);
    assert_int_equal(engine_fetch(f->engine, consumer, &fetch, sizeof(fetch)), ENGINE_OK);
    request_queue(&f->host, &owner, request);
    assert_int_equal(engine_match(f->engine, consumer), ENGINE_OK);
    assert_int_equal(f->told, 1);
    assert_int_equal(f->told_seq, BEGIN + 1);
    post_events(f, stats(f).last_seq + 1, stats(f).last_seq + 1);
    assert_int_equal(f->told, 1);
    assert_false(request->done);
    assert_true(request_cancel(&f->host, &owner, request));
    request_free(request);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_numbers_go_on),       TEST(test_what_it_has_is_passed_over),
        TEST(test_a_number_is_missing), TEST(test_gaps_with_numbers),
        TEST(test_no_memory),           TEST(test_posting_answers_who_waits),
        TEST(test_attach_at),           TEST(test_attach_at_limit),
        TEST(test_drain_behind),        TEST(test_fetch_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
