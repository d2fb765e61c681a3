/* SPDX-License-Identifier: MIT */
/*
 * Numbers at the end of the log that have no event. They stand here, in memory that is always
 * there, until an event that comes after them can be kept: then they become gap records before it.
 * The ranges follow each other without a hole, and the last one ends with the newest number.
 */
#ifndef CORE_LOSSES_H
#define CORE_LOSSES_H

#include <rollcall/event.h>

#include <stdint.h>

#define LOSSES_MAX 8u

struct loss {
    uint64_t first_seq;
    uint64_t last_seq;
    uint64_t mono_ns; /* when the last of them was lost */
    uint32_t reason;  /* enum rollcall_reason */
    uint32_t flags;   /* of a gap: enum rollcall_flag */
};

struct losses {
    uint32_t count;
    struct loss ranges[LOSSES_MAX];
};

/* Adds what follows the last range. When all ranges are taken the last one grows, and keeps its
 * reason: the numbers stay exact. */
void losses_add(struct losses *losses, const struct loss *loss);

/* The range with this number, which there is. */
const struct loss *losses_find(const struct losses *losses, uint64_t seq);

/* The record of the range, from `seq` on. */
void loss_record(const struct loss *loss, uint64_t seq, struct rollcall_event *gap);

#endif
