/* SPDX-License-Identifier: MIT */
/* What the source's thread tells the log of what it handles: events that the kernel lost, and events
 * that retention removed although a durable consumer had not acknowledged them. */
#ifndef LINUX_DAEMON_NOTICES_H
#define LINUX_DAEMON_NOTICES_H

#include "journal/journal.h"
#include "linux/daemon/log.h"
#include "linux/daemon/places.h"

struct notices {
    struct log_limit losses;
    struct log_limit passed;
    uint64_t begin_seq; /* of the journal, when it was last looked at */
};

void notices_batch(struct notices *notices, const struct rollcall_batch *batch);

/* After retention has removed what was due. */
void notices_retained(struct notices *notices, struct journal *journal, struct places *places,
                      uint64_t epoch);

#endif
