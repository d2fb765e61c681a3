/* SPDX-License-Identifier: MIT */
#include "tests/core/session.h"

#include "tests/core/check.h"

#include <stdatomic.h>
#include <string.h>

#define BASE ((uint32_t)sizeof(struct rollcall_event))

void sessions_init(struct consumer_sessions *sessions, const char *name, struct host *host,
                   struct engine *engine, struct history *history)
{
    memset(sessions, 0, sizeof(*sessions));
    sessions->name = name;
    sessions->host = host;
    sessions->engine = engine;
    sessions->history = history;
    pthread_mutex_init(&sessions->lock, NULL);
    pthread_cond_init(&sessions->changed, NULL);
}

void sessions_destroy(struct consumer_sessions *sessions)
{
    while (sessions->current) {
        struct session *session = sessions->current;

        sessions->current = session->earlier;
        free(session);
    }
    pthread_mutex_destroy(&sessions->lock);
    pthread_cond_destroy(&sessions->changed);
}

void sessions_attach(struct consumer_sessions *sessions, unsigned flags)
{
    struct session *session = calloc(1, sizeof(*session));
    struct session *earlier = sessions->current;
    struct rollcall_attached attached;
    struct rollcall_attach request;

    CHECK(session);
    session->earlier = earlier;
    owner_init(&session->queue);
    make_attach(&request, sessions->name, flags);
    CHECK_EQUAL(engine_attach(sessions->engine, &request, sizeof(request), &session->queue, 1,
                              &attached, &session->id),
                ENGINE_OK);
    CHECK(attached.acked_seq <= attached.last_seq);
    session->given_seq = attached.acked_seq;
    pthread_mutex_lock(&sessions->lock);
    /* Only what it was given could be acknowledged. */
    if (earlier && sessions->name[0])
        CHECK(attached.continued && attached.acked_seq <= earlier->given_seq);
    sessions->current = session;
    pthread_cond_broadcast(&sessions->changed);
    pthread_mutex_unlock(&sessions->lock);
}

void sessions_close(struct consumer_sessions *sessions)
{
    struct session *session = sessions->current;

    engine_close(sessions->engine, session->id);
    owner_refuse(sessions->host, &session->queue);
}

void sessions_finish(struct consumer_sessions *sessions)
{
    pthread_mutex_lock(&sessions->lock);
    sessions->finished = true;
    pthread_mutex_unlock(&sessions->lock);
}

void sessions_wake(struct consumer_sessions *sessions)
{
    pthread_mutex_lock(&sessions->lock);
    pthread_cond_broadcast(&sessions->changed);
    pthread_mutex_unlock(&sessions->lock);
}

struct session *sessions_current(struct consumer_sessions *sessions)
{
    struct session *session;

    pthread_mutex_lock(&sessions->lock);
    session = sessions->finished ? NULL : sessions->current;
    pthread_mutex_unlock(&sessions->lock);
    return session;
}

uint64_t session_given(struct consumer_sessions *sessions, struct session *session)
{
    uint64_t given;

    pthread_mutex_lock(&sessions->lock);
    given = session->given_seq;
    pthread_mutex_unlock(&sessions->lock);
    return given;
}

void sessions_await(struct consumer_sessions *sessions, uint64_t seq, const _Atomic bool *stop)
{
    pthread_mutex_lock(&sessions->lock);
    while (!(stop && *stop) && sessions->current->given_seq < seq)
        pthread_cond_wait(&sessions->changed, &sessions->lock);
    pthread_mutex_unlock(&sessions->lock);
}

/* ---- what is given ---- */

uint32_t event_size(uint32_t pid)
{
    return pid % 4 ? BASE : BASE + 16 + 8 * (pid / 4 % 256);
}

/* Everybody is told the same of a number. */
static void look_at_event(const struct history *history, const struct rollcall_event *event)
{
    uint32_t pid = 0;

    CHECK(event->size == BASE || event->size == event_size(event->pid));
    CHECK(is_event(event, event->pid, event->size));
    CHECK(event->seq <= history->max_seq);
    if (!atomic_compare_exchange_strong(&history->pids[event->seq], &pid, event->pid))
        CHECK_EQUAL(pid, event->pid);
}

static void look_at_reply(const struct history *history, const uint64_t *buffer, size_t bytes)
{
    const struct rollcall_reply *reply = (const void *)buffer;
    const unsigned char *records = (const void *)(reply + 1);
    uint64_t next = reply->first_seq;
    uint32_t at = 0;
    uint32_t count = 0;

    CHECK_EQUAL(bytes, sizeof(*reply) + reply->size);
    for (; at < reply->size; count++) {
        const struct rollcall_event *event = (const void *)(records + at);

        CHECK_EQUAL(event->seq, next);
        if (event->type == ROLLCALL_GAP)
            CHECK(event->lost > 0);
        else
            look_at_event(history, event);
        next += event->type == ROLLCALL_GAP ? event->lost : 1;
        at += event->size;
    }
    CHECK_EQUAL(at, reply->size);
    CHECK_EQUAL(count, reply->count);
    CHECK_EQUAL(next, reply->last_seq + 1);
}

/* Threads come late with what they were given. */
static void put_in_order(struct session *session, struct interval interval)
{
    CHECK(interval.first_seq > session->given_seq);
    for (unsigned i = 0; i < session->count;) {
        const struct interval *other = &session->waiting[i];

        CHECK(interval.last_seq < other->first_seq || interval.first_seq > other->last_seq);
        if (other->last_seq + 1 == interval.first_seq)
            interval.first_seq = other->first_seq;
        else if (interval.last_seq + 1 == other->first_seq)
            interval.last_seq = other->last_seq;
        else {
            i++;
            continue;
        }
        session->waiting[i] = session->waiting[--session->count];
    }
    if (interval.first_seq == session->given_seq + 1) {
        session->given_seq = interval.last_seq;
        return;
    }
    CHECK(session->count < SESSION_WAITING);
    session->waiting[session->count++] = interval;
}

void session_give(struct consumer_sessions *sessions, struct session *session,
                  const uint64_t *reply, size_t bytes)
{
    const struct rollcall_reply *head = (const void *)reply;
    struct interval interval = {.first_seq = head->first_seq, .last_seq = head->last_seq};

    look_at_reply(sessions->history, reply, bytes);
    pthread_mutex_lock(&sessions->lock);
    put_in_order(session, interval);
    pthread_cond_broadcast(&sessions->changed);
    pthread_mutex_unlock(&sessions->lock);
}
