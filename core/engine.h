/* SPDX-License-Identifier: MIT */
/*
 * The engine: one log of events, and consumers that each have a place in it. It pairs two queues
 * of which at most one is ever non-empty for a consumer: events that wait for a request, and
 * requests that wait for an event.
 *
 * There is no operating system in it. Its host gives it a lock, memory, and a queue of pended
 * requests for each consumer, which the host may empty at any time (cancel, close, unload).
 *
 * What is kept: an event is kept until every durable consumer has acknowledged it, and every
 * ephemeral one that began before it; while there is no durable consumer, everything is kept, so
 * that the first one misses nothing. When the budget is spent the oldest events go, and those whom
 * that hurts get a gap in that very place: a slow consumer costs the others nothing. A gap is
 * arithmetic on sequence numbers, so that nothing is allocated to report a loss.
 *
 * Matching. A host that cannot answer a fetch at once puts the request into the consumer's queue
 * and then calls engine_match(); engine_post() matches too. Whoever matches takes the request out
 * of the queue and moves the consumer's place in one critical section. So the event that is posted
 * before the request is queued is found by engine_match(), one that is posted after it finds the
 * request: none waits while the other does. Requests are completed when the lock has been
 * released, by whoever took them, exactly once; who cancels takes them out of the queue first.
 *
 * A host can have an archive: a place where it has put all events before it posts them. Then what the
 * budget gives up is not lost, and no gap. A consumer that wants it is behind(): the host closes it
 * here, serves it from the archive, and lets it in again with engine_attach_at() when the log has the
 * next event. Such a host posts with engine_post_numbered(), as its events have numbers already.
 *
 * Nothing here waits, and each loop under the lock has a bound; long work gives the lock back in
 * between. So every function may be called where the host's lock may be taken: on Windows, at
 * IRQL <= DISPATCH_LEVEL.
 */
#ifndef CORE_ENGINE_H
#define CORE_ENGINE_H

#include <rollcall/event.h>
#include <rollcall/protocol.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;

/* How many requests are taken, at most, before they are completed. */
#define ENGINE_TAKEN_MAX 8u

/*
 * A consumer is named by a number, its id, that is never used again; 0 is none. So a call may race
 * with engine_close() of its consumer, or come after it: it gets ENGINE_CLOSED and touches nothing.
 */

/* What happened to a call or a request. */
enum engine_status {
    ENGINE_OK,
    ENGINE_NOTHING,   /* drain: nothing is there; a reply with count 0 was written */
    ENGINE_TOO_SMALL, /* the buffer cannot hold the next record; its reply says what is needed */
    ENGINE_INVALID,   /* the request is malformed, or acknowledges what was not delivered */
    ENGINE_NO_MEMORY,
    ENGINE_BUSY,    /* attach: another owner has this durable consumer, or this owner has one
                       already; detach: somebody has it */
    ENGINE_ABSENT,  /* no such consumer */
    ENGINE_LIMIT,   /* too many consumers */
    ENGINE_CLOSED,  /* the consumer was closed meanwhile */
    ENGINE_BEHIND,  /* the log has given up the next event of this consumer; the archive has it */
    ENGINE_REFUSED, /* post: the policy `deny` refuses this process */
    ENGINE_LOST     /* post: not kept, but it has its number and stands in a gap */
};

/* A request that the host took out of a consumer's queue, and its buffer. The buffer is 8-byte
 * aligned, and stays valid until the request is completed. */
struct engine_request {
    void *request; /* the host's */
    void *buffer;
    size_t size;
    bool wait; /* ROLLCALL_CODE_WAIT: says that something is there, takes nothing */
};

/* What the engine is given. `context` is handed to each function. */
struct engine_host {
    void *context;

    /* Mutual exclusion, also against whoever posts in a kernel callback. Never nested. */
    void (*lock)(void *context);
    void (*unlock)(void *context);

    /* Memory that can be touched with the lock held; NULL: none. Called with the lock held. */
    void *(*allocate)(void *context, size_t size);
    void (*release)(void *context, void *memory, size_t size);

    /* Takes the oldest request out of the queue of the consumer whose owner this is, so that
     * nobody else can complete it. false: there is none. Called with the lock held. */
    bool (*take)(void *context, void *owner, struct engine_request *request);

    /* Completes a request that was taken; `bytes` of its buffer are the answer, also when the
     * status is ENGINE_TOO_SMALL. Called without the lock. */
    void (*complete)(void *context, const struct engine_request *request, enum engine_status status,
                     size_t bytes);

    /* How many requests are in the queue of this owner, for statistics; may be NULL. Called with
     * the lock held. */
    uint32_t (*pended)(void *context, void *owner);

    /* What waits in the queue of this owner waits for events from `next_seq` on, which the log has
     * given up: it stays there, and is for the host to answer. NULL: there is no archive, and what
     * is given up becomes a gap. Called with the lock held. */
    void (*behind)(void *context, void *owner, uint64_t next_seq);
};

struct engine_options {
    uint64_t epoch;
    int64_t wall_offset_ns;
    uint64_t attached_ns;
    uint64_t budget;     /* bytes, ROLLCALL_BUDGET_MIN .. ROLLCALL_BUDGET_MAX */
    uint32_t record_max; /* bytes, ROLLCALL_RECORD_MIN .. ROLLCALL_RECORD_MAX; a quarter of the
                            budget where that is less */
    bool deny;           /* every durable consumer holds the policy `deny` while attached */
    uint64_t last_seq;   /* numbers go on behind it: of a collection that is continued, else 0 */
};

/* ENGINE_OK, ENGINE_NO_MEMORY, ENGINE_INVALID. The host must outlive the engine. */
enum engine_status engine_create(const struct engine_host *host,
                                 const struct engine_options *options, struct engine **out);

/* No consumer may be open any more. NULL is allowed. */
void engine_destroy(struct engine *engine);

/* ---- events ---- */

/* Bytes of a record that is kept whole now; record_max, or what the budget allows of it. */
uint32_t engine_record_limit(struct engine *engine);

/*
 * Gives the event the next number, keeps it and wakes whoever waits for it. The record is whole
 * and well-formed but for `seq`, which the engine sets in its own copy. If it is larger than
 * record_max, or there is only memory for that, its base is kept without its strings, and
 * texts_cut counts it, as it does a record with a string that says it was cut. ENGINE_OK, or
 * ENGINE_LOST.
 */
enum engine_status engine_post(struct engine *engine, const struct rollcall_event *event);

/*
 * The same for the creation of a process that may be refused. While a consumer holds the policy
 * `deny`, a process is admitted only if this event and the exit that will follow it can be kept
 * without a gap for that consumer; else ENGINE_REFUSED: no number was used, and the process must
 * not run. The engine counts the processes that live by what is posted: `create` and `exists`
 * begin one, `exit` ends it. The creation of a process that is exempt is posted by engine_post().
 */
enum engine_status engine_post_create(struct engine *engine, const struct rollcall_event *event);

/* A process whose creation was posted will never exit: somebody else refused it. */
void engine_forget(struct engine *engine);

/* Numbers without events: the host knows that it missed some. */
void engine_post_lost(struct engine *engine, enum rollcall_reason reason, uint64_t lost,
                      uint64_t mono_ns);

/*
 * Keeps events that have their numbers already, gaps among them: whole, well-formed records one
 * after the other, `size` bytes. What the engine has had already is passed over. Nobody is refused
 * by the policy `deny`. ENGINE_OK; ENGINE_NO_MEMORY: the same call may be made again; ENGINE_INVALID:
 * a number is missing. *posted: bytes of the records that are done.
 */
enum engine_status engine_post_numbered(struct engine *engine, const void *records, size_t size,
                                        size_t *posted);

/* ---- consumers ---- */

/*
 * Opens a consumer for `owner`, which the host's take() is called with; an owner has at most one.
 * `request` is what came from the peer, `size` bytes of it; all of it is checked. pid: for
 * statistics. ENGINE_OK, ENGINE_INVALID, ENGINE_BUSY, ENGINE_ABSENT, ENGINE_LIMIT.
 */
enum engine_status engine_attach(struct engine *engine, const void *request, size_t size,
                                 void *owner, uint32_t pid, struct rollcall_attached *attached,
                                 uint64_t *consumer);

/*
 * Opens an ephemeral consumer whose first event is the one behind `seq`, for a host that has checked
 * the request itself and has an archive. ENGINE_OK, ENGINE_INVALID: there is no such number yet,
 * ENGINE_BEHIND, ENGINE_BUSY, ENGINE_LIMIT.
 */
enum engine_status engine_attach_at(struct engine *engine, uint64_t seq, void *owner, uint32_t pid,
                                    uint64_t *consumer);

/*
 * The owner is going away: nothing is taken from its queue once this has returned, what it had not
 * acknowledged is delivered again to its successor, an ephemeral consumer is gone. The host then
 * empties the queue itself. What is closed may be closed again.
 */
void engine_close(struct engine *engine, uint64_t id);

/*
 * Checks a fetch and acknowledges what it says: ENGINE_OK, or ENGINE_INVALID or ENGINE_CLOSED, and
 * nothing changed. After ENGINE_OK the host queues the request and calls engine_match().
 */
enum engine_status engine_fetch(struct engine *engine, uint64_t id, const void *request,
                                size_t size);

/* Checks a wait request; the same way. */
enum engine_status engine_wait(struct engine *engine, uint64_t id, const void *request,
                               size_t size);

/* Completes queued requests of the consumer as long as there is something for them. ENGINE_OK, or
 * ENGINE_CLOSED: nobody will take what is in the queue. The queue holds no more than
 * ROLLCALL_PENDED_MAX requests; the host sees to that. */
enum engine_status engine_match(struct engine *engine, uint64_t id);

/* Acknowledges, then fills `buffer` at once. ENGINE_OK, ENGINE_NOTHING, ENGINE_TOO_SMALL,
 * ENGINE_INVALID, ENGINE_CLOSED, ENGINE_BEHIND; *bytes: of the buffer that are the answer. The request may lie in
 * the buffer. */
enum engine_status engine_drain(struct engine *engine, uint64_t id, const void *request,
                                size_t size, void *buffer, size_t room, size_t *bytes);

/* ENGINE_OK, ENGINE_INVALID, ENGINE_CLOSED. */
enum engine_status engine_acknowledge(struct engine *engine, uint64_t id, const void *request,
                                      size_t size);

/* ENGINE_OK, ENGINE_INVALID, ENGINE_TOO_SMALL for the engine's own part. */
enum engine_status engine_stats(struct engine *engine, const void *request, size_t size,
                                void *buffer, size_t room, size_t *bytes);

/* ENGINE_OK, ENGINE_INVALID. A smaller budget takes effect at once: the oldest events go. */
enum engine_status engine_configure(struct engine *engine, const void *request, size_t size);

/* Removes a durable consumer. ENGINE_OK, ENGINE_INVALID, ENGINE_ABSENT, ENGINE_BUSY. */
enum engine_status engine_detach(struct engine *engine, const void *request, size_t size);

#endif
