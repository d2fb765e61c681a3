/* SPDX-License-Identifier: MIT */
#include "linux/daemon/source.h"

#include "lib/error.h"
#include "linux/clock.h"
#include "linux/daemon/log.h"
#include "program/complain.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define SECOND    1000000000ull
#define STORE_NS  SECOND /* how long an acknowledgement may be unstored */
#define RETAIN_NS SECOND

#define UNSYNCED_PART 8 /* of the ring, which is in use until it is synced */

/* ---- waiting ---- */

static int milliseconds_until(uint64_t then)
{
    uint64_t now = clock_mono_ns();

    if (then == UINT64_MAX)
        return -1;
    return now >= then ? 0 : (int)((then - now + 999999) / 1000000);
}

/* Until `fd` (-1: none) is readable, somebody wakes us, or it is time. */
static void wait_until(const struct source *source, int fd, uint64_t then)
{
    struct pollfd fds[2] = {{.fd = source->wake_fd, .events = POLLIN},
                            {.fd = fd, .events = POLLIN}};
    uint64_t wakes;

    atomic_fetch_add(&source->measures->turns, 1);
    if (poll(fds, 2, milliseconds_until(then)) > 0 && fds[0].revents &&
        read(source->wake_fd, &wakes, sizeof(wakes)) < 0)
        return;
}

static bool stops(struct source *source)
{
    return atomic_load(&source->stop);
}

/* Whether it may work again when its cause is gone, without us doing anything. */
static bool passes(int err)
{
    return err == -ENOSPC || err == -EDQUOT || err == -EBUSY || err == -EIO || err == -EROFS;
}

/* ---- what is due from time to time ---- */

static int store_places(struct source *source)
{
    bool urgent;
    uint64_t now;
    int err;

    if (!places_due(source->places, &urgent)) {
        source->store_at = UINT64_MAX;
        return 0;
    }
    now = clock_mono_ns();
    if (source->store_at == UINT64_MAX)
        source->store_at = now + STORE_NS;
    if (!urgent && now < source->store_at)
        return 0;
    err = places_store(source->places, source->journal);
    source->store_at = err < 0 ? now + SECOND : UINT64_MAX;
    if (err < 0 && !passes(err))
        return err;
    host_wake(source->host);
    return 0;
}

static int take_limits(struct source *source)
{
    uint64_t bytes = atomic_load(&source->measures->keep_bytes);
    uint64_t seconds = atomic_load(&source->measures->keep_seconds);

    source->retains = bytes > 0 || seconds > 0;
    return journal_keep(source->journal, bytes, seconds);
}

static int retain(struct source *source)
{
    uint64_t now = clock_mono_ns();
    int more;

    if (atomic_exchange(&source->keeps_anew, false) && (more = take_limits(source)) < 0)
        return more;
    if (!source->retains || now < source->retain_at)
        return 0;
    more = journal_retain(source->journal);
    source->retain_at = now + (more == 1 ? 0 : RETAIN_NS);
    notices_retained(&source->notices, source->journal, source->places, source->host->epoch);
    return more < 0 && !passes(more) ? more : 0;
}

static int do_what_is_due(struct source *source)
{
    int err = store_places(source);

    return err < 0 ? err : retain(source);
}

/* ---- a batch ---- */

static int append(struct source *source, const struct rollcall_batch *batch)
{
    uint64_t began = clock_mono_ns();
    int err = journal_append(source->journal, batch);

    if (err == 0)
        measures_commit(source->measures, clock_mono_ns() - began);
    return err;
}

/* However long it takes: the events wait in the kernel meanwhile. -EINTR: it is to stop. */
static int store(struct source *source, const struct rollcall_batch *batch)
{
    atomic_bool *is_blocked = &source->measures->is_blocked;
    int err;

    while ((err = append(source, batch)) < 0 && passes(err)) {
        if (!atomic_exchange(is_blocked, true))
            log_line(LOG_ERR, "%s; trying again every second, events wait in the kernel meanwhile",
                     rollcall_error());
        wait_until(source, -1, clock_mono_ns() + SECOND);
        if (stops(source))
            return -EINTR;
    }
    if (err == 0 && atomic_exchange(is_blocked, false))
        log_line(LOG_NOTICE, "the journal can be written again");
    return err;
}

static int post(struct source *source, const struct rollcall_batch *batch)
{
    const unsigned char *records = (const void *)batch->first;
    enum engine_status status;
    size_t done = 0;
    size_t posted;

    while ((status = engine_post_numbered(source->host->engine, records + done, batch->size - done,
                                          &posted)) == ENGINE_NO_MEMORY) {
        done += posted;
        wait_until(source, -1, clock_mono_ns() + SECOND / 10);
        if (stops(source))
            return -EINTR;
    }
    if (status != ENGINE_OK)
        return rollcall_fail(-EBADMSG, "the kernel's events have a hole before event %llu",
                             (unsigned long long)batch->first_seq);
    host_posted(source->host, batch->last_seq);
    return 0;
}

static int handle(struct source *source, const struct rollcall_batch *batch)
{
    int err = store(source, batch);

    if (err < 0)
        return err;
    syncer_written(&source->syncer, batch->last_seq, batch->size);
    err = post(source, batch);
    if (err == 0)
        notices_batch(&source->notices, batch);
    return err;
}

/* What is on the disk. */
static int acknowledge(struct source *source)
{
    uint64_t seq = syncer_synced(&source->syncer);

    if (seq <= source->acked_seq)
        return 0;
    source->acked_seq = seq;
    return rollcall_ack(source->rc, seq);
}

/* ---- the thread ---- */

static int take_one(struct source *source)
{
    struct rollcall_batch batch;
    int n = rollcall_next(source->rc, 0, &batch);
    int err = n > 0 ? handle(source, &batch) : n;
    uint64_t then;

    if (err == 0)
        err = acknowledge(source);
    if (err == 0)
        err = do_what_is_due(source);
    if (err == -EINTR)
        return 0;
    /* Only when nothing was there its descriptor tells of what comes. */
    if (err < 0 || n > 0)
        return err;
    then = source->store_at;
    if (source->retains && source->retain_at < then)
        then = source->retain_at;
    wait_until(source, rollcall_fd(source->rc), then);
    return 0;
}

static void *run(void *context)
{
    struct source *source = context;
    int err = 0;

    while (err == 0 && !stops(source)) {
        atomic_fetch_add(&source->measures->turns, 1);
        err = take_one(source);
    }
    if (err < 0) {
        source->failed = err;
        complain("%s", rollcall_error());
        source->on_failure();
    }
    return NULL;
}

int source_start(struct source *source)
{
    struct rollcall_stats stats;
    int err = rollcall_stats(source->rc, &stats, sizeof(stats));

    if (err < 0)
        return err;
    source->store_at = UINT64_MAX;
    source->acked_seq = stats.acked_seq;
    err = syncer_start(&source->syncer, source->journal, source->wake_fd, stats.acked_seq,
                       stats.ring_size / UNSYNCED_PART);
    if (err < 0)
        return err;
    err = pthread_create(&source->thread, NULL, run, source);
    if (err == 0)
        return 0;
    syncer_stop(&source->syncer);
    return rollcall_fail(-err, "cannot start a thread: %s", strerror(err));
}

void source_wake(const struct source *source)
{
    uint64_t one = 1;
    ssize_t written = write(source->wake_fd, &one, sizeof(one));

    /* It can only be full of wake-ups. */
    (void)written;
}

void source_keep(struct source *source, uint64_t bytes, uint64_t seconds)
{
    atomic_store(&source->measures->keep_bytes, bytes);
    atomic_store(&source->measures->keep_seconds, seconds);
    atomic_store(&source->keeps_anew, true);
    source_wake(source);
}

int source_stop(struct source *source)
{
    bool urgent;

    atomic_store(&source->stop, true);
    source_wake(source);
    pthread_join(source->thread, NULL);
    if (source->failed == 0 && places_due(source->places, &urgent) &&
        places_store(source->places, source->journal) < 0)
        complain("%s", rollcall_error());
    syncer_stop(&source->syncer);
    if (source->failed == 0 && acknowledge(source) < 0)
        complain("%s", rollcall_error());
    return source->failed;
}
