/* SPDX-License-Identifier: MIT */
#include "tests/core/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup_with(void **state, uint64_t budget, bool deny)
{
    struct fixture *f = calloc(1, sizeof(*f));

    host_init(&f->host);
    f->engine = host_create_engine(&f->host, budget, deny);
    *state = f;
    return 0;
}

int setup(void **state)
{
    return setup_with(state, BUDGET, false);
}

int setup_small(void **state)
{
    return setup_with(state, ROLLCALL_BUDGET_MIN, false);
}

int setup_deny(void **state)
{
    return setup_with(state, ROLLCALL_BUDGET_MIN, true);
}

int teardown(void **state)
{
    struct fixture *f = *state;

    engine_destroy(f->engine);
    host_destroy(&f->host);
    free(f);
    return 0;
}

/* ---- requests and events ---- */

enum engine_status post_sized(struct fixture *f, enum rollcall_type type, uint32_t size)
{
    make_event(f->event, type, ++f->posted, size);
    return engine_post(f->engine, (void *)f->event);
}

void post(struct fixture *f, unsigned count)
{
    while (count--)
        assert_int_equal(post_sized(f, ROLLCALL_EXEC, BASE), ENGINE_OK);
}

enum engine_status create(struct fixture *f)
{
    make_event(f->event, ROLLCALL_CREATE, f->posted + 1, BASE);
    return engine_post_create(f->engine, (void *)f->event);
}

enum engine_status attach(struct fixture *f, struct peer *peer, const char *name, unsigned flags)
{
    struct rollcall_attach request;

    memset(&peer->attached, 0, sizeof(peer->attached));
    owner_init(&peer->owner);
    make_attach(&request, name, flags);
    return engine_attach(f->engine, &request, sizeof(request), &peer->owner, 4711, &peer->attached,
                         &peer->id);
}

void attached(struct fixture *f, struct peer *peer, const char *name, unsigned flags)
{
    assert_int_equal(attach(f, peer, name, flags), ENGINE_OK);
}

enum engine_status acknowledge(struct fixture *f, const struct peer *peer, uint64_t seq)
{
    struct rollcall_acknowledge request;

    make_acknowledge(&request, seq);
    return engine_acknowledge(f->engine, peer->id, &request, sizeof(request));
}

enum engine_status drain_into(struct fixture *f, const struct peer *peer, uint64_t acked,
                              size_t room)
{
    struct rollcall_fetch request;

    make_fetch(&request, acked);
    return engine_drain(f->engine, peer->id, &request, sizeof(request), f->buffer, room, &f->bytes);
}

enum engine_status drain(struct fixture *f, const struct peer *peer)
{
    return drain_into(f, peer, 0, sizeof(f->buffer));
}

enum engine_status detach(struct fixture *f, const char *name)
{
    struct rollcall_detach_request request;

    make_detach(&request, name);
    return engine_detach(f->engine, &request, sizeof(request));
}

void configure(struct fixture *f, uint64_t budget, uint32_t record_max)
{
    struct rollcall_configure request;

    make_configure(&request, budget, record_max);
    assert_int_equal(engine_configure(f->engine, &request, sizeof(request)), ENGINE_OK);
}

struct rollcall_engine_stats stats(struct fixture *f)
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

struct rollcall_consumer_stats consumer_stats(struct fixture *f, unsigned index)
{
    struct rollcall_consumer_stats out;

    assert_true(index < stats(f).given);
    memcpy(&out,
           (unsigned char *)f->buffer + sizeof(struct rollcall_engine_stats) + index * sizeof(out),
           sizeof(out));
    return out;
}

void fetch(struct fixture *f, struct peer *peer, struct request *request, uint64_t acked)
{
    struct rollcall_fetch bytes;

    make_fetch(&bytes, acked);
    assert_int_equal(engine_fetch(f->engine, peer->id, &bytes, sizeof(bytes)), ENGINE_OK);
    request_queue(&f->host, &peer->owner, request);
    assert_int_equal(engine_match(f->engine, peer->id), ENGINE_OK);
}

void await(struct fixture *f, struct peer *peer, struct request *request)
{
    struct rollcall_request bytes;

    make_plain(&bytes);
    assert_int_equal(engine_wait(f->engine, peer->id, &bytes, sizeof(bytes)), ENGINE_OK);
    request_queue(&f->host, &peer->owner, request);
    assert_int_equal(engine_match(f->engine, peer->id), ENGINE_OK);
}

/* ---- what an answer must be ---- */

void expect_head(const void *buffer, size_t bytes, uint64_t first, uint64_t last, uint32_t count)
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

const struct rollcall_event *record(const void *buffer, unsigned index)
{
    const unsigned char *at = (const unsigned char *)buffer + HEAD;

    while (index--)
        at += ((const struct rollcall_event *)(const void *)at)->size;
    return (const void *)at;
}

void expect_events(const void *buffer, size_t bytes, uint64_t first, uint64_t last)
{
    expect_head(buffer, bytes, first, last, (uint32_t)(last - first + 1));
    for (uint64_t seq = first; seq <= last; seq++) {
        const struct rollcall_event *event = record(buffer, (unsigned)(seq - first));

        assert_int_equal(event->seq, seq);
        assert_true(is_event(event, (uint32_t)seq, BASE));
    }
}

void expect_drained(struct fixture *f, const struct peer *peer, uint64_t first, uint64_t last)
{
    assert_int_equal(drain(f, peer), ENGINE_OK);
    expect_events(f->buffer, f->bytes, first, last);
}

void expect_gap(const struct rollcall_event *gap, uint64_t seq, uint64_t lost,
                enum rollcall_reason reason)
{
    assert_int_equal(gap->type, ROLLCALL_GAP);
    assert_int_equal(gap->size, BASE);
    assert_int_equal(gap->version, ROLLCALL_EVENT_VERSION);
    assert_int_equal(gap->seq, seq);
    assert_int_equal(gap->lost, lost);
    assert_int_equal(gap->reason, reason);
}
