/* SPDX-License-Identifier: MIT */
/* The engine, one promise after the other. */
#include "tests/core/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE   ((uint32_t)sizeof(struct rollcall_event))
#define HEAD   sizeof(struct rollcall_reply)
#define BUDGET (1u << 20)

struct fixture {
    struct host host;
    struct engine *engine;
    uint32_t posted; /* pid of the last event */
    uint64_t event[ROLLCALL_RECORD_MAX / sizeof(uint64_t)];
    uint64_t buffer[(HEAD + ROLLCALL_REPLY_MAX + 4096) / sizeof(uint64_t)];
    size_t bytes; /* of the answer that is in the buffer */
};

/* A consumer, and what it was told when it attached. */
struct peer {
    struct owner owner;
    uint64_t id;
    struct rollcall_attached attached;
};

static int setup_with(void **state, uint64_t budget, bool deny)
{
    struct fixture *f = calloc(1, sizeof(*f));

    host_init(&f->host);
    f->engine = host_create_engine(&f->host, budget, deny);
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, BUDGET, false);
}

static int setup_small(void **state)
{
    return setup_with(state, ROLLCALL_BUDGET_MIN, false);
}

static int setup_deny(void **state)
{
    return setup_with(state, ROLLCALL_BUDGET_MIN, true);
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

static enum engine_status post_sized(struct fixture *f, enum rollcall_type type, uint32_t size)
{
    make_event(f->event, type, ++f->posted, size);
    return engine_post(f->engine, (void *)f->event);
}

static void post(struct fixture *f, unsigned count)
{
    while (count--)
        assert_int_equal(post_sized(f, ROLLCALL_EXEC, BASE), ENGINE_OK);
}

static enum engine_status create(struct fixture *f)
{
    make_event(f->event, ROLLCALL_CREATE, f->posted + 1, BASE);
    return engine_post_create(f->engine, (void *)f->event);
}

static enum engine_status attach(struct fixture *f, struct peer *peer, const char *name,
                                 unsigned flags)
{
    struct rollcall_attach request;

    memset(&peer->attached, 0, sizeof(peer->attached));
    owner_init(&peer->owner);
    make_attach(&request, name, flags);
    return engine_attach(f->engine, &request, sizeof(request), &peer->owner, 4711, &peer->attached,
                         &peer->id);
}

static void attached(struct fixture *f, struct peer *peer, const char *name, unsigned flags)
{
    assert_int_equal(attach(f, peer, name, flags), ENGINE_OK);
}

static enum engine_status acknowledge(struct fixture *f, const struct peer *peer, uint64_t seq)
{
    struct rollcall_acknowledge request;

    make_acknowledge(&request, seq);
    return engine_acknowledge(f->engine, peer->id, &request, sizeof(request));
}

static enum engine_status drain_into(struct fixture *f, const struct peer *peer, uint64_t acked,
                                     size_t room)
{
    struct rollcall_fetch request;

    make_fetch(&request, acked);
    return engine_drain(f->engine, peer->id, &request, sizeof(request), f->buffer, room, &f->bytes);
}

static enum engine_status drain(struct fixture *f, const struct peer *peer)
{
    return drain_into(f, peer, 0, sizeof(f->buffer));
}

static enum engine_status detach(struct fixture *f, const char *name)
{
    struct rollcall_detach_request request;

    make_detach(&request, name);
    return engine_detach(f->engine, &request, sizeof(request));
}

static void configure(struct fixture *f, uint64_t budget, uint32_t record_max)
{
    struct rollcall_configure request;

    make_configure(&request, budget, record_max);
    assert_int_equal(engine_configure(f->engine, &request, sizeof(request)), ENGINE_OK);
}

static struct rollcall_engine_stats stats(struct fixture *f)
{
    struct rollcall_request request;
    struct rollcall_engine_stats out;

    make_plain(&request);
    assert_int_equal(
        engine_stats(f->engine, &request, sizeof(request), f->buffer, sizeof(f->buffer), &f->bytes),
        ENGINE_OK);
    memcpy(&out, f->buffer, sizeof(out));
    assert_int_equal(f->bytes, sizeof(out) + out.given * sizeof(struct rollcall_consumer_stats));
    return out;
}

static struct rollcall_consumer_stats consumer_stats(struct fixture *f, unsigned index)
{
    struct rollcall_consumer_stats out;

    assert_true(index < stats(f).given);
    memcpy(&out,
           (unsigned char *)f->buffer + sizeof(struct rollcall_engine_stats) + index * sizeof(out),
           sizeof(out));
    return out;
}

static void fetch(struct fixture *f, struct peer *peer, struct request *request, uint64_t acked)
{
    struct rollcall_fetch bytes;

    make_fetch(&bytes, acked);
    assert_int_equal(engine_fetch(f->engine, peer->id, &bytes, sizeof(bytes)), ENGINE_OK);
    request_queue(&f->host, &peer->owner, request);
    assert_int_equal(engine_match(f->engine, peer->id), ENGINE_OK);
}

static void await(struct fixture *f, struct peer *peer, struct request *request)
{
    struct rollcall_request bytes;

    make_plain(&bytes);
    assert_int_equal(engine_wait(f->engine, peer->id, &bytes, sizeof(bytes)), ENGINE_OK);
    request_queue(&f->host, &peer->owner, request);
    assert_int_equal(engine_match(f->engine, peer->id), ENGINE_OK);
}

/* ---- what an answer must be ---- */

static void expect_head(const void *buffer, size_t bytes, uint64_t first, uint64_t last,
                        uint32_t count)
{
    const struct rollcall_reply *reply = buffer;

    assert_true(bytes >= HEAD);
    assert_int_equal(reply->epoch, HOST_EPOCH);
    assert_int_equal(reply->first_seq, first);
    assert_int_equal(reply->last_seq, last);
    assert_int_equal(reply->count, count);
    if (count)
        assert_int_equal(bytes, HEAD + reply->size);
    else
        assert_int_equal(bytes, HEAD);
}

static const struct rollcall_event *record(const void *buffer, unsigned index)
{
    const unsigned char *at = (const unsigned char *)buffer + HEAD;

    while (index--)
        at += ((const struct rollcall_event *)(const void *)at)->size;
    return (const void *)at;
}

/* Events of `first` .. `last`, whose pids are their numbers, without strings. */
static void expect_events(const void *buffer, size_t bytes, uint64_t first, uint64_t last)
{
    expect_head(buffer, bytes, first, last, (uint32_t)(last - first + 1));
    for (uint64_t seq = first; seq <= last; seq++) {
        const struct rollcall_event *event = record(buffer, (unsigned)(seq - first));

        assert_int_equal(event->seq, seq);
        assert_true(is_event(event, (uint32_t)seq, BASE));
    }
}

static void expect_drained(struct fixture *f, const struct peer *peer, uint64_t first,
                           uint64_t last)
{
    assert_int_equal(drain(f, peer), ENGINE_OK);
    expect_events(f->buffer, f->bytes, first, last);
}

static void expect_gap(const struct rollcall_event *gap, uint64_t seq, uint64_t lost,
                       enum rollcall_reason reason)
{
    assert_int_equal(gap->type, ROLLCALL_GAP);
    assert_int_equal(gap->size, BASE);
    assert_int_equal(gap->version, ROLLCALL_EVENT_VERSION);
    assert_int_equal(gap->seq, seq);
    assert_int_equal(gap->lost, lost);
    assert_int_equal(gap->reason, reason);
}

/* ---- posting and draining ---- */

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

/* ---- pended requests ---- */

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

/* ---- acknowledging ---- */

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

/* ---- the budget ---- */

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

/* ---- the policy `deny` ---- */

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

/* ---- consumers ---- */

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

#define TEST(name)       cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_SMALL(name) cmocka_unit_test_setup_teardown(name, setup_small, teardown)
#define TEST_DENY(name)  cmocka_unit_test_setup_teardown(name, setup_deny, teardown)

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
        TEST(test_request_waits_for_event),
        TEST(test_event_waits_for_request),
        TEST(test_oldest_request_first),
        TEST(test_many_at_once),
        TEST(test_much_at_once),
        TEST(test_post_wakes_each_consumer),
        TEST(test_pended_too_small),
        TEST(test_wait_takes_nothing),
        TEST(test_cancelled_request),
        TEST(test_redelivered_until_acknowledged),
        TEST(test_acknowledges_only_what_was_delivered),
        TEST(test_memory_is_given_back),
        TEST(test_kept_for_the_slowest),
        TEST(test_many_acknowledged_at_once),
        TEST(test_acknowledged_blocks_are_not_lost),
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
