/* SPDX-License-Identifier: MIT */
/*
 * When the reader sleeps, and what wakes it.
 *
 * A wake-up costs the process that is being created a good part of its creation. So programs
 * wake the reader only if it says, in the control page, that it sleeps:
 *
 *     program (BPF)                       reader
 *     1 take a place in the ring          1 sleeper = ticket
 *     2 full barrier                      2 full barrier
 *     3 t = sleeper                       3 if a place was taken: sleeper = 0, read on
 *     4 submit, with a wake-up if t       4 sleep
 *     5 if t: sleeper t -> 0              5 sleeper = 0
 *
 * No wake-up is lost: of the program's 3 and the reader's 3, one sees the other's 1, because of
 * the barriers (without them both stores can wait in store buffers while both loads miss them).
 * If the program sees the ticket, it wakes. If the reader sees the place, it does not sleep: the
 * record may still be busy, its program may have read `sleeper` too early, so the reader looks
 * at it again by itself. The program's 5 cannot undo a later 1: tickets never come twice. It is
 * there for a reader that died asleep, so that not every program from then on pays.
 *
 * Of a wake-up epoll tells by an edge, which must be taken before the next one can be seen. That is
 * done last, right before the next 1: it costs a system call, which an event that has come need not wait
 * for. Not later: a program that has seen the new ticket may have made the edge.
 *
 * Bursts, as network drivers have it (NAPI): an event that comes alone wakes at once. Each look
 * that finds events costs a token, tokens come back at a slow rate, and when there are none the
 * reader does not offer to be woken any more, nor does it look whenever it could: it looks once in
 * the latency that the user accepts, until two looks in a row found nothing. So whatever it costs
 * to handle a batch (a system call, a transaction) is shared by the events of that time. Looks
 * count, not wake-ups: a reader that always finds the next event when it has handled one never
 * sleeps, and would go on for ever with batches of one.
 */
#ifndef LINUX_DOORBELL_H
#define LINUX_DOORBELL_H

#include "linux/ring.h"

#include <stdbool.h>

struct doorbell {
    const struct ring *ring;
    _Atomic uint64_t *sleeper;
    int ring_fd;
    int epoll;           /* readable when it is time to look; what rollcall_fd() returns */
    int timer;           /* in epoll, as is the ring */
    uint64_t latency_ns; /* between two looks in a burst */
    uint64_t idle_ns;    /* between two looks for what no event tells of; 0: never */
    uint64_t ticket;     /* the last one used */
    bool ticks;          /* the timer comes each idle_ns, and not once */
    bool armed;          /* the ticket is in *sleeper, or the timer runs */
    bool edge;           /* epoll may still tell of a wake-up that is past */
    bool burst;          /* looking by the timer, not waiting for wake-ups */
    unsigned quiet;      /* looks in a row that found nothing */
    uint64_t looked_ns;  /* when the last look was, in a burst; 0: there is more to find */
    unsigned tokens;     /* looks that may still find events until that is a burst */
    uint64_t tokens_ns;  /* when tokens were last given */
    uint64_t wakeups;
    uint64_t polls;
};

/* ring_fd: what becomes readable by a wake-up. other_fd: what ends a sleep as long as it is readable, or
 * -1. Both stay the caller's. 0 or -errno; on failure nothing is left. */
int doorbell_init(struct doorbell *bell, const struct ring *ring, int ring_fd, int other_fd,
                  _Atomic uint64_t *sleeper, uint64_t latency_ns);
void doorbell_destroy(struct doorbell *bell);

/* The reader found events; `more`: but did not take all of them. */
void doorbell_found(struct doorbell *bell, bool more);

/* In a burst: it is too early to look again, doorbell_wait_for_look() comes first. */
bool doorbell_early(const struct doorbell *bell);

/* Makes ready for sleep until it is time for the next look of a burst. */
void doorbell_wait_for_look(struct doorbell *bell);

/* Makes ready for sleep: from now on bell->epoll becomes readable when it is time to look at
 * the ring. `position`: up to where the reader has read. `busy`: there is a record there, not
 * yet written. Returns false if something has come and the reader should look at once. */
bool doorbell_arm(struct doorbell *bell, uint64_t position, bool busy);

/* After doorbell_arm() returned true, or doorbell_wait_for_look(): sleeps until it is time to look,
 * or timeout_ms milliseconds (-1: without limit). 0 or -EINTR. Afterwards the reader is not armed any more. */
int doorbell_sleep(struct doorbell *bell, int timeout_ms);

/* Takes doorbell_arm() back, if it was called: the reader is awake, by whatever it was woken. */
void doorbell_disarm(struct doorbell *bell);

#endif
