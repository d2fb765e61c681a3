/* SPDX-License-Identifier: MIT */
/*
 * Whether what a consumer was not given is exactly what its gaps say, and where they say it: a second
 * consumer, whose ring was large enough, is the witness.
 */
#ifndef HOLES_H
#define HOLES_H

#include <rollcall/rollcall.h>

#include <stddef.h>
#include <sys/types.h>

struct item;

struct events_heard {
    struct item *items;
    size_t count;
    size_t room;
};

/* For struct reader; its context is a struct events_heard. */
void hear(const struct rollcall_event *event, void *context);

/*
 * Between the exits of two processes, which both have heard: before each event that was delivered, gaps
 * have told of as many as the witness has that were not. Ends the program if not, or if nothing was
 * lost. Both have heard all up to behind the second one. Frees what they have.
 */
void compare_holes(struct events_heard *witnessed, struct events_heard *delivered, pid_t first,
                   pid_t last);

#endif
