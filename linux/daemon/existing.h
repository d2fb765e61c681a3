/* SPDX-License-Identifier: MIT */
/*
 * The processes that were there before a consumer's first event, a page at a time.
 *
 * Who they are is read from the journal at once, together with its last number: that is the place
 * behind which the consumer begins. So each process is in the list, or is created by a later event. What
 * is told of them is read with each page, as it was at that place. A process that has ended meanwhile
 * is still there: retention removes it only together with its exit, and then the consumer, which is
 * not yet past that, gets a gap.
 */
#ifndef LINUX_DAEMON_EXISTING_H
#define LINUX_DAEMON_EXISTING_H

#include "linux/daemon/archive.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct existing; /* a list, and how far it has been told */

/* What is told. */
struct existing_options {
    bool own; /* only the processes of one user ... */
    uint32_t uid;
};

/* Reads the list. *at: the place behind which the events begin. NULL: *error, an errno value, says
 * why; ENOMEM, EIO. */
struct existing *existing_open(const struct archive *archive,
                               const struct existing_options *options, struct position *at,
                               int *error);

/* NULL is allowed. */
void existing_close(struct existing *existing);

/* Writes some records, at most `room` bytes. *count of them are *size bytes. 0, EMSGSIZE: the next one
 * has no room and needs *size, or EIO. */
int existing_fill(struct existing *existing, const struct archive *archive, void *records,
                  size_t room, uint32_t *count, size_t *size);

/* Whether all have been told, and that too. */
bool existing_done(const struct existing *existing);

#endif
