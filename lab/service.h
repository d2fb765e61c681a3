/* SPDX-License-Identifier: MIT */
/*
 * The service's side of a design: which requests it sends, and when it sends them again. It has one
 * thread, which takes answers as they come (from a completion port, say) and works on the events in
 * them. What sends and what works is given to it, so the same service runs in virtual time and for
 * real.
 */
#ifndef LAB_SERVICE_H
#define LAB_SERVICE_H

#include "lab/design.h"

#include <rollcall/protocol.h>

/* The requests of a service that waits for a signal; others number theirs from 0. */
#define LAB_X 0u
#define LAB_Y 1u

/* All return false when the service is no more: then it does nothing further. */
struct lab_port {
    void *context;
    /* code: ROLLCALL_CODE_FETCH, _WAIT or _DRAIN */
    bool (*send)(void *context, unsigned slot, uint32_t code, uint64_t acked_seq);
    /* Works on an event, however long that takes. */
    bool (*work)(void *context, const struct rollcall_event *event);
};

struct lab_service {
    const struct lab_design *design;
    const struct lab_port *port;
    uint64_t done_seq;                                    /* all up to it are done */
    const struct rollcall_reply *early[LAB_REQUESTS_MAX]; /* answers whose turn has not come */
    bool draining;                                        /* Y is under way */
    bool drain_again;                                     /* X was completed meanwhile */
};

/* It has attached: sends the first requests. */
bool lab_service_start(struct lab_service *service, const struct lab_design *design,
                       const struct lab_port *port, const struct rollcall_attached *attached);

/* An answer to the request of that slot. It stays as it is until the slot is sent again. */
bool lab_service_answer(struct lab_service *service, unsigned slot, const void *answer);

#endif
