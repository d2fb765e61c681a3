/* SPDX-License-Identifier: MIT */
/*
 * The designs that were proposed for "my service must get every process at once, without missing
 * any; what if it is busy?", and what tells them apart: how many requests are sent ahead of time, how
 * many events may wait when none is pended, how many events a request takes, and when an event is
 * forgotten.
 */
#ifndef LAB_DESIGN_H
#define LAB_DESIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAB_UNBOUNDED    UINT64_MAX
#define LAB_REQUESTS_MAX 64u

/* What the service calls. */
enum lab_calls {
    LAB_FETCH,        /* requests that are completed with events */
    LAB_SIGNAL,       /* X is completed as a signal, then Y takes what is there, then X again */
    LAB_SIGNAL_FIRST, /* the same driver, but X is sent again before Y */
    LAB_READY         /* X is completed when something is there, whenever it came */
};

struct lab_design {
    const char *name;
    const char *says; /* one line */
    enum lab_calls calls;
    unsigned requests; /* that are pended while nothing happens */
    uint64_t capacity; /* events that may wait for a request */
    uint64_t budget;   /* bytes for events that wait; the engine's policy `gap` applies */
    bool one;          /* one event a fetch */
    bool keeps;        /* events until they are acknowledged; else they are forgotten once handed
                          out */
};

/* The design number `index`, NULL behind the last one. */
const struct lab_design *lab_design_at(size_t index);

/* NULL: there is none of this name. */
const struct lab_design *lab_design_find(const char *name);

/* Bytes of the largest answer to a request that takes events. */
size_t lab_design_room(const struct lab_design *design);

/* Whether the service waits for a signal, and takes the events with another request. */
static inline bool lab_design_signals(const struct lab_design *design)
{
    return design->calls != LAB_FETCH;
}

#endif
