/* SPDX-License-Identifier: MIT */
#include "service/handler.h"

#include "events/processes.h"
#include "lib/error.h"
#include "program/complain.h"
#include "program/system.h"
#include "service/backoff.h"
#include "service/bell.h"
#include "service/kin.h"
#include "service/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND         UINT64_C(1000000000)
#define END_NS         (5 * SECOND)  /* so long may processes take to end */
#define BEHIND_NS      (10 * SECOND) /* who is so late is said to be behind ... */
#define CAUGHT_UP_NS   SECOND        /* ... until it is only so late */
#define LATENCY_US     10000u
#define LATENCY_LOG_US 100000u /* what is synced together costs less */

struct handler {
    struct config *config;
    struct rollcall_options opts;
    char name[ROLLCALL_NAME_MAX + 1]; /* the consumer's */
    struct state *state;
    struct bell bell;
    pthread_t thread;
    atomic_bool ends;

    /* What follows is the thread's. */
    struct rollcall *rc;
    struct sink sink;
    struct kin *kin;
    struct begin begin;
    struct backoff backoff;
    struct rollcall_batch rest; /* what the sink had no room for: its events lie in rest_data */
    char *rest_data;
    size_t rest_room;
    uint64_t epoch; /* of the last batch */
    uint64_t acked_seq;
    bool behind;
    uint64_t given;
    uint64_t failed;
    uint64_t left_out; /* what handlers started */
};

__attribute__((format(printf, 2, 3))) static void say(const struct handler *handler,
                                                      const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    complain("%s: %s", handler->config->name, text);
}

/* ---- which events ---- */

static bool is_before_begin(const struct handler *handler, const struct rollcall_event *event,
                            uint64_t epoch)
{
    const struct begin *begin = &handler->begin;

    if (epoch != begin->epoch)
        return epoch < begin->epoch;
    return rollcall_event_last_seq(event) <= begin->seq || event->type == ROLLCALL_EXISTS ||
           event->type == ROLLCALL_SYNCED;
}

/* The filter of a handler asks only what the event itself tells. */
static bool passes(const struct config *config, const struct rollcall_event *event)
{
    struct process process = {.pid = event->pid};
    struct rollcall_string exe;
    bool passed;

    if (config->filter_exe && rollcall_event_text(event, ROLLCALL_EXE, &exe))
        process.exe = strndup(exe.data, exe.size);
    passed = filter_passes(config->filter, event, &process);
    free(process.exe);
    return passed;
}

static bool is_wanted(struct handler *handler, const struct rollcall_event *event, uint64_t epoch)
{
    bool is_kin = kin_is(handler->kin, event);

    if (is_before_begin(handler, event, epoch))
        return false;
    if (is_kin && !handler->config->self) {
        handler->left_out++;
        return false;
    }
    return passes(handler->config, event);
}

static void note_lag(struct handler *handler, const struct rollcall_event *event)
{
    uint64_t now = system_boot_ns();
    uint64_t lag = now > event->mono_ns ? now - event->mono_ns : 0;

    if (!handler->behind && lag > BEHIND_NS)
        say(handler, "is %" PRIu64 " s behind", lag / SECOND);
    else if (handler->behind && lag < CAUGHT_UP_NS)
        say(handler, "has caught up");
    handler->behind = lag > BEHIND_NS || (handler->behind && lag >= CAUGHT_UP_NS);
}

/* ---- from the consumer to the sink ---- */

static int take_event(struct handler *handler, const struct rollcall_event *event,
                      const struct rollcall_batch *batch)
{
    const struct given given = {
        .event = event, .epoch = batch->epoch, .wall_offset_ns = batch->wall_offset_ns};

    if (!is_wanted(handler, event, batch->epoch)) {
        pending_pass(&handler->sink.pending, batch->epoch, rollcall_event_last_seq(event));
        return 0;
    }
    handler->given++;
    note_lag(handler, event);
    return handler->sink.class->give(&handler->sink, &given);
}

/* Keeps what begins with `event`: a batch is only there until the consumer's next call. */
static int keep_rest(struct handler *handler, const struct rollcall_batch *batch,
                     const struct rollcall_event *event, size_t count)
{
    size_t size = batch->size - (size_t)((const char *)event - (const char *)batch->first);

    if (batch != &handler->rest && size > handler->rest_room) {
        char *data = realloc(handler->rest_data, size);

        if (!data)
            return rollcall_fail(-ENOMEM, "out of memory");
        handler->rest_data = data;
        handler->rest_room = size;
    }
    if (batch != &handler->rest) {
        memcpy(handler->rest_data, event, size);
        handler->rest = *batch;
        event = (const void *)handler->rest_data;
    }
    handler->rest.first = event;
    handler->rest.size = size;
    handler->rest.count = count;
    return 0;
}

static int take_batch(struct handler *handler, const struct rollcall_batch *batch)
{
    const struct rollcall_event *event = NULL;
    size_t count = batch->count;
    int err = 0;

    while (err == 0 && (event = rollcall_batch_next(batch, event))) {
        if (!handler->sink.class->has_room(&handler->sink))
            return keep_rest(handler, batch, event, count);
        err = take_event(handler, event, batch);
        count--;
    }
    handler->rest.count = 0;
    return err;
}

/* Gives what there is and has room. 1: there may be more, 0: not before the consumer says so. */
static int fill(struct handler *handler)
{
    struct rollcall_batch batch;
    int err = 0;
    int n;

    if (handler->rest.count > 0)
        err = take_batch(handler, &handler->rest);
    if (err < 0)
        return err;
    if (handler->rest.count > 0 || !handler->sink.class->has_room(&handler->sink))
        return 1;
    n = rollcall_next(handler->rc, 0, &batch);
    if (n <= 0)
        return n == -EINTR ? 1 : n;
    if (batch.epoch != handler->epoch) {
        handler->epoch = batch.epoch;
        handler->acked_seq = 0;
    }
    err = take_batch(handler, &batch);
    return err < 0 ? err : 1;
}

/* Of an epoch that is over nothing can be acknowledged any more, and the consumer may know that it is
 * before we do: it refuses a number that it has not delivered in the new one. Whether there was
 * anything; the consumer's next call tells it. */
static bool acknowledge(struct handler *handler)
{
    const struct pending *pending = &handler->sink.pending;

    if (pending->epoch != handler->epoch || pending->until == handler->acked_seq)
        return false;
    handler->acked_seq = pending->until;
    rollcall_ack(handler->rc, pending->until);
    return true;
}

/* ---- the consumer ---- */

/* Where the daemon or the driver is now. Straight from the kernel a new consumer begins with what
 * happens from now on anyway, in an epoch of its own: both 0. */
static int find_newest(const struct handler *handler, struct begin *newest)
{
    struct rollcall_options opts = handler->opts;
    struct rollcall_stats stats;
    struct rollcall *rc;
    int err;

    *newest = (struct begin){.epoch = 0};
    if (opts.flags & ROLLCALL_DIRECT)
        return 0;
    opts.name = NULL;
    opts.flags |= ROLLCALL_DAEMON;
    err = rollcall_open(&opts, &rc);
    if (err < 0)
        return handler->opts.flags & ROLLCALL_DAEMON ? err : 0;
    err = rollcall_stats(rc, &stats, sizeof(stats));
    rollcall_close(rc);
    if (err == 0)
        *newest = (struct begin){.epoch = stats.epoch, .seq = stats.acked_seq};
    return err;
}

/* The beginning is kept before there is a consumer: without one it is found anew. */
static int open_new(struct handler *handler)
{
    struct rollcall_stats stats;
    bool from_now = !handler->config->from_oldest;
    int err = 0;

    handler->begin = (struct begin){.epoch = 0};
    if (from_now)
        err = find_newest(handler, &handler->begin);
    if (err == 0)
        err = state_set_begin(handler->state, handler->config->name, &handler->begin);
    if (err == 0)
        err = rollcall_open(&handler->opts, &handler->rc);
    if (err < 0 || !from_now || handler->begin.epoch)
        return err;
    err = rollcall_stats(handler->rc, &stats, sizeof(stats));
    handler->begin.epoch = stats.epoch;
    if (err == 0)
        err = state_set_begin(handler->state, handler->config->name, &handler->begin);
    if (err < 0)
        rollcall_close(handler->rc);
    return err;
}

static int open_consumer(struct handler *handler)
{
    struct rollcall_options opts = handler->opts;
    int err = state_get_begin(handler->state, handler->config->name, &handler->begin);

    if (err < 0)
        return err;
    opts.flags |= ROLLCALL_CONTINUE;
    err = rollcall_open(&opts, &handler->rc);
    return err == -ENOENT ? open_new(handler) : err;
}

/* ---- serving ---- */

static int remaining_ms(uint64_t due)
{
    uint64_t now = system_mono_ns();
    uint64_t ms = due > now ? (due - now + 999999) / 1000000 : 0;

    if (due == UINT64_MAX)
        return -1;
    return ms > 3600000 ? 3600000 : (int)ms;
}

/* more: there may be events, but there is no room. */
static void wait_for_something(struct handler *handler, bool more, uint64_t end_ns)
{
    const struct sink *sink = &handler->sink;
    struct job_wait wait = {.bell = end_ns ? NULL : &handler->bell};
    uint64_t due = sink->class->wait(sink, &wait);

    if (!end_ns && !more)
        wait.events = handler->rc;
    if (end_ns && end_ns < due)
        due = end_ns;
    job_wait(&wait, remaining_ms(due));
}

/* Until it is asked to end, or something fails. */
static int serve(struct handler *handler)
{
    const struct sink_class *class = handler->sink.class;
    uint64_t end_ns = 0;

    for (;;) {
        bool acked;
        int more;
        int err;

        if (!end_ns && atomic_load(&handler->ends))
            end_ns = system_mono_ns() + END_NS;
        more = end_ns ? 0 : fill(handler);
        err = class->turn(&handler->sink);
        acked = acknowledge(handler);
        if (more < 0 || err < 0)
            return more < 0 ? more : err;
        if (end_ns && (class->finish(&handler->sink) || system_mono_ns() >= end_ns))
            return 0;
        if (end_ns || (!more && !acked) || !class->has_room(&handler->sink))
            wait_for_something(handler, more, end_ns);
    }
}

/* What failed is said at once: closing may fail as well. */
static int tell(const struct handler *handler, int err)
{
    if (err < 0)
        say(handler, "%s", rollcall_error());
    return err;
}

static int open_and_serve(struct handler *handler)
{
    int err = tell(handler, open_consumer(handler));

    if (err < 0)
        return err;
    err = tell(handler,
               sink_open(&handler->sink, handler->config, handler->state, &handler->backoff));
    if (err == 0) {
        handler->rest.count = 0;
        handler->epoch = 0;
        handler->acked_seq = 0;
        err = tell(handler, serve(handler));
        handler->failed += handler->sink.failed;
        sink_close(&handler->sink);
    }
    rollcall_close(handler->rc);
    return err;
}

static void *run(void *context)
{
    struct handler *handler = context;
    const struct job_wait wait = {.bell = &handler->bell};

    while (!atomic_load(&handler->ends)) {
        uint64_t pause_ns;

        if (open_and_serve(handler) == 0)
            break;
        pause_ns = backoff_next(&handler->backoff);
        say(handler, "trying again in %" PRIu64 " s", pause_ns / SECOND);
        job_wait(&wait, (int)(pause_ns / 1000000));
    }
    say(handler,
        "has ended: %" PRIu64 " events given, %" PRIu64 " of these given up; %" PRIu64
        " left out that handlers caused",
        handler->given, handler->failed, handler->left_out);
    return NULL;
}

/* ---- beginning and end ---- */

static void free_handler(struct handler *handler)
{
    bell_close(&handler->bell);
    kin_free(handler->kin);
    config_free(handler->config);
    free(handler->rest_data);
    free(handler);
}

struct handler *handler_start(struct config *config, const struct rollcall_options *way,
                              struct state *state)
{
    struct handler *handler = calloc(1, sizeof(*handler));
    int err;

    if (!handler) {
        config_free(config);
        rollcall_fail(-ENOMEM, "out of memory");
        return NULL;
    }
    handler->config = config;
    handler->state = state;
    handler->opts = *way;
    handler->opts.name = handler->name;
    handler->opts.latency_us = config->words ? LATENCY_US : LATENCY_LOG_US;
    snprintf(handler->name, sizeof(handler->name), CONFIG_PREFIX "%s", config->name);
    handler->kin = kin_new(&state->before);
    err = bell_open(&handler->bell);
    if (err == 0 && !handler->kin)
        err = rollcall_fail(-ENOMEM, "out of memory");
    if (err == 0 && (err = -pthread_create(&handler->thread, NULL, run, handler)) < 0)
        rollcall_fail(err, "cannot make a thread: %s", strerror(-err));
    if (err == 0)
        return handler;
    free_handler(handler);
    return NULL;
}

const struct config *handler_config(const struct handler *handler)
{
    return handler->config;
}

void handler_ask_to_end(struct handler *handler)
{
    atomic_store(&handler->ends, true);
    bell_ring(&handler->bell);
}

void handler_join(struct handler *handler)
{
    pthread_join(handler->thread, NULL);
    free_handler(handler);
}
