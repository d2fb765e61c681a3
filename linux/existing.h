/* SPDX-License-Identifier: MIT */
/* The processes that were there before, as the daemon tells them: read whole before the first event, so
 * that the end of the daemon between two pages cannot tear it. */
#ifndef LINUX_EXISTING_H
#define LINUX_EXISTING_H

#include <rollcall/rollcall.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct existing {
    char *records; /* owned; NULL: all have been handed out */
    size_t size;
    size_t room;
    size_t count;
    uint64_t epoch;    /* of the events that follow, ... */
    uint64_t next_seq; /* ... and the first one's number */
};

/* Reads them by a link that has attached without a name and fetched nothing. 0 or -errno, also what
 * the daemon says; on failure nothing is left. */
int existing_read(struct existing *existing, int link);

/* Hands out all of them; they are valid until existing_free(). Returns how many. */
int existing_take(const struct existing *existing, struct rollcall_batch *batch);

void existing_free(struct existing *existing);

#endif
