/* SPDX-License-Identifier: MIT */
/*
 * A consumer that several threads play at once, and that is closed and attached again while they
 * do: what it is given, put in order. Each time that it is attached is a session with a queue of its
 * own, as each handle has one.
 */
#ifndef TESTS_CORE_SESSION_H
#define TESTS_CORE_SESSION_H

#include "tests/core/host.h"

#define SESSION_WAITING 16u

struct interval {
    uint64_t first_seq;
    uint64_t last_seq;
};

struct session {
    struct session *earlier;
    struct owner queue;
    uint64_t id;
    uint64_t given_seq;                       /* all up to it was given, and looked at */
    struct interval waiting[SESSION_WAITING]; /* what came before its turn */
    unsigned count;
};

/* What is known of each number, whoever tells it. */
struct history {
    _Atomic uint32_t *pids; /* of the event with this number; 0: not known */
    uint64_t max_seq;
};

struct consumer_sessions {
    const char *name;
    struct host *host;
    struct engine *engine;
    struct history *history;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* given_seq has, or why not to wait for it */
    struct session *current;
    bool finished; /* there will be no other session */
};

void sessions_init(struct consumer_sessions *sessions, const char *name, struct host *host,
                   struct engine *engine, struct history *history);

/* Nobody uses them any more. */
void sessions_destroy(struct consumer_sessions *sessions);

/* Begins the next session, where the last one's acknowledgements ended. */
void sessions_attach(struct consumer_sessions *sessions, unsigned flags);

/* Ends the current one, also all that waits in its queue. */
void sessions_close(struct consumer_sessions *sessions);

/* There will be no other. */
void sessions_finish(struct consumer_sessions *sessions);

/* NULL: finished. */
struct session *sessions_current(struct consumer_sessions *sessions);

/* What may be acknowledged. */
uint64_t session_given(struct consumer_sessions *sessions, struct session *session);

/* Looks at a reply that the session was given, and puts it in its place. */
void session_give(struct consumer_sessions *sessions, struct session *session,
                  const uint64_t *reply, size_t bytes);

/* Waits until all up to `seq` was given to the current session, or *stop, if there is one. */
void sessions_await(struct consumer_sessions *sessions, uint64_t seq, const _Atomic bool *stop);

/* Lets them look whether they should stop. */
void sessions_wake(struct consumer_sessions *sessions);

/* Events of the posters: which size the one with this pid has. */
uint32_t event_size(uint32_t pid);

#endif
