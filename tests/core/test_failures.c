/* SPDX-License-Identifier: MIT */
/* One and the same story, in which the first allocation fails, then the second, and so on until none
 * does: nothing breaks, nothing leaks, and the numbers are exact. */
#include "tests/core/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE   ((uint32_t)sizeof(struct rollcall_event))
#define BUDGET (256u << 10)

struct story {
    struct host host;
    struct engine *engine;
    uint32_t pid;         /* of the last event */
    uint64_t posted;      /* numbers that were used up */
    uint64_t failed;      /* of these, for want of memory */
    uint64_t admitted;    /* processes that were let in */
    uint64_t guarded_seq; /* from here on the guard must not miss any event */
    uint64_t event[ROLLCALL_RECORD_MAX / sizeof(uint64_t)];
    uint64_t buffer[(sizeof(struct rollcall_reply) + ROLLCALL_REPLY_MAX) / sizeof(uint64_t)];
};

struct peer {
    struct owner owner;
    uint64_t id;
    uint64_t given_seq;
    uint64_t gaps; /* numbers in gaps behind guarded_seq, if that is set */
};

static bool create_engine(struct story *s)
{
    const struct engine_options options = {
        .epoch = HOST_EPOCH, .budget = BUDGET, .record_max = ROLLCALL_RECORD_MAX};
    enum engine_status status = engine_create(&s->host.engine, &options, &s->engine);

    assert_true(status == ENGINE_OK || status == ENGINE_NO_MEMORY);
    return status == ENGINE_OK;
}

static void attach(struct story *s, struct peer *peer, const char *name, unsigned flags)
{
    struct rollcall_attached attached;
    struct rollcall_attach request;

    memset(peer, 0, sizeof(*peer));
    owner_init(&peer->owner);
    make_attach(&request, name, flags);
    assert_int_equal(
        engine_attach(s->engine, &request, sizeof(request), &peer->owner, 1, &attached, &peer->id),
        ENGINE_OK);
    peer->given_seq = attached.acked_seq;
}

static void post(struct story *s, enum rollcall_type type, uint32_t size)
{
    enum engine_status status;

    make_event(s->event, type, ++s->pid, size);
    status = engine_post(s->engine, (void *)s->event);
    assert_true(status == ENGINE_OK || status == ENGINE_LOST);
    s->posted++;
    s->failed += status == ENGINE_LOST;
}

static void post_create(struct story *s, uint32_t size)
{
    enum engine_status status;

    make_event(s->event, ROLLCALL_CREATE, ++s->pid, size);
    status = engine_post_create(s->engine, (void *)s->event);
    assert_true(status == ENGINE_OK || status == ENGINE_REFUSED);
    if (status == ENGINE_REFUSED)
        return;
    s->posted++;
    s->admitted++;
}

static void post_many(struct story *s, unsigned count, uint32_t largest)
{
    for (unsigned i = 0; i < count; i++)
        post(s, ROLLCALL_EXEC, i % 3 ? BASE : BASE + 16 + (i * 1000 % (largest - BASE - 16) & ~7u));
}

/* ---- reading ---- */

static void look(const struct story *s, struct peer *peer)
{
    const struct rollcall_reply *reply = (const void *)s->buffer;
    const unsigned char *at = (const void *)(reply + 1);

    for (uint32_t i = 0; i < reply->count; i++) {
        const struct rollcall_event *event = (const void *)at;
        bool gap = event->type == ROLLCALL_GAP;

        assert_int_equal(event->seq, peer->given_seq + 1);
        peer->given_seq += gap ? event->lost : 1;
        if (gap && s->guarded_seq && event->seq >= s->guarded_seq)
            peer->gaps += event->lost;
        assert_true(gap || is_event(event, event->pid, event->size));
        at += event->size;
    }
}

static void drain(struct story *s, struct peer *peer, size_t room, uint64_t acked_seq)
{
    struct rollcall_fetch request;
    enum engine_status status;
    size_t bytes;

    make_fetch(&request, acked_seq);
    status = engine_drain(s->engine, peer->id, &request, sizeof(request), s->buffer, room, &bytes);
    if (status == ENGINE_OK)
        look(s, peer);
    assert_true(status == ENGINE_OK || status == ENGINE_NOTHING);
}

static void drain_all(struct story *s, struct peer *peer)
{
    uint64_t before;

    do {
        before = peer->given_seq;
        drain(s, peer, sizeof(s->buffer), peer->given_seq);
    } while (peer->given_seq > before);
    assert_int_equal(peer->given_seq, s->posted);
}

static struct rollcall_engine_stats stats(struct story *s)
{
    struct rollcall_engine_stats out;
    struct rollcall_request request;
    size_t bytes;

    make_plain(&request);
    assert_int_equal(engine_stats(s->engine, &request, sizeof(request), &out, sizeof(out), &bytes),
                     ENGINE_OK);
    return out;
}

static void configure(struct story *s, uint64_t budget)
{
    struct rollcall_configure request;

    make_configure(&request, budget, 0);
    assert_int_equal(engine_configure(s->engine, &request, sizeof(request)), ENGINE_OK);
}

/* ---- the story ---- */

static void spend_the_budget(struct story *s, struct peer *slow, struct peer *fast)
{
    post_many(s, 300, 1024);
    drain_all(s, fast);
    post_many(s, 100, BUDGET / 4);
    drain(s, slow, 60u << 10, 0);
    drain_all(s, fast);
    engine_post_lost(s->engine, ROLLCALL_LOST_SKIPPED, 5, 1);
    s->posted += 5;
    post_many(s, 300, 8192);
    configure(s, ROLLCALL_BUDGET_MIN);
    post_many(s, 300, 2048);
    configure(s, BUDGET);
    post_many(s, 10, BUDGET / 4);
    drain_all(s, slow);
    drain_all(s, fast);
}

/* Whoever was let in ends without a loss for the guard. */
static void keep_guard(struct story *s)
{
    struct peer guard;

    attach(s, &guard, "guard", ROLLCALL_ATTACH_DENY);
    s->guarded_seq = s->posted + 1;
    for (unsigned i = 0; i < 700; i++)
        post_create(s, i % 2 ? BASE : 512);
    drain(s, &guard, sizeof(s->buffer), 0);
    for (; s->admitted > 0; s->admitted--)
        post(s, ROLLCALL_EXIT, BASE);
    drain_all(s, &guard);
    assert_int_equal(guard.gaps, 0);
    engine_close(s->engine, guard.id);
}

static void tell(struct story *s)
{
    uint64_t failed;
    struct peer slow;
    struct peer fast;

    if (!create_engine(s))
        return;
    post_many(s, 50, 1024);
    attach(s, &slow, "slow", ROLLCALL_ATTACH_OLDEST);
    attach(s, &fast, "", 0);
    spend_the_budget(s, &slow, &fast);
    failed = s->failed;
    keep_guard(s);
    assert_int_equal(s->failed, failed);
    drain_all(s, &slow);
    assert_int_equal(stats(s).last_seq, s->posted);
    assert_int_equal(stats(s).lost[ROLLCALL_LOST_FAILED], s->failed);
    engine_close(s->engine, slow.id);
    engine_close(s->engine, fast.id);
    engine_destroy(s->engine);
}

/* Whether there were so many allocations. */
static bool tell_with_failures(size_t at, size_t from)
{
    struct story *s = calloc(1, sizeof(*s));
    size_t allocations;

    assert_non_null(s);
    host_init(&s->host);
    s->host.fail_at = at;
    s->host.fail_from = from;
    tell(s);
    allocations = s->host.allocations;
    host_destroy(&s->host);
    free(s);
    return allocations >= at && allocations >= from;
}

static void test_each_allocation_fails(void **state)
{
    size_t n = 1;

    (void)state;
    while (tell_with_failures(n, 0))
        n++;
    assert_true(n > 40);
}

static void test_all_fail_from_one_on(void **state)
{
    size_t n = 1;

    (void)state;
    while (tell_with_failures(0, n))
        n++;
    assert_true(n > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation_fails),
        cmocka_unit_test(test_all_fail_from_one_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
