/* SPDX-License-Identifier: MIT */
#include "linux/daemon/syncer.h"

#include "lib/error.h"
#include "linux/clock.h"
#include "program/complain.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GATHER_NS 20000000u   /* what is written meanwhile shares the wait */
#define RETRY_NS  1000000000u /* after a failure */

static bool is_much(const struct syncer *syncer)
{
    return syncer->written - syncer->synced > syncer->unsynced_max;
}

/* Unless it is to stop, or (`hurries`) much has been written. The lock is held. */
static void pause_for(struct syncer *syncer, uint64_t ns, bool hurries)
{
    uint64_t then = clock_mono_ns() + ns;
    const struct timespec until = {.tv_sec = (time_t)(then / 1000000000u),
                                   .tv_nsec = (long)(then % 1000000000u)};
    int err = 0;

    while (!syncer->stop && err != ETIMEDOUT && !(hurries && is_much(syncer)))
        err = pthread_cond_timedwait(&syncer->changed, &syncer->lock, &until);
}

/* Waits until something is written, and some time for more. false: it is to stop. The lock is held. */
static bool wait_for_work(struct syncer *syncer)
{
    while (!syncer->stop && syncer->written_seq == syncer->synced_seq)
        pthread_cond_wait(&syncer->changed, &syncer->lock);
    pause_for(syncer, GATHER_NS, true);
    return !syncer->stop;
}

/* The lock is held, but not while it waits for the disk. */
static int sync_all(struct syncer *syncer)
{
    uint64_t seq = syncer->written_seq;
    uint64_t written = syncer->written;
    uint64_t one = 1;
    ssize_t woken;
    int err;

    pthread_mutex_unlock(&syncer->lock);
    err = journal_sync(syncer->journal);
    pthread_mutex_lock(&syncer->lock);
    if (err < 0)
        return err;
    syncer->synced_seq = seq;
    syncer->synced = written;
    woken = write(syncer->wake_fd, &one, sizeof(one));
    /* It can only be full of wake-ups. */
    (void)woken;
    return 0;
}

static void *run(void *context)
{
    struct syncer *syncer = context;
    bool failed = false;

    pthread_mutex_lock(&syncer->lock);
    while (wait_for_work(syncer)) {
        if (sync_all(syncer) == 0) {
            if (failed)
                complain("the journal is on the disk again");
            failed = false;
            continue;
        }
        if (!failed)
            complain(
                "%s; trying again every second, nothing is acknowledged to the kernel meanwhile",
                rollcall_error());
        failed = true;
        pause_for(syncer, RETRY_NS, false);
    }
    pthread_mutex_unlock(&syncer->lock);
    return NULL;
}

int syncer_start(struct syncer *syncer, struct journal *journal, int wake_fd, uint64_t synced_seq,
                 uint64_t unsynced_max)
{
    pthread_condattr_t attributes;
    int err;

    *syncer = (struct syncer){.journal = journal,
                              .wake_fd = wake_fd,
                              .written_seq = synced_seq,
                              .synced_seq = synced_seq,
                              .unsynced_max = unsynced_max};
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&syncer->lock, NULL);
    pthread_cond_init(&syncer->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    err = pthread_create(&syncer->thread, NULL, run, syncer);
    return err ? rollcall_fail(-err, "cannot start a thread: %s", strerror(err)) : 0;
}

void syncer_stop(struct syncer *syncer)
{
    pthread_mutex_lock(&syncer->lock);
    syncer->stop = true;
    pthread_cond_signal(&syncer->changed);
    pthread_mutex_unlock(&syncer->lock);
    pthread_join(syncer->thread, NULL);
    pthread_mutex_lock(&syncer->lock);
    if (syncer->written_seq != syncer->synced_seq && sync_all(syncer) < 0)
        complain("%s", rollcall_error());
    pthread_mutex_unlock(&syncer->lock);
    pthread_cond_destroy(&syncer->changed);
}

void syncer_written(struct syncer *syncer, uint64_t seq, size_t bytes)
{
    pthread_mutex_lock(&syncer->lock);
    syncer->written_seq = seq;
    syncer->written += bytes;
    pthread_cond_signal(&syncer->changed);
    pthread_mutex_unlock(&syncer->lock);
}

uint64_t syncer_synced(struct syncer *syncer)
{
    uint64_t seq;

    pthread_mutex_lock(&syncer->lock);
    seq = syncer->synced_seq;
    pthread_mutex_unlock(&syncer->lock);
    return seq;
}
