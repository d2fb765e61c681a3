/* SPDX-License-Identifier: MIT */
/* The line that `rollcall record` keeps up to date on a terminal. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "journal/journal.h"

#include <rollcall/rollcall.h>

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool on;
    bool shown;
    uint64_t events; /* in all */
    uint64_t lost;
    uint64_t last_ns;      /* time stamp of the last event */
    uint64_t shown_at;     /* consume_now() */
    uint64_t shown_events; /* as of then */
};

/* Only on a terminal, and if `wanted`. */
void progress_begin(struct progress *progress, bool wanted);

void progress_count(struct progress *progress, const struct rollcall_batch *batch);

/* When the line is to be shown again (consume_now()); never: CONSUME_FOREVER. */
uint64_t progress_due(const struct progress *progress);

/* Shows it if it is due. stuck: the journal cannot be written at the moment. */
void progress_show(struct progress *progress, struct rollcall *rc, struct journal *journal,
                   bool stuck);

void progress_end(struct progress *progress);

#endif
