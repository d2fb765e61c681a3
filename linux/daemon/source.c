/* SPDX-License-Identifier: MIT */
#include "linux/daemon/source.h"

#include "lib/error.h"
#include "linux/clock.h"
#include "program/complain.h"

#include <errno.h>
#include <string.h>

#define SECOND    1000000000ull
#define GATHER_NS 100000000u    /* what comes meanwhile is written together */
#define LOOK_NS   (10 * SECOND) /* looks around, also when nothing comes */

/* A part of the ring, which is in use until the journal has it on the disk. */
#define LOT_PART 16
#define LOT_MIN  65536u

static bool stops(struct source *source)
{
    return atomic_load(&source->stop);
}

/* ---- a batch ---- */

/* There is no memory: perhaps soon. -EINTR: it is to stop. */
static int wait_for_memory(struct source *source)
{
    wait_until(source->waker.fd, clock_mono_ns() + SECOND / 10);
    return stops(source) ? -EINTR : 0;
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
        if (wait_for_memory(source) < 0)
            return -EINTR;
    }
    if (status != ENGINE_OK)
        return rollcall_fail(-EBADMSG, "the kernel's events have a hole before event %llu",
                             (unsigned long long)batch->first_seq);
    atomic_store(&source->host->posted_seq, batch->last_seq);
    return 0;
}

static int gather(struct source *source, const struct rollcall_batch *batch)
{
    if (source->lot.batch.count == 0)
        source->gathers_to = clock_mono_ns() + GATHER_NS;
    while (!lot_add(&source->lot, batch))
        if (wait_for_memory(source) < 0)
            return -EINTR;
    return 0;
}

static int handle(struct source *source, const struct rollcall_batch *batch)
{
    int err = post(source, batch);

    if (err == 0)
        err = gather(source, batch);
    if (err == 0)
        notices_batch(&source->notices, batch);
    return err;
}

/* ---- to the journal ---- */

static bool is_full(const struct source *source)
{
    return source->lot.batch.size >= source->lot_max;
}

/* Returns until when it may wait before it looks again: the writer wakes it when it is ready. */
static uint64_t hand_over(struct source *source)
{
    bool hurries = atomic_exchange(&source->host->hurries, false);

    if (source->lot.batch.count == 0)
        return clock_mono_ns() + LOOK_NS;
    if (!hurries && !is_full(source) && clock_mono_ns() < source->gathers_to)
        return source->gathers_to;
    source->gathers_to = 0;
    writer_give(&source->writer, &source->lot);
    return clock_mono_ns() + LOOK_NS;
}

/* What is on the disk. */
static int acknowledge(struct source *source)
{
    uint64_t seq = atomic_load(&source->writer.synced_seq);

    if (seq <= source->acked_seq)
        return 0;
    source->acked_seq = seq;
    return rollcall_ack(source->waker.rc, seq);
}

/* ---- the thread ---- */

static int take_one(struct source *source)
{
    struct rollcall_batch batch;
    int err = acknowledge(source);
    uint64_t then = hand_over(source);
    int n;

    if (err < 0)
        return err;
    if (is_full(source)) {
        wait_until(source->waker.fd, then);
        return 0;
    }
    n = rollcall_next(source->waker.rc, milliseconds_until(then), &batch);
    err = n > 0 ? handle(source, &batch) : n;
    return err == -EINTR ? 0 : err;
}

static void *run(void *context)
{
    struct source *source = context;
    int err = 0;

    while (err == 0 && !stops(source)) {
        atomic_fetch_add(&source->measures->turns, 1);
        err = take_one(source);
        notices_pins(&source->notices, source->waker.rc);
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
    int err = rollcall_stats(source->waker.rc, &stats, sizeof(stats));

    if (err < 0)
        return err;
    source->acked_seq = stats.acked_seq;
    source->lot_max = stats.ring_size / LOT_PART;
    if (source->lot_max < LOT_MIN)
        source->lot_max = LOT_MIN;
    err = writer_start(&source->writer, stats.acked_seq);
    if (err < 0)
        return err;
    err = pthread_create(&source->thread, NULL, run, source);
    if (err == 0)
        return 0;
    writer_stop(&source->writer, &source->lot);
    return rollcall_fail(-err, "cannot start a thread: %s", strerror(err));
}

int source_stop(struct source *source)
{
    atomic_store(&source->stop, true);
    waker_wake(&source->waker);
    pthread_join(source->thread, NULL);
    writer_stop(&source->writer, &source->lot);
    if (source->failed == 0 && acknowledge(source) < 0)
        complain("%s", rollcall_error());
    lot_free(&source->lot);
    return source->failed ? source->failed : source->writer.failed;
}
