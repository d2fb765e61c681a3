/* SPDX-License-Identifier: MIT */
#include "linux/daemon/writer.h"

#include "lib/error.h"
#include "linux/clock.h"
#include "linux/daemon/log.h"
#include "program/complain.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SECOND    1000000000ull
#define STORE_NS  SECOND /* how long an acknowledgement may be unstored */
#define RETAIN_NS SECOND

static bool stops(struct writer *writer)
{
    return atomic_load(&writer->stop);
}

/* Whether it may work again when its cause is gone, without us doing anything. */
static bool passes(int err)
{
    return err == -ENOSPC || err == -EDQUOT || err == -EBUSY || err == -EIO || err == -EROFS;
}

/* ---- what is due from time to time ---- */

static int store_places(struct writer *writer)
{
    bool urgent;
    uint64_t now;
    int err;

    if (!places_due(writer->places, &urgent)) {
        writer->store_at = UINT64_MAX;
        return 0;
    }
    now = clock_mono_ns();
    if (writer->store_at == UINT64_MAX)
        writer->store_at = now + STORE_NS;
    if (!urgent && now < writer->store_at)
        return 0;
    err = places_store(writer->places, writer->journal);
    writer->store_at = err < 0 ? now + SECOND : UINT64_MAX;
    if (err < 0 && !passes(err))
        return err;
    host_wake(writer->host);
    return 0;
}

static int take_limits(struct writer *writer)
{
    uint64_t bytes = atomic_load(&writer->measures->keep_bytes);
    uint64_t seconds = atomic_load(&writer->measures->keep_seconds);

    writer->retains = bytes > 0 || seconds > 0;
    return journal_keep(writer->journal, bytes, seconds);
}

static int retain(struct writer *writer)
{
    uint64_t now = clock_mono_ns();
    int more;

    if (atomic_exchange(&writer->keeps_anew, false) && (more = take_limits(writer)) < 0)
        return more;
    if (!writer->retains || now < writer->retain_at)
        return 0;
    more = journal_retain(writer->journal);
    writer->retain_at = now + (more == 1 ? 0 : RETAIN_NS);
    notices_retained(&writer->retained, writer->journal, writer->places, writer->host->epoch);
    return more < 0 && !passes(more) ? more : 0;
}

static int do_what_is_due(struct writer *writer)
{
    int err = store_places(writer);

    return err < 0 ? err : retain(writer);
}

/* ---- a lot ---- */

static int append(const struct writer *writer, const struct lot *lot)
{
    uint64_t began = clock_mono_ns();
    int err = journal_append(writer->journal, &lot->batch);

    if (err < 0)
        return err;
    measures_commit(writer->measures, clock_mono_ns() - began);
    host_stored(writer->host, lot->batch.last_seq);
    return 0;
}

/* However long it takes: the events wait in the kernel meanwhile. -EINTR: it is to stop. */
static int insist(struct writer *writer, const struct lot *lot)
{
    atomic_bool *is_blocked = &writer->measures->is_blocked;
    int err;

    while ((err = append(writer, lot)) < 0 && passes(err)) {
        if (!atomic_exchange(is_blocked, true)) {
            log_line(LOG_ERR, "%s; trying again every second, events wait in the kernel meanwhile",
                     rollcall_error());
            host_wake(writer->host);
        }
        if (stops(writer))
            return -EINTR;
        wait_until(writer->wake_fd, clock_mono_ns() + SECOND);
    }
    if (err == 0 && atomic_exchange(is_blocked, false))
        log_line(LOG_NOTICE, "the journal can be written again");
    return err;
}

static int write_lot(struct writer *writer, struct lot *lot)
{
    uint64_t last_seq = lot->batch.last_seq;
    int err = insist(writer, lot);

    if (err < 0)
        return err;
    lot_clear(lot);
    atomic_store(&writer->synced_seq, last_seq);
    return 0;
}

/* ---- the thread ---- */

static int take_one(struct writer *writer)
{
    bool has_lot = atomic_load(&writer->has_lot);
    int err = has_lot ? write_lot(writer, &writer->lot) : 0;
    uint64_t then;

    if (err == 0 && has_lot) {
        atomic_store(&writer->has_lot, false);
        waker_wake(writer->source);
    }
    if (err == 0)
        err = do_what_is_due(writer);
    if (err < 0)
        return err == -EINTR ? 0 : err;
    then = writer->store_at;
    if (writer->retains && writer->retain_at < then)
        then = writer->retain_at;
    wait_until(writer->wake_fd, then);
    return 0;
}

static void *run(void *context)
{
    struct writer *writer = context;
    int err = 0;

    while (err == 0 && !stops(writer))
        err = take_one(writer);
    if (err < 0) {
        writer->failed = err;
        complain("%s", rollcall_error());
        writer->on_failure();
    }
    return NULL;
}

int writer_start(struct writer *writer, uint64_t synced_seq)
{
    int err;

    writer->store_at = UINT64_MAX;
    atomic_store(&writer->synced_seq, synced_seq);
    err = pthread_create(&writer->thread, NULL, run, writer);
    return err ? rollcall_fail(-err, "cannot start a thread: %s", strerror(err)) : 0;
}

bool writer_give(struct writer *writer, struct lot *lot)
{
    struct lot empty = writer->lot;

    if (atomic_load(&writer->has_lot))
        return false;
    writer->lot = *lot;
    *lot = empty;
    atomic_store(&writer->has_lot, true);
    eventfd_write(writer->wake_fd, 1);
    return true;
}

void writer_keep(struct writer *writer, uint64_t bytes, uint64_t seconds)
{
    atomic_store(&writer->measures->keep_bytes, bytes);
    atomic_store(&writer->measures->keep_seconds, seconds);
    atomic_store(&writer->keeps_anew, true);
    eventfd_write(writer->wake_fd, 1);
}

/* Once, as nobody is left to wait for. */
static int write_rest(struct writer *writer, struct lot *rest)
{
    bool urgent;
    int err = 0;

    if (writer->lot.batch.count > 0)
        err = write_lot(writer, &writer->lot);
    if (err == 0 && rest->batch.count > 0)
        err = write_lot(writer, rest);
    if (err == 0 && places_due(writer->places, &urgent))
        err = places_store(writer->places, writer->journal);
    return err;
}

void writer_stop(struct writer *writer, struct lot *rest)
{
    int err;

    atomic_store(&writer->stop, true);
    eventfd_write(writer->wake_fd, 1);
    pthread_join(writer->thread, NULL);
    err = writer->failed ? 0 : write_rest(writer, rest);
    if (err < 0 && err != -EINTR)
        complain("%s", rollcall_error());
    lot_free(&writer->lot);
}
