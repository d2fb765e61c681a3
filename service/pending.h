/* SPDX-License-Identifier: MIT */
/*
 * The events that a handler has and that are not done yet, oldest first: at most so many, and from
 * them how far the consumer may acknowledge. What the handler does not get (its filter leaves it out)
 * is done when all before it is, so it only makes the newest one stand for more numbers.
 */
#ifndef SERVICE_PENDING_H
#define SERVICE_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pending_event {
    uint64_t epoch;
    uint64_t seq;   /* as the handler has it; of a gap the first */
    uint64_t until; /* when it is done, all up to this number is */
    bool done;
};

struct pending {
    struct pending_event *events; /* a circle */
    size_t room;
    uint64_t first; /* counts from 0 for ever: the oldest, and one behind the newest */
    uint64_t end;
    uint64_t epoch; /* done up to here; epoch 0: nothing yet */
    uint64_t until;
};

/* 0 or -ENOMEM. */
int pending_open(struct pending *pending, size_t most);
void pending_close(struct pending *pending);

/* How many are not acknowledged, the done ones among them behind one that is not. */
size_t pending_count(const struct pending *pending);

/* Adds one that the handler gets, for which there must be room; returns what to call it by. */
uint64_t pending_add(struct pending *pending, uint64_t epoch, uint64_t seq, uint64_t until);

/* One that it does not get; there must be room for this too, as its epoch may be a new one. */
void pending_pass(struct pending *pending, uint64_t epoch, uint64_t until);

/* One is done. */
void pending_finish(struct pending *pending, uint64_t id);

/* All that there are. */
void pending_finish_all(struct pending *pending);

/* All up to `seq` are done, in the epoch of the oldest one if none is said. How many these were, or
 * -EPROTO: the handler has no such event (rollcall_error()). */
int pending_answer(struct pending *pending, bool has_epoch, uint64_t epoch, uint64_t seq);

#endif
