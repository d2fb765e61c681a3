/* SPDX-License-Identifier: MIT */
/* What the lab's driver tells of itself: it answers ROLLCALL_CODE_STATS with it. */
#ifndef WINDOWS_LAB_REPORT_H
#define WINDOWS_LAB_REPORT_H

#include <rollcall/protocol.h>

#define REPORT_EVENTS 10000u /* the driver's life is one run, of no more events */
#define REPORT_DESIGN 64u    /* bytes of a name, with its NUL */

struct report_request {
    struct rollcall_request request;
    uint32_t first; /* the event whose fate is the first to be told */
    uint32_t reserved;
};

/* What became of an event in the driver. Its number is that of its creation, 0 is the first. */
struct report_fate {
    uint64_t raised_ns; /* when its callback began */
    uint8_t dropped;    /* there was no place for it */
    uint8_t handed;     /* it was in an answer */
    uint8_t told;       /* it was in a gap that was in an answer */
    uint8_t reserved[5];
};

struct report {
    char design[REPORT_DESIGN]; /* which one it is */
    /* Of the service that has the driver open, or had it last; requests: */
    uint64_t arrived;  /* and are pended or answered */
    uint64_t answered; /* counted before the answer goes out */
    /* The design's own, see struct lab_figures: */
    uint64_t raised;
    uint64_t dropped;
    uint64_t waiting;
    uint64_t bytes_most;
    /* The fates: */
    uint32_t events; /* there are */
    uint32_t count;  /* follow, as many as have room in the answer */
};

_Static_assert(sizeof(struct report) >= sizeof(struct rollcall_engine_stats),
               "the room without which the driver does not ask its engine");

#endif
