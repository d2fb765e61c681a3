/* SPDX-License-Identifier: MIT */
/* What to say when somebody removes what is pinned of a durable consumer that is open (Linux). */
#ifndef PROGRAM_PINS_WATCH_H
#define PROGRAM_PINS_WATCH_H

#include <rollcall/rollcall.h>

#include <stdbool.h>
#include <stddef.h>

/* The rest begins as zeroes. */
struct pins_watch {
    const char *name; /* the consumer's */
    uint64_t repinned;
    uint32_t unpinned;
};

/* Compares with what it saw last. true: there is something to say, in `text`. */
bool pins_watch_look(struct pins_watch *watch, struct rollcall *rc, char *text, size_t size);

#endif
