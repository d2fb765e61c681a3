/* SPDX-License-Identifier: MIT */
/* What the log is told of events that are missing: those that the kernel lost, and those that retention
 * removed although a durable consumer had not acknowledged them. */
#ifndef LINUX_DAEMON_NOTICES_H
#define LINUX_DAEMON_NOTICES_H

#include "journal/journal.h"
#include "linux/daemon/log.h"
#include "linux/daemon/places.h"
#include "program/pins_watch.h"

struct notices {
    struct log_limit interruptions; /* of which it is not known how much they lost */
    struct log_limit losses;
    struct log_limit unpinned;
    struct log_limit repinned;
    struct pins_watch pins;
    uint64_t look_at; /* the pins: clock_mono_ns() */
};

struct retained {
    struct log_limit passed;
    uint64_t begin_seq; /* of the journal, when it was last looked at */
};

void notices_batch(struct notices *notices, const struct rollcall_batch *batch);

/* Looks, once a second at most, what has become of the pins of the consumer. */
void notices_pins(struct notices *notices, struct rollcall *rc);

/* After retention has removed what was due. */
void notices_retained(struct retained *retained, struct journal *journal, struct places *places,
                      uint64_t epoch);

#endif
