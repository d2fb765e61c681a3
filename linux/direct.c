/* SPDX-License-Identifier: MIT */
/*
 * The transport that reads this machine's kernel itself: capture, ring, decoder, doorbell and
 * place, put together.
 *
 * What is acknowledged is free. What is handed out and not yet acknowledged stays in the ring;
 * for each batch handed out there is a mark: where the ring was after it.
 */
#include "lib/error.h"
#include "lib/transport.h"
#include "linux/capture.h"
#include "linux/clock.h"
#include "linux/decode.h"
#include "linux/doorbell.h"
#include "linux/interrupt.h"
#include "linux/pins.h"
#include "linux/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BATCH_BYTES (1u << 20)
#define SPIN_NS     10000000u /* a spinning reader returns this often */

struct mark {
    uint64_t position;
    uint64_t seq;
    uint64_t lost[ROLLCALL_REASONS];
};

struct direct {
    struct capture capture;
    struct ring ring;
    struct decoder decoder;
    struct event_buffer buffer;
    struct doorbell bell;
    struct interrupt interrupt;
    struct mark *marks; /* of the batches that are not acknowledged whole, oldest first */
    size_t marks_first;
    size_t marks_count;
    size_t marks_room;
    uint64_t acked_seq;
    uint64_t position; /* of the place that is stored */
    uint64_t ticked_ns;
    int spin_fd; /* always readable: a spinning reader does not sleep in poll(2) either; else -1 */
};

/* ---- opening and closing ---- */

static int find_place(struct direct *d)
{
    struct place place;
    uint64_t produced = ring_produced(&d->ring);

    place_load(d->capture.control, &place);
    if (place.position < ring_consumed(&d->ring) || place.position > produced ||
        produced - place.position > d->ring.size)
        return rollcall_fail(-EPROTO, "the place of this consumer in its ring is damaged: "
                                      "`rollcall detach`, and begin anew");
    ring_release(&d->ring, place.position);
    d->position = place.position;
    d->acked_seq = place.acked_seq;
    d->decoder.ring = &d->ring;
    d->decoder.position = place.position;
    d->decoder.seq = place.seq;
    memcpy(d->decoder.lost, place.lost, sizeof(place.lost));
    d->decoder.acked_seq = place.acked_seq;
    return 0;
}

static int direct_open(const struct rollcall_options *opts, void **state)
{
    struct direct *d = calloc(1, sizeof(*d));
    struct rollcall_options full = *opts;
    struct control *control;
    int err;

    if (!d)
        return rollcall_fail(-ENOMEM, "out of memory");
    if (full.ring_size == 0)
        full.ring_size = ROLLCALL_DEFAULT_RING_SIZE;
    err = capture_open(&d->capture, &full);
    if (err < 0)
        goto free_state;
    control = d->capture.control;
    d->ticked_ns = clock_mono_ns();
    err = ring_map(&d->ring, d->capture.maps[MAP_RING], control->ring_size);
    if (err < 0) {
        rollcall_fail(err, "cannot map the ring: %s", strerror(-err));
        goto close_capture;
    }
    d->spin_fd = opts->flags & ROLLCALL_SPIN ? eventfd(1, EFD_CLOEXEC) : -1;
    if (opts->flags & ROLLCALL_SPIN && d->spin_fd < 0) {
        err = rollcall_fail(-errno, "out of file descriptors: %s", strerror(errno));
        goto unmap;
    }
    err = find_place(d);
    if (err < 0)
        goto close_spin;
    err = interrupt_open(&d->interrupt);
    if (err == 0)
        err = doorbell_init(&d->bell, &d->ring, d->capture.maps[MAP_RING], d->interrupt.fd,
                            (_Atomic uint64_t *)&control->sleeper, opts->latency_us * 1000ull);
    if (err < 0) {
        rollcall_fail(err, "cannot wait for events: %s", strerror(-err));
        goto close_interrupt;
    }
    *state = d;
    return 0;

close_interrupt:
    interrupt_close(&d->interrupt);
close_spin:
    if (d->spin_fd >= 0)
        close(d->spin_fd);
unmap:
    ring_unmap(&d->ring);
close_capture:
    capture_close(&d->capture);
free_state:
    free(d);
    return err;
}

static void direct_close(void *state)
{
    struct direct *d = state;

    doorbell_destroy(&d->bell);
    interrupt_close(&d->interrupt);
    if (d->spin_fd >= 0)
        close(d->spin_fd);
    ring_unmap(&d->ring);
    capture_close(&d->capture);
    free(d->buffer.data);
    free(d->marks);
    free(d);
}

static int direct_fd(const void *state)
{
    const struct direct *d = state;

    return d->spin_fd >= 0 ? d->spin_fd : d->bell.epoll;
}

/* ---- acknowledging ---- */

static int push_mark(struct direct *d)
{
    struct mark *mark;

    if (d->marks_first + d->marks_count == d->marks_room && d->marks_first > 0) {
        memmove(d->marks, d->marks + d->marks_first, d->marks_count * sizeof(*d->marks));
        d->marks_first = 0;
    }
    if (d->marks_count == d->marks_room) {
        size_t room = d->marks_room ? 2 * d->marks_room : 16;
        struct mark *marks = realloc(d->marks, room * sizeof(*marks));

        if (!marks)
            return rollcall_fail(-ENOMEM, "out of memory");
        d->marks = marks;
        d->marks_room = room;
    }
    mark = &d->marks[d->marks_first + d->marks_count++];
    mark->position = d->decoder.position;
    mark->seq = d->decoder.seq;
    memcpy(mark->lost, d->decoder.lost, sizeof(mark->lost));
    return 0;
}

static void store_place(struct direct *d, const struct mark *mark)
{
    struct place place = {.position = mark->position, .seq = mark->seq, .acked_seq = d->acked_seq};

    memcpy(place.lost, mark->lost, sizeof(place.lost));
    place_store(d->capture.control, &place);
    ring_release(&d->ring, mark->position);
    d->position = mark->position;
}

/* When all that was handed out is acknowledged, what followed without being an event is too:
 * pieces of text, marks, places given back. Else they could fill a small ring for ever. */
static void settle(struct direct *d)
{
    struct mark here = {.position = d->decoder.position, .seq = d->decoder.seq};

    if (d->marks_count > 0 || d->position == d->decoder.position)
        return;
    memcpy(here.lost, d->decoder.lost, sizeof(here.lost));
    store_place(d, &here);
}

static int direct_ack(void *state, uint64_t seq)
{
    struct direct *d = state;
    struct mark last = {0};
    struct place place;
    bool whole = false;

    if (seq > d->decoder.seq)
        return rollcall_fail(-EINVAL, "event %llu cannot be acknowledged: it was not delivered yet",
                             (unsigned long long)seq);
    if (seq <= d->acked_seq)
        return 0;
    d->acked_seq = seq;
    while (d->marks_count > 0 && d->marks[d->marks_first].seq <= seq) {
        last = d->marks[d->marks_first++];
        d->marks_count--;
        whole = true;
    }
    if (whole) {
        store_place(d, &last);
        settle(d);
        return 0;
    }
    /* In the middle of a batch: the place stays, and its successor skips what is acknowledged. */
    place_load(d->capture.control, &place);
    place.acked_seq = seq;
    place_store(d->capture.control, &place);
    return 0;
}

/* ---- reading ---- */

/* What a look at the ring came upon behind what it read. */
struct look {
    bool busy; /* a record that is still being written */
    bool more; /* events for another batch */
};

/* Decodes what is there, up to a batch. Returns how many events. */
static int read_batch(struct direct *d, struct look *look)
{
    uint64_t produced = ring_produced(&d->ring);
    int got = DECODE_MORE;

    d->buffer.size = 0;
    d->buffer.count = 0;
    while (got == DECODE_MORE && d->buffer.size < BATCH_BYTES)
        got = decode_next(&d->decoder, produced, &d->buffer);
    look->busy = got == DECODE_BUSY;
    look->more = got == DECODE_MORE;
    if (got >= 0 || d->buffer.count > 0)
        return (int)d->buffer.count;
    if (got == -ENOMEM)
        return rollcall_fail(got, "out of memory");
    return rollcall_fail(got, "the ring holds what no rollcall program wrote, at byte %llu",
                         (unsigned long long)d->decoder.position);
}

static int hand_out(struct direct *d, struct rollcall_batch *batch)
{
    const struct event_buffer *buffer = &d->buffer;
    int err = push_mark(d);

    if (err < 0)
        return err;
    batch->first = (const struct rollcall_event *)(const void *)buffer->data;
    batch->size = buffer->size;
    batch->count = buffer->count;
    batch->epoch = d->capture.control->epoch;
    batch->first_seq = batch->first->seq;
    batch->last_seq = d->decoder.seq;
    batch->wall_offset_ns = clock_wall_offset_ns();
    return (int)buffer->count;
}

/* Losses after the last record: no later record tells of them. */
static bool has_untold_losses(const struct direct *d)
{
    for (size_t i = 0; i < ROLLCALL_REASONS; i++)
        if (atomic_load_explicit((_Atomic uint64_t *)&d->capture.control->lost[i],
                                 memory_order_acquire) > d->decoder.lost[i])
            return true;
    return false;
}

static void tick(struct direct *d)
{
    uint64_t now = clock_mono_ns();

    if (now - d->ticked_ns < CAPTURE_TICK_NS)
        return;
    d->ticked_ns = now;
    capture_tick(&d->capture);
}

/* When there is nothing to read: makes what is due come into the ring. true if something did. */
static bool bring(struct direct *d)
{
    settle(d);
    return has_untold_losses(d) && capture_mark(&d->capture) == 0;
}

/* Not only when there is nothing to read, as that may never be; but not into a ring that may have
 * no room for it. */
static void take_snapshot(struct direct *d)
{
    uint64_t used = ring_produced(&d->ring) - ring_consumed(&d->ring);

    if (d->capture.control->synced_due && used <= d->ring.size / 2)
        capture_snapshot(&d->capture);
}

/* Waits for something to read. 1: look again, 0: the time is over, or -EINTR. */
static int wait_asleep(struct direct *d, bool early, bool busy, int timeout_ms)
{
    int err;

    if (early)
        doorbell_wait_for_look(&d->bell);
    else if (!doorbell_arm(&d->bell, d->decoder.position, busy))
        return 1;
    if (interrupt_take(&d->interrupt))
        return -EINTR;
    if (timeout_ms == 0)
        return 0;
    err = doorbell_sleep(&d->bell, timeout_ms);
    return err < 0 ? err : 1;
}

/* Tells the processor that this is a loop that waits. */
static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int wait_spinning(struct direct *d, uint64_t deadline)
{
    uint64_t position = d->decoder.position;

    do {
        for (int i = 0; i < 64; i++) {
            if (ring_produced(&d->ring) != position)
                return 1;
            relax();
        }
    } while (clock_mono_ns() < deadline);
    return interrupt_take(&d->interrupt) ? -EINTR : 0;
}

static int remaining_ms(uint64_t deadline)
{
    uint64_t now = clock_mono_ns();

    return now >= deadline ? 0 : (int)((deadline - now + 999999) / 1000000);
}

static int direct_next(void *state, int timeout_ms, struct rollcall_batch *batch)
{
    struct direct *d = state;
    bool spin = d->spin_fd >= 0;
    uint64_t limit = spin ? SPIN_NS : (uint64_t)timeout_ms * 1000000;
    uint64_t deadline = clock_mono_ns() + limit;
    bool endless = timeout_ms < 0 && !spin;

    doorbell_disarm(&d->bell);
    for (;;) {
        bool early = !spin && doorbell_early(&d->bell);
        struct look look = {0};
        int n;

        tick(d);
        take_snapshot(d);
        n = early ? 0 : read_batch(d, &look);
        if (n < 0)
            return n;
        if (n > 0) {
            doorbell_found(&d->bell, look.more);
            return hand_out(d, batch);
        }
        if (!early && !look.busy && bring(d))
            continue;
        if (spin)
            n = wait_spinning(d, deadline);
        else
            n = wait_asleep(d, early, look.busy, endless ? -1 : remaining_ms(deadline));
        if (n <= 0)
            return n;
    }
}

static void direct_interrupt(void *state)
{
    struct direct *d = state;

    interrupt_send(&d->interrupt);
}

/* ---- statistics ---- */

static int direct_stats(void *state, struct rollcall_stats *stats)
{
    struct direct *d = state;

    /* Who waits for something else than events may call nothing but this. */
    tick(d);
    capture_stats(&d->capture, stats);
    stats->delivered_seq = d->decoder.seq;
    stats->ring_used = ring_produced(&d->ring) - ring_consumed(&d->ring);
    stats->wakeups = d->bell.wakeups;
    stats->polls = d->bell.polls;
    return 0;
}

static int direct_inspect(const struct rollcall_options *opts, struct rollcall_stats *stats)
{
    return capture_inspect(opts->name, stats);
}

static int direct_names(const struct rollcall_options *opts,
                        int (*each)(const char *name, void *context), void *context)
{
    (void)opts;
    return pins_names(each, context);
}

static int direct_detach(const struct rollcall_options *opts)
{
    return capture_detach(opts->name);
}

const struct transport transport_direct = {
    .open = direct_open,
    .close = direct_close,
    .fd = direct_fd,
    .next = direct_next,
    .interrupt = direct_interrupt,
    .ack = direct_ack,
    .stats = direct_stats,
    .inspect = direct_inspect,
    .names = direct_names,
    .detach = direct_detach,
};
