/* SPDX-License-Identifier: MIT */
#include "bench/measure.h"

#include "bench/clock.h"
#include "bench/work.h"
#include "lib/error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 50 /* between looks whether the work is done */

/* ---- reading ---- */

typedef void take_event(const struct rollcall_event *event, void *context);

/* Hands one batch to take() and acknowledges it. How many events, or a negative errno. */
static int read_batch(struct rollcall *rc, int timeout_ms, take_event *take, void *context)
{
    const struct rollcall_event *event = NULL;
    struct rollcall_batch batch;
    int n = rollcall_next(rc, timeout_ms, &batch);
    int err;

    if (n <= 0)
        return n == -EINTR ? 0 : n;
    while ((event = rollcall_batch_next(&batch, event)))
        take(event, context);
    err = rollcall_ack(rc, batch.last_seq);
    return err < 0 ? err : n;
}

static int read_for(struct rollcall *rc, uint64_t ns, take_event *take, void *context)
{
    uint64_t start = bench_now();
    int n = 0;

    while (n >= 0 && bench_now() - start < ns)
        n = read_batch(rc, LOOK_MS, take, context);
    return n < 0 ? n : 0;
}

static void ignore(const struct rollcall_event *event, void *context)
{
    (void)event;
    (void)context;
}

static void tally(const struct rollcall_event *event, void *context)
{
    uint64_t *events = context;

    (void)event;
    ++*events;
}

/* ---- work ---- */

static int prepare(struct work *work, const struct work_order *order)
{
    int err = work_prepare(work, order);

    return err < 0 ? rollcall_fail(err, "cannot start the workers: %s", strerror(-err)) : 0;
}

static int finish(struct work *work)
{
    if (work_wait(work) < 0)
        return rollcall_fail(-ECHILD, "processes cannot be made: %s", work_question);
    return 0;
}

/* A reader that gets nothing costs nothing, and loses all: that says nothing of rollcall. */
static int check_came(const struct work *work, uint64_t events)
{
    if (events > 0)
        return 0;
    return rollcall_fail(-EIO,
                         "%" PRIu64 " processes were made, and no event came: this system reports "
                         "no processes",
                         work_made(work));
}

/* Opens a reader and waits until all is quiet again. */
static int open_quiet(const struct rollcall_options *opts, struct rollcall **rc)
{
    int err = rollcall_open(opts, rc);

    if (err < 0)
        return err;
    err = read_for(*rc, MEASURE_SETTLE_NS, ignore, NULL);
    if (err < 0)
        rollcall_close(*rc);
    return err;
}

/* Lets the work be done while the reader reads. */
static int read_while_working(struct rollcall *rc, struct work *work, take_event *take,
                              void *context)
{
    int n = 0;

    work_go(work);
    while (n >= 0 && !work_done(work))
        n = read_batch(rc, LOOK_MS, take, context);
    return n < 0 ? n : finish(work);
}

/* ---- rate ---- */

static int work_without_reader(struct work *work)
{
    bench_pause(MEASURE_SETTLE_NS);
    work_go(work);
    return finish(work);
}

static int work_with_reader(struct work *work)
{
    struct rollcall *rc;
    uint64_t events = 0;
    int err = open_quiet(NULL, &rc);

    if (err < 0)
        return err;
    err = read_while_working(rc, work, tally, &events);
    rollcall_close(rc);
    return err < 0 ? err : check_came(work, events);
}

int measure_rate(bool exec, uint64_t run_ns, bool reader, double *rate)
{
    struct work_order order = {.workers = MEASURE_WORKERS, .exec = exec, .run_ns = run_ns};
    struct work work;
    int err = prepare(&work, &order);

    if (err < 0)
        return err;
    err = reader ? work_with_reader(&work) : work_without_reader(&work);
    *rate = work_rate(&work);
    work_destroy(&work);
    return err;
}

/* ---- latency ---- */

struct samples {
    const struct work *work;
    uint64_t *ns;
    size_t count;
    size_t room;
};

static void take_sample(const struct rollcall_event *event, void *context)
{
    struct samples *samples = context;
    uint64_t now = bench_boot_ns();

    if (event->type == ROLLCALL_CREATE && samples->count < samples->room &&
        work_is_worker(samples->work, event->creator_pid))
        samples->ns[samples->count++] = now - event->mono_ns;
}

static int take_samples(const struct rollcall_options *opts, struct work *work,
                        struct samples *samples)
{
    struct rollcall *rc;
    int err = open_quiet(opts, &rc);

    if (err < 0)
        return err;
    err = read_while_working(rc, work, take_sample, samples);
    if (err == 0)
        err = read_for(rc, MEASURE_SETTLE_NS, take_sample, samples);
    rollcall_close(rc);
    if (err == 0)
        err = check_came(work, samples->count);
    if (err == 0 && samples->count < samples->room)
        err = rollcall_fail(-EIO, "only %zu of %zu processes were reported", samples->count,
                            samples->room);
    return err;
}

int measure_latency(const struct rollcall_options *opts, bool burst, uint64_t *ns, size_t count)
{
    struct work_order order = {
        .workers = 1, .count = count, .pause_ns = burst ? 0 : MEASURE_PAUSE_NS};
    struct work work;
    struct samples samples = {.work = &work, .room = count};
    int err = prepare(&work, &order);

    if (err < 0)
        return err;
    samples.ns = ns;
    err = take_samples(opts, &work, &samples);
    work_destroy(&work);
    return err;
}

/* ---- what a burst left behind ---- */

#define PIDS (4u << 20) /* no kernel has greater ones */

struct census {
    const struct work *work;
    unsigned char *alive; /* by pid: a process of the burst, not ended */
    uint64_t events;
    uint64_t expected;
    uint64_t seen;
    uint64_t lost;
    uint64_t newest_ns;
};

static void count_event(const struct rollcall_event *event, void *context)
{
    struct census *census = context;
    unsigned char *alive = &census->alive[event->pid % PIDS];

    census->events++;
    census->newest_ns = event->mono_ns;
    if (event->type == ROLLCALL_GAP)
        census->lost += event->lost;
    if (event->type == ROLLCALL_CREATE)
        *alive = work_is_worker(census->work, event->creator_pid);
    census->seen += *alive;
    if (event->type == ROLLCALL_EXIT)
        *alive = 0;
}

/* Reads until the burst is there, or nothing comes any more, or what comes was made long after it:
 * other processes begin and end all the time. */
static int read_rest(struct rollcall *rc, struct census *census, double *rate)
{
    uint64_t latest = bench_boot_ns() + MEASURE_SETTLE_NS;
    uint64_t start = bench_now();
    int n;

    do {
        n = read_batch(rc, LOOK_MS, count_event, census);
        if (n > 0)
            *rate = (double)census->events * 1e9 / (double)(bench_now() - start);
    } while (n > 0 && census->seen < census->expected && census->newest_ns < latest);
    return n < 0 ? n : check_came(census->work, census->events);
}

static int burst_unread(struct work *work, struct census *census, double *rate)
{
    struct rollcall *rc;
    int err = open_quiet(NULL, &rc);

    if (err < 0)
        return err;
    work_go(work);
    err = finish(work);
    if (err == 0)
        err = read_rest(rc, census, rate);
    rollcall_close(rc);
    return err;
}

int measure_burst(bool exec, uint64_t count, struct measure_burst *burst)
{
    struct work_order order = {.workers = MEASURE_WORKERS, .exec = exec, .count = count};
    struct work work;
    struct census census = {
        .work = &work, .alive = calloc(PIDS, 1), .expected = count * work_events(exec)};
    int err;

    if (!census.alive)
        return rollcall_fail(-ENOMEM, "out of memory");
    err = prepare(&work, &order);
    if (err < 0)
        goto free_census;
    err = burst_unread(&work, &census, &burst->rate);
    burst->expected = census.expected;
    burst->seen = census.seen;
    burst->lost = census.lost;
    work_destroy(&work);
free_census:
    free(census.alive);
    return err;
}
