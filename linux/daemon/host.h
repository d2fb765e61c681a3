/* SPDX-License-Identifier: MIT */
/*
 * What the engine is given in the daemon: a lock, memory, and the queues of the clients.
 *
 * Two threads use the engine: the source posts, and the thread of the clients does all else. Either
 * may take a request out of a client's queue and answer it. So the engine's lock also guards `queue`
 * of each client, and what goes from the source's thread to the other: `ready` is a list of
 * clients that have something for that thread to do, and `ready_fd` wakes it.
 *
 * Only one request of a client is taken at a time (`busy`): so its answers leave in the order of their
 * numbers, whoever sends them, and what a client that does not read can bind is one answer. Who has
 * answered clears `busy`, and makes the client ready if more is in its queue: the other
 * thread calls engine_match() then. An event that is posted in between finds `busy`, and is found by
 * that engine_match().
 *
 * Answers are made in slots. The engine takes at most ENGINE_TAKEN_MAX requests before it completes
 * them, in each thread: with so many for each, a slot is always free.
 */
#ifndef LINUX_DAEMON_HOST_H
#define LINUX_DAEMON_HOST_H

#include "core/engine.h"
#include "linux/daemon/waiting.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct client;

/* A request that waits. */
struct pended {
    struct pended *next;
    uint32_t code;
    uint32_t tag;
    uint32_t room;
};

/* Of one client; guarded by the engine's lock. */
struct queue {
    struct pended *first;
    struct pended **last;
    uint32_t count;
    bool busy;         /* the request that was taken last is being answered */
    bool ready;        /* it is in the list, or its turn is now */
    bool is_behind;    /* the archive has what it wants next ... */
    uint64_t next_seq; /* ... which is this */
    uint64_t delivered_seq;
    unsigned references;
    struct client *next_ready;
};

/* An answer with its head; `data` begins at a multiple of 8. */
struct slot {
    struct slot *next;
    struct client *client;
    struct pended *request;
    struct rollcall_answer head;
    unsigned char data[sizeof(struct rollcall_reply) + ROLLCALL_REPLY_MAX];
};

#define SLOTS (2u * ENGINE_TAKEN_MAX)

struct host {
    struct engine *engine;
    uint64_t epoch;
    _Atomic uint64_t posted_seq; /* the newest number that is in the engine ... */
    _Atomic uint64_t stored_seq; /* ... and in the journal: all up to there can be read from it */
    _Atomic bool awaited;        /* a client waits for stored_seq to go on */
    _Atomic bool hurries;        /* what is posted is wanted in the journal now */
    const struct waker *source;
    int ready_fd;
    pthread_mutex_t lock;
    struct client *ready;
    struct slot *free;
    struct slot slots[SLOTS];
};

/* What the collection is that is continued. */
struct host_options {
    uint64_t epoch;
    uint64_t last_seq;
    uint64_t attached_ns;
    uint64_t memory;            /* bytes for events */
    const struct waker *source; /* stays the caller's; NULL: nobody is to hurry */
};

/* 0 or a negative errno (rollcall_fail). */
int host_open(struct host *host, const struct host_options *options);

/* No client may be left. */
void host_close(struct host *host);

/* Wakes the thread of the clients. */
void host_wake(struct host *host);

/*
 * What a client wants next may be neither in memory any more nor in the journal yet. Both sides write
 * before they look: host_await() `awaited` and then reads stored_seq, host_stored() the other way round, so
 * one of them sees the other, and the client goes on.
 */

/* Has the thread of the clients woken when more is stored. false: `seq` is already. */
bool host_await(struct host *host, uint64_t seq);

/* All up to `seq` is in the journal. */
void host_stored(struct host *host, uint64_t seq);

/* Has the source see to it that what is posted is stored as soon as can be. */
void host_hurry(struct host *host);

/* Puts the client into the list. The lock is held. */
void host_make_ready(struct host *host, struct client *client);

/* Takes the whole list. host_next_ready() makes one of it what others can put into the list again,
 * with a reference to release, and returns the one after it. */
struct client *host_take_ready(struct host *host);
struct client *host_next_ready(struct host *host, struct client *client);

static inline void host_lock(struct host *host)
{
    pthread_mutex_lock(&host->lock);
}

static inline void host_unlock(struct host *host)
{
    pthread_mutex_unlock(&host->lock);
}

#endif
