/* SPDX-License-Identifier: MIT */
/*
 * The thread that waits for the disk.
 *
 * What is in the journal survives the end of the daemon as soon as it is written: then consumers may
 * have it. The end of the whole system takes the ring in the kernel too, so that it is on the disk
 * must be known only before it is acknowledged to the kernel. So an event that comes alone does not wait
 * for the disk, and in a burst one wait is shared by many transactions.
 */
#ifndef LINUX_DAEMON_SYNCER_H
#define LINUX_DAEMON_SYNCER_H

#include "journal/journal.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct syncer {
    struct journal *journal;
    int wake_fd; /* eventfd(2): more is on the disk */
    pthread_t thread;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    uint64_t written_seq; /* in the journal up to here ... */
    uint64_t synced_seq;  /* ... and on the disk up to here */
    uint64_t written;     /* bytes of events that have been written ... */
    uint64_t synced;      /* ... and that are on the disk */
    uint64_t unsynced_max;
    bool stop;
};

/* 0 or a negative errno (rollcall_fail). The journal is one of which `sync_later` is set. unsynced_max:
 * with more bytes than these it does not wait for others to share the wait. */
int syncer_start(struct syncer *syncer, struct journal *journal, int wake_fd, uint64_t synced_seq,
                 uint64_t unsynced_max);

/* Waits once more for the disk, and ends the thread. */
void syncer_stop(struct syncer *syncer);

/* All up to `seq` has been written, and that was so many bytes more. */
void syncer_written(struct syncer *syncer, uint64_t seq, size_t bytes);

/* Up to where all is on the disk. */
uint64_t syncer_synced(struct syncer *syncer);

#endif
