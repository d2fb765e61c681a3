/* SPDX-License-Identifier: MIT */
/* The processes that are alive, as /proc shows them, and whether the events have told of each. */
#ifndef ALIVE_H
#define ALIVE_H

#include "tests/load/check.h"

#include <stddef.h>
#include <stdint.h>

#define ALIVE_MAX 32768u

struct alive {
    uint32_t pid;
    uint64_t start_ticks; /* of the clock */
};

/* Lists at most ALIVE_MAX that have not begun to end; returns how many. */
size_t alive_list(struct alive *alive);

/* How many there are, with those that have ended and that nobody has waited for. */
uint64_t alive_count(void);

/*
 * Each that had started before synced_ns must have been announced once: the list was made after
 * that, and the check has had all events up to the making of the list. Ends the program if not; returns
 * how many were compared.
 */
unsigned alive_compare(const struct alive *alive, size_t count, const struct check *check,
                       uint64_t synced_ns);

#endif
