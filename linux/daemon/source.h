/* SPDX-License-Identifier: MIT */
/*
 * The thread that takes the events: from the kernel into the journal, then into the engine; acknowledged
 * to the kernel when the journal has them on the disk. Whatever instruction it is killed at: what was not acknowledged
 * comes again, the journal leaves what it has, and the engine begins behind what the journal has.
 *
 * It is the only one that uses the consumer of the kernel and the journal's writer.
 */
#ifndef LINUX_DAEMON_SOURCE_H
#define LINUX_DAEMON_SOURCE_H

#include "journal/journal.h"
#include "linux/daemon/host.h"
#include "linux/daemon/measures.h"
#include "linux/daemon/notices.h"
#include "linux/daemon/places.h"
#include "linux/daemon/syncer.h"

#include <pthread.h>
#include <stdatomic.h>

struct source {
    struct rollcall *rc;
    struct journal *journal;
    struct host *host;
    struct places *places;
    struct syncer syncer;
    struct measures *measures;
    struct notices notices;
    bool retains; /* the journal has limits */
    int wake_fd; /* eventfd(2): a place has changed, more is on the disk, `stop`, or `keeps_anew` */
    atomic_bool stop;
    atomic_bool keeps_anew; /* the measures have other limits than the journal */
    int failed;             /* why it ended by itself: a negative errno; 0: it has not */
    void (*on_failure)(void);
    pthread_t thread;
    uint64_t acked_seq; /* to the kernel */
    uint64_t retain_at;
    uint64_t store_at; /* places */
};

/* 0 or a negative errno (rollcall_fail). */
int source_start(struct source *source);

/* Other limits for the journal, from now on. */
void source_keep(struct source *source, uint64_t bytes, uint64_t seconds);

/* Wakes it: its turns go on then, if it lives. */
void source_wake(const struct source *source);

/* Ends it, after the places have been stored and what was taken is on the disk. Returns `failed`. */
int source_stop(struct source *source);

#endif
