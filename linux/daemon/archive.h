/* SPDX-License-Identifier: MIT */
/* The journal as the archive of the engine: what a consumer wants that memory has no more. Read by a
 * connection of its own, in the thread of the clients, one answer at a time. */
#ifndef LINUX_DAEMON_ARCHIVE_H
#define LINUX_DAEMON_ARCHIVE_H

#include "journal/journal.h"

#include <stddef.h>
#include <stdint.h>

struct archive {
    struct journal *journal; /* for reading */
    uint64_t epoch;          /* that goes on; all others have ended */
};

/* A place in the history of this machine. */
struct position {
    uint64_t epoch;
    uint64_t seq;
};

/*
 * Writes a rollcall_reply and the records from `from` on, not beyond last_seq and not more than
 * `room` bytes in all. Numbers that the journal has no more become gaps. *bytes: how much was
 * written; a reply with count 0 if there is nothing. 0, -EMSGSIZE the first record has no room
 * (the reply says what it needs), or a negative errno of the journal.
 */
int archive_fill(const struct archive *archive, const struct position *from, uint64_t last_seq,
                 void *reply, size_t room, size_t *bytes);

/* The last number of an epoch that has ended; 0: nothing is known of it any more. */
int archive_last_seq(const struct archive *archive, uint64_t epoch, uint64_t *seq);

/* Behind the last event of an epoch that has ended: moves to the beginning of the next one. */
int archive_move_on(const struct archive *archive, struct position *position);

/* What makes times of an epoch times of day; *offset stays if there is no event. */
int archive_wall_offset(const struct archive *archive, const struct position *from,
                        int64_t *offset);

#endif
