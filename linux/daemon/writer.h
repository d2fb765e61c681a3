/* SPDX-License-Identifier: MIT */
/*
 * The thread that writes the journal: events in lots, the places of durable consumers, what
 * retention removes. It alone waits for the disk.
 *
 * The source gathers one lot while this thread writes the other: however long the disk takes, consumers have
 * got the events by then. What has not been written yet is in the ring in the kernel, and stays
 * there until it is on the disk: only then it is acknowledged. So whenever the daemon ends, it comes again, with
 * the same numbers.
 */
#ifndef LINUX_DAEMON_WRITER_H
#define LINUX_DAEMON_WRITER_H

#include "journal/journal.h"
#include "linux/daemon/host.h"
#include "linux/daemon/lot.h"
#include "linux/daemon/measures.h"
#include "linux/daemon/notices.h"
#include "linux/daemon/places.h"
#include "linux/daemon/waiting.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct writer {
    struct journal *journal;
    struct host *host;
    struct places *places;
    struct measures *measures;
    struct retained retained;
    int wake_fd;                /* eventfd(2): a lot, a place, `stop` or `keeps_anew` */
    const struct waker *source; /* more is on the disk */
    bool retains;               /* the journal has limits */
    atomic_bool keeps_anew;     /* the measures have other limits than the journal */
    atomic_bool stop;
    atomic_bool has_lot; /* `lot` is this thread's; else the source's */
    struct lot lot;
    _Atomic uint64_t synced_seq; /* on the disk up to here */
    int failed;                  /* why it ended by itself: a negative errno; 0: it has not */
    void (*on_failure)(void);
    pthread_t thread;
    uint64_t retain_at;
    uint64_t store_at; /* places */
};

/* synced_seq: what the kernel has been told. 0 or a negative errno (rollcall_fail). */
int writer_start(struct writer *writer, uint64_t synced_seq);

/* Takes the lot, and leaves an empty one in its place. false: it is not ready for one; it will wake the
 * source when it is. */
bool writer_give(struct writer *writer, struct lot *lot);

/* Other limits for the journal, from now on. */
void writer_keep(struct writer *writer, uint64_t bytes, uint64_t seconds);

/* Ends the thread. Then writes `rest`, if it can, and waits for the disk. */
void writer_stop(struct writer *writer, struct lot *rest);

#endif
