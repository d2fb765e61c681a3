/* SPDX-License-Identifier: MIT */
/*
 * The inverted call: requests sent ahead of time, which the driver keeps pending and completes with
 * events.
 *
 * They share one event object, which is what a program waits for. Sending a request resets it, and
 * with that perhaps the signal of another one that has just been completed. So nothing is lost as
 * long as who waits has looked at all of them after the last one was sent: a request's status is
 * written before the event object is signalled.
 */
#ifndef WINDOWS_FETCH_H
#define WINDOWS_FETCH_H

#include <rollcall/protocol.h>

#include <windows.h>

#define FETCHES_MAX 16u

enum fetch_state {
    FETCH_IDLE,
    FETCH_SENT,
    FETCH_ARRIVED /* its reply waits to be taken */
};

struct fetch {
    OVERLAPPED overlapped;
    struct rollcall_reply *reply; /* and the records behind it */
    size_t room;
    enum fetch_state state;
};

struct fetches {
    HANDLE device;
    HANDLE event;
    struct fetch all[FETCHES_MAX];
    unsigned count;   /* of them that are used */
    unsigned aborted; /* how often in a row the driver gave one back without anything */
};

/* count: how many are kept pending, 1 .. FETCHES_MAX; room: bytes of each one's buffer. Both handles
 * stay the caller's. 0 or -ENOMEM. */
int fetches_open(struct fetches *fetches, HANDLE device, HANDLE event, unsigned count, size_t room);

/* Takes back what is pended, and waits until the kernel uses no buffer any more. */
void fetches_close(struct fetches *fetches);

/* Sends those that are idle; the first of them acknowledges all up to *acked_seq, which is 0 then.
 * ERROR_SUCCESS or why one could not be sent. */
DWORD fetches_send(struct fetches *fetches, uint64_t *acked_seq);

/* Looks at all that were sent. ERROR_SUCCESS or why one failed; ERROR_INVALID_DATA: the reply is
 * none. */
DWORD fetches_look(struct fetches *fetches);

/* The one that has arrived and begins with this event; NULL: it has not. Whoever has taken its
 * records sets it to FETCH_IDLE. */
struct fetch *fetches_find(struct fetches *fetches, uint64_t first_seq);

#endif
