/* SPDX-License-Identifier: MIT */
/*
 * What became of each event of a run. It is written by whoever has the event in hand, the driver's side
 * or the service, and added up in two ways that must agree: event by event, and from the driver's own
 * counters. It lies in one block of memory that both sides can share, and that outlives a service
 * that is killed.
 *
 * An event carries its number in this account in `start_ns`, 0 is the first.
 */
#ifndef LAB_ACCOUNT_H
#define LAB_ACCOUNT_H

#include "bench/figures.h"
#include "lab/driver.h"

#include <stdatomic.h>

struct lab_item {
    uint64_t raised_ns;
    uint64_t reached_ns; /* the service began to work on it; 0: never */
    uint32_t done;       /* how often the service was done with it */
    bool dropped;        /* there was no place for it */
    bool handed;         /* it was in an answer */
    bool told;           /* it was in a gap that was in an answer */
};

struct lab_account {
    uint32_t size;   /* of item[] */
    uint32_t raised; /* items in use */
    /* The service's: */
    _Atomic uint64_t sent;    /* requests */
    _Atomic uint64_t handled; /* answers, all that follows from them being done */
    _Atomic uint64_t calls;   /* of the system */
    /* The driver's: */
    uint64_t arrived;  /* requests */
    uint64_t answered; /* requests, and not to who was dead already */
    struct lab_item item[];
};

/* How a run went. lost = offered - delivered = dropped + told + in_hand + waiting */
struct lab_result {
    uint64_t offered;
    uint64_t delivered; /* the service was done with them, once at least */
    uint64_t twice;     /* of these, more than once */
    uint64_t lost;
    uint64_t dropped;      /* no place */
    uint64_t told;         /* the budget was spent, and the service knows which */
    uint64_t in_hand;      /* in the hands of a service that died */
    uint64_t waiting;      /* they are there, and the service waits: it hangs */
    uint64_t calls;        /* of the service to the system */
    uint64_t bytes_most;   /* for events that waited */
    uint64_t bytes_pended; /* of the buffers of the requests that wait while nothing happens */
    struct figures late;   /* microseconds from the callback to the service's code */
};

/* Bytes of an account of `size` events. */
size_t lab_account_bytes(uint32_t size);

/* Clears it. */
void lab_account_init(struct lab_account *account, uint32_t size);

/* The next event was raised; its number. There must be room for it. */
uint32_t lab_account_raise(struct lab_account *account, uint64_t now_ns);

/* An event for the engine, of that number. */
void lab_account_event(uint32_t number, uint64_t now_ns, struct rollcall_event *event);

void lab_account_drop(struct lab_account *account, uint32_t number);

/* An answer goes out to a service that is there. */
void lab_account_hand(struct lab_account *account, const struct rollcall_reply *reply);

/* The service begins with an event, and is done with it. */
void lab_account_reach(struct lab_account *account, const struct rollcall_event *event,
                       uint64_t now_ns);
void lab_account_done(struct lab_account *account, const struct rollcall_event *event);

/*
 * At the end, when neither side has anything to do: adds up. Returns NULL, or what does not agree; the
 * text is valid until the next call. Takes memory for the latencies, and ends the program if there is
 * none.
 */
const char *lab_account_close(const struct lab_account *account, const struct lab_design *design,
                              const struct lab_figures *figures, struct lab_result *result);

#endif
