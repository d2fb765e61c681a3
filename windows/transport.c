/* SPDX-License-Identifier: MIT */
/*
 * The transport that asks the driver: fetches are kept pended, their replies put in order, and
 * what is acknowledged rides on the next fetch.
 *
 * In a burst the replies are left where they are until the latency is over: then one look gives
 * the consumer whatever has come meanwhile, and the fetches that are sent next find the rest in the
 * driver's log. An event that comes alone is handed out at once.
 *
 * When the driver is stopped and started its numbers begin anew: the handle is closed, which the
 * driver waits for, and opened again as soon as there is a device; the batches that follow have
 * another epoch.
 */
#include "lib/transport.h"
#include "lib/error.h"
#include "windows/clock.h"
#include "windows/device.h"
#include "windows/fetch.h"
#include "windows/snapshot.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FETCHES       2u          /* kept pending: docs/windows.md tells why so many */
#define FETCH_ROOM    (64u << 10) /* of each; one that a record does not fit into gets more */
#define BATCH_MAX     (1u << 20)
#define SPIN_NS       10000000u   /* a spinning reader returns this often */
#define TELL_NS       100000000u  /* acknowledgements are told this often without a fetch */
#define RECONNECT_NS  1000000000u /* how often a device that is gone is looked for */
#define CONSUMERS_MAX ROLLCALL_CONSUMERS_MAX

struct direct {
    struct rollcall_options opts;
    char name[ROLLCALL_NAME_MAX + 1];
    HANDLE device; /* NULL: the driver is gone */
    HANDLE event;  /* what a program waits for */
    volatile LONG interrupted;
    PTP_TIMER timer;
    struct fetches fetches;
    struct rollcall_attached attached;
    struct snapshot snapshot; /* what is delivered before the stream */
    char *batch;
    size_t batch_room;
    uint64_t delivered_seq;
    uint64_t acked_seq;
    uint64_t unsent_ack; /* of it, what the driver was not told yet; 0: nothing */
    uint64_t told_ns;    /* when it was told without a fetch */
    uint64_t delivered_ns;
    uint64_t hold_until; /* in a burst, not before */
    uint64_t retry_at;
    uint64_t wakeups;
    uint64_t looks; /* in a burst */
};

/* ---- attaching ---- */

static int attach_failed(const struct direct *d, DWORD error)
{
    switch (error) {
    case ERROR_BUSY:
    case ERROR_DEVICE_IN_USE:
    case ERROR_SHARING_VIOLATION:
    case ERROR_ALREADY_EXISTS:
        return rollcall_fail(-EBUSY,
                             "consumer '%s' is in use by another process, which `rollcall stats` "
                             "names: stop that one first, or use another name",
                             d->name);
    case ERROR_NOT_FOUND:
    case ERROR_FILE_NOT_FOUND:
        return rollcall_fail(-ENOENT, "there is no consumer '%s'", d->name);
    default:
        return device_failed(error);
    }
}

static int configure(struct direct *d)
{
    struct rollcall_configure request;
    DWORD error;

    if (d->opts.ring_size == 0)
        return 0;
    device_request(&request.request, sizeof(request), ROLLCALL_CONFIGURE_BUDGET);
    request.budget = d->opts.ring_size;
    error =
        device_ask(d->device, ROLLCALL_CODE_CONFIGURE, &request, sizeof(request), NULL, 0, NULL);
    if (error == ERROR_INVALID_PARAMETER)
        return rollcall_fail(-EINVAL,
                             "the driver cannot keep events in %llu bytes: use %u to %u (64 KiB to "
                             "1 GiB)",
                             (unsigned long long)d->opts.ring_size, ROLLCALL_BUDGET_MIN,
                             ROLLCALL_BUDGET_MAX);
    return error == ERROR_SUCCESS ? 0 : device_failed(error);
}

static int attach(struct direct *d, unsigned flags)
{
    struct rollcall_attach request;
    size_t got = 0;
    DWORD error;

    device_request(&request.request, sizeof(request), flags);
    request.name_size = (uint32_t)strlen(d->name);
    memcpy(request.name, d->name, request.name_size);
    error = device_ask(d->device, ROLLCALL_CODE_ATTACH, &request, sizeof(request), &d->attached,
                       sizeof(d->attached), &got);
    if (error != ERROR_SUCCESS)
        return attach_failed(d, error);
    if (got != sizeof(d->attached))
        return device_failed(ERROR_INVALID_FUNCTION);
    d->delivered_seq = d->acked_seq = d->attached.acked_seq;
    d->unsent_ack = 0;
    return 0;
}

static void disconnect(struct direct *d)
{
    if (!d->device)
        return;
    fetches_close(&d->fetches);
    CloseHandle(d->device);
    d->device = NULL;
}

/* Opens the device and attaches. again: after the driver was gone; then the consumer's place is
 * gone with it, and it begins with the oldest event that there is. */
static int connect(struct direct *d, bool again)
{
    bool durable = d->name[0];
    unsigned flags = durable || again ? ROLLCALL_ATTACH_OLDEST : 0;
    int err = device_connect(&d->device);

    if (err < 0)
        return err;
    if (durable && !again && d->opts.flags & ROLLCALL_CONTINUE)
        flags |= ROLLCALL_ATTACH_CONTINUE;
    if (d->opts.on_full == ROLLCALL_ON_FULL_DENY)
        flags |= ROLLCALL_ATTACH_DENY;
    err = configure(d);
    if (err == 0)
        err = attach(d, flags);
    if (err < 0)
        goto close_device;
    err = fetches_open(&d->fetches, d->device, d->event, FETCHES, FETCH_ROOM);
    if (err < 0) {
        rollcall_fail(err, "out of memory");
        goto close_device;
    }
    return 0;

close_device:
    CloseHandle(d->device);
    d->device = NULL;
    return err;
}

/* ---- looking ---- */

/* Bytes and events of the batch that is being put together. */
struct gathered {
    size_t size;
    size_t count;
    uint64_t last_seq;
};

static int reserve_batch(struct direct *d, size_t size)
{
    char *batch;

    if (size <= d->batch_room)
        return 0;
    batch = realloc(d->batch, size);
    if (!batch)
        return rollcall_fail(-ENOMEM, "out of memory");
    d->batch = batch;
    d->batch_room = size;
    return 0;
}

/* Whether the reply holds what it says, and nothing is missing in it. */
static bool is_whole(const struct rollcall_reply *reply, uint64_t epoch)
{
    const char *records = (const char *)(reply + 1);
    uint64_t next = reply->first_seq;
    uint32_t count = 0;
    size_t at = 0;

    while (at < reply->size) {
        const struct rollcall_event *event = (const void *)(records + at);

        if (!rollcall_event_valid(event, reply->size - at) || event->seq != next)
            return false;
        next = rollcall_event_last_seq(event) + 1;
        at += event->size;
        count++;
    }
    return count == reply->count && next == reply->last_seq + 1 && reply->epoch == epoch;
}

static int take_reply(struct direct *d, struct fetch *fetch, struct gathered *gathered)
{
    const struct rollcall_reply *reply = fetch->reply;
    int err = reserve_batch(d, gathered->size + reply->size);

    if (err < 0)
        return err;
    if (!is_whole(reply, d->attached.epoch))
        return rollcall_fail(-EBADMSG,
                             "the driver's answer is damaged at event %llu: install the "
                             "rollcall.sys that came with this rollcall",
                             (unsigned long long)reply->first_seq);
    memcpy(d->batch + gathered->size, reply + 1, reply->size);
    gathered->size += reply->size;
    gathered->count += reply->count;
    gathered->last_seq = reply->last_seq;
    fetch->state = FETCH_IDLE;
    return 0;
}

/* All that has arrived without a hole, up to a batch. */
static int gather(struct direct *d, struct gathered *gathered)
{
    struct fetch *fetch;
    int err = 0;

    *gathered = (struct gathered){.last_seq = d->delivered_seq};
    while (err == 0 && gathered->size < BATCH_MAX &&
           (fetch = fetches_find(&d->fetches, gathered->last_seq + 1)))
        err = take_reply(d, fetch, gathered);
    return err;
}

static int hand_out(struct direct *d, const struct gathered *gathered, struct rollcall_batch *batch)
{
    uint64_t now = clock_mono_ns();
    uint64_t latency = d->opts.latency_us * 1000ull;

    /* A burst goes on until there was nothing for a whole latency after it could be looked. */
    d->hold_until = now - d->delivered_ns < 2 * latency ? now + latency : 0;
    d->delivered_ns = now;
    batch->first = (const void *)d->batch;
    batch->size = gathered->size;
    batch->count = gathered->count;
    batch->epoch = d->attached.epoch;
    batch->first_seq = d->delivered_seq + 1;
    batch->last_seq = gathered->last_seq;
    batch->wall_offset_ns = d->attached.wall_offset_ns;
    d->delivered_seq = gathered->last_seq;
    return (int)gathered->count;
}

/* The time at which there is something to do without an event. */
static void wake_at(struct direct *d, uint64_t then)
{
    uint64_t now = clock_mono_ns();
    ULARGE_INTEGER due = {.QuadPart = 0 - (then > now ? (then - now) / 100 + 1 : 1)};
    FILETIME time = {.dwLowDateTime = due.LowPart, .dwHighDateTime = due.HighPart};

    SetThreadpoolTimer(d->timer, &time, 0, 0);
}

/* The driver is gone, or back again. 0: it is back, or there is nothing to do but wait. */
static int reconnect(struct direct *d)
{
    uint64_t now = clock_mono_ns();
    int err;

    /* Not at once: the driver can only stop while nobody has a handle. */
    if (d->device)
        d->retry_at = now + RECONNECT_NS;
    disconnect(d);
    if (now >= d->retry_at) {
        d->retry_at = now + RECONNECT_NS;
        err = connect(d, true);
        if (err == 0)
            SetEvent(d->event); /* for the look that sends the first fetches */
        if (err == 0 || (err != -ENODEV && err != -EBUSY))
            return err;
    }
    wake_at(d, d->retry_at);
    return 0;
}

/* What is delivered before the stream begins. */
static int hand_out_snapshot(struct direct *d, struct rollcall_batch *batch)
{
    int count = (int)d->snapshot.count;

    free(d->batch);
    d->batch = d->snapshot.data;
    d->batch_room = d->snapshot.room;
    batch->first = (const void *)d->batch;
    batch->size = d->snapshot.size;
    batch->count = d->snapshot.count;
    batch->epoch = d->attached.epoch;
    batch->wall_offset_ns = d->attached.wall_offset_ns;
    memset(&d->snapshot, 0, sizeof(d->snapshot));
    return count;
}

/* Sends what can be sent and takes what has come. Returns how many events, or a negative errno. */
/* What was acknowledged while all fetches are pended, and at the end. */
static DWORD tell(struct direct *d)
{
    struct rollcall_acknowledge request;
    DWORD error;

    if (!d->unsent_ack)
        return ERROR_SUCCESS;
    device_request(&request.request, sizeof(request), 0);
    request.acked_seq = d->unsent_ack;
    error =
        device_ask(d->device, ROLLCALL_CODE_ACKNOWLEDGE, &request, sizeof(request), NULL, 0, NULL);
    if (error == ERROR_SUCCESS)
        d->unsent_ack = 0;
    d->told_ns = clock_mono_ns();
    return error;
}

static int look(struct direct *d, struct rollcall_batch *batch)
{
    struct gathered gathered;
    DWORD error;
    int err;

    ResetEvent(d->event);
    if (d->snapshot.count > 0)
        return hand_out_snapshot(d, batch);
    if (!d->device) {
        err = reconnect(d);
        if (err < 0 || !d->device)
            return err;
    }
    if (d->hold_until > clock_mono_ns()) {
        wake_at(d, d->hold_until);
        return 0;
    }
    d->looks += d->hold_until > 0;
    d->hold_until = 0;
    error = fetches_send(&d->fetches, &d->unsent_ack);
    if (error == ERROR_SUCCESS)
        error = tell(d);
    if (error == ERROR_SUCCESS)
        error = fetches_look(&d->fetches);
    if (device_is_gone(error))
        return reconnect(d);
    if (error != ERROR_SUCCESS)
        return device_failed(error);
    err = gather(d, &gathered);
    if (err < 0)
        return err;
    return gathered.count > 0 ? hand_out(d, &gathered, batch) : 0;
}

/* ---- the interface ---- */

static void CALLBACK on_timer(PTP_CALLBACK_INSTANCE instance, void *context, PTP_TIMER timer)
{
    const struct direct *d = context;

    (void)instance, (void)timer;
    SetEvent(d->event);
}

static DWORD remaining_ms(uint64_t deadline)
{
    uint64_t now = clock_mono_ns();

    return now >= deadline ? 0 : (DWORD)((deadline - now + 999999) / 1000000);
}

/* Waits for the next look. false: the time is over. */
static bool wait(struct direct *d, int timeout_ms, uint64_t deadline)
{
    DWORD ms = timeout_ms < 0 ? INFINITE : remaining_ms(deadline);

    if (ms == 0 || WaitForSingleObject(d->event, ms) != WAIT_OBJECT_0)
        return false;
    d->wakeups++;
    return true;
}

/* The event is reset before the look, and the flag comes before the event: so none goes unseen. */
static int look_unless_interrupted(struct direct *d, struct rollcall_batch *batch)
{
    int n = look(d, batch);

    return n == 0 && InterlockedExchange(&d->interrupted, 0) ? -EINTR : n;
}

static int next_spinning(struct direct *d, uint64_t deadline, struct rollcall_batch *batch)
{
    int n = look_unless_interrupted(d, batch);

    while (n == 0 && clock_mono_ns() < deadline) {
        for (int i = 0; i < 64; i++)
            YieldProcessor();
        n = look_unless_interrupted(d, batch);
    }
    SetEvent(d->event);
    return n;
}

static int direct_next(void *state, int timeout_ms, struct rollcall_batch *batch)
{
    struct direct *d = state;
    uint64_t now = clock_mono_ns();
    int n;

    if (d->opts.flags & ROLLCALL_SPIN)
        return next_spinning(d, now + SPIN_NS, batch);
    do
        n = look_unless_interrupted(d, batch);
    while (n == 0 && wait(d, timeout_ms, now + (uint64_t)timeout_ms * 1000000));
    return n;
}

static void direct_interrupt(void *state)
{
    struct direct *d = state;

    InterlockedExchange(&d->interrupted, 1);
    SetEvent(d->event);
}

/* Everything that the stream has by now, which stays to be delivered: what it announces is left
 * out of the snapshot. A process that is being created right now can be in the list before its
 * creation is in the stream: then it is announced by both, with the same pid and start. */
static int drop_announced(struct direct *d)
{
    DWORD error = fetches_send(&d->fetches, &d->unsent_ack);

    if (error == ERROR_SUCCESS)
        error = fetches_look(&d->fetches);
    if (error != ERROR_SUCCESS)
        return device_failed(error);
    for (unsigned i = 0; i < d->fetches.count; i++) {
        const struct fetch *fetch = &d->fetches.all[i];
        const struct rollcall_event *event = (const void *)(fetch->reply + 1);

        if (fetch->state != FETCH_ARRIVED || !is_whole(fetch->reply, d->attached.epoch))
            continue;
        for (uint32_t n = fetch->reply->count; n > 0; n--) {
            if (event->type == ROLLCALL_CREATE)
                snapshot_drop(&d->snapshot, event);
            event = (const void *)((const char *)event + event->size);
        }
    }
    return 0;
}

static int take_snapshot(struct direct *d)
{
    int err = snapshot_take(&d->snapshot, d->attached.wall_offset_ns);

    if (err == 0)
        err = drop_announced(d);
    return err < 0 ? err : snapshot_end(&d->snapshot);
}

static void direct_close(void *state)
{
    struct direct *d = state;

    if (d->device)
        tell(d);
    disconnect(d);
    if (d->timer) {
        SetThreadpoolTimer(d->timer, NULL, 0, 0);
        WaitForThreadpoolTimerCallbacks(d->timer, TRUE);
        CloseThreadpoolTimer(d->timer);
    }
    if (d->event)
        CloseHandle(d->event);
    snapshot_clear(&d->snapshot);
    free(d->batch);
    free(d);
}

static int direct_open(const struct rollcall_options *opts, void **state)
{
    struct direct *d = calloc(1, sizeof(*d));
    int err = 0;

    if (!d)
        return rollcall_fail(-ENOMEM, "out of memory");
    d->opts = *opts;
    if (opts->name)
        snprintf(d->name, sizeof(d->name), "%s", opts->name);
    d->event = CreateEventW(NULL, TRUE, TRUE, NULL);
    d->timer = CreateThreadpoolTimer(on_timer, d, NULL);
    if (!d->event || !d->timer)
        err = rollcall_fail(-ENOMEM, "Windows gives no more handles");
    if (err == 0)
        err = connect(d, false);
    if (err == 0 && !opts->name && opts->flags & ROLLCALL_EXISTING)
        err = take_snapshot(d);
    if (err < 0) {
        direct_close(d);
        return err;
    }
    *state = d;
    return 0;
}

static void *direct_handle(const void *state)
{
    const struct direct *d = state;

    return d->event;
}

static int direct_ack(void *state, uint64_t seq)
{
    struct direct *d = state;

    if (seq > d->delivered_seq)
        return rollcall_fail(-EINVAL, "event %llu cannot be acknowledged: it was not delivered yet",
                             (unsigned long long)seq);
    if (seq > d->acked_seq)
        d->acked_seq = d->unsent_ack = seq;
    /* Who acknowledges for long without asking for more. That the driver is gone is found then. */
    if (d->device && clock_mono_ns() - d->told_ns >= TELL_NS)
        tell(d);
    return 0;
}

/* ---- statistics ---- */

struct answer {
    struct rollcall_engine_stats engine;
    struct rollcall_consumer_stats consumers[CONSUMERS_MAX];
};

/* Fills it; *count: consumers in it. */
static int ask_stats(HANDLE device, struct answer *answer, uint32_t *count)
{
    struct rollcall_request request;
    size_t got = 0;
    DWORD error;

    device_request(&request, sizeof(request), 0);
    error = device_ask(device, ROLLCALL_CODE_STATS, &request, sizeof(request), answer,
                       sizeof(*answer), &got);
    if (error != ERROR_SUCCESS)
        return device_failed(error);
    if (got < sizeof(answer->engine) ||
        got != sizeof(answer->engine) + answer->engine.given * sizeof(answer->consumers[0]))
        return device_failed(ERROR_INVALID_FUNCTION);
    *count = answer->engine.given;
    return 0;
}

/* used: of the budget, as long as the consumer has not acknowledged all that there is. */
static void fill_stats(const struct rollcall_engine_stats *engine, uint64_t acked_seq,
                       struct rollcall_stats *stats)
{
    stats->epoch = engine->epoch;
    stats->acked_seq = acked_seq;
    memcpy(stats->lost, engine->lost, sizeof(stats->lost));
    stats->texts_cut = engine->texts_cut;
    stats->ring_size = engine->budget;
    stats->ring_used = acked_seq < engine->last_seq ? engine->used : 0;
    stats->attached_ns = engine->attached_ns;
    stats->args_max = engine->record_max;
    stats->on_full = engine->deny ? ROLLCALL_ON_FULL_DENY : ROLLCALL_ON_FULL_GAP;
    stats->deny_holds = engine->deny;
    stats->denied = engine->denied;
}

static int direct_stats(void *state, struct rollcall_stats *stats)
{
    struct direct *d = state;
    struct answer answer;
    uint32_t count;
    int err;

    if (!d->device)
        return device_failed(ERROR_FILE_NOT_FOUND);
    err = ask_stats(d->device, &answer, &count);
    if (err < 0)
        return err;
    fill_stats(&answer.engine, d->acked_seq, stats);
    stats->delivered_seq = d->delivered_seq;
    stats->wakeups = d->wakeups;
    stats->polls = d->looks;
    stats->reader_pid = GetCurrentProcessId();
    return 0;
}

static bool has_name(const struct rollcall_consumer_stats *consumer, const char *name)
{
    return consumer->name_size == strlen(name) && consumer->name_size <= sizeof(consumer->name) &&
           memcmp(consumer->name, name, consumer->name_size) == 0;
}

/* Opens the device for one question. */
static int ask_all(struct answer *answer, uint32_t *count)
{
    HANDLE device;
    int err = device_connect(&device);

    if (err < 0)
        return err;
    err = ask_stats(device, answer, count);
    CloseHandle(device);
    return err;
}

static int direct_inspect(const struct rollcall_options *opts, struct rollcall_stats *stats)
{
    const char *name = opts->name;
    struct answer answer;
    uint32_t count;
    int err = ask_all(&answer, &count);

    if (err < 0)
        return err;
    for (uint32_t i = 0; i < count; i++) {
        const struct rollcall_consumer_stats *consumer = &answer.consumers[i];

        if (!has_name(consumer, name))
            continue;
        fill_stats(&answer.engine, consumer->acked_seq, stats);
        stats->reader_pid = consumer->pid;
        return 0;
    }
    return rollcall_fail(-ENOENT, "there is no consumer '%s'", name);
}

static int direct_names(const struct rollcall_options *opts,
                        int (*each)(const char *name, void *context), void *context)
{
    struct answer answer;
    uint32_t count;
    int err = ask_all(&answer, &count);

    for (uint32_t i = 0; err == 0 && i < count; i++) {
        const struct rollcall_consumer_stats *consumer = &answer.consumers[i];
        char name[ROLLCALL_NAME_MAX + 1];

        if (consumer->name_size == 0 || consumer->name_size > ROLLCALL_NAME_MAX)
            continue;
        snprintf(name, sizeof(name), "%.*s", (int)consumer->name_size, consumer->name);
        err = each(name, context);
    }
    (void)opts;
    return err;
}

static int direct_detach(const struct rollcall_options *opts)
{
    const char *name = opts->name;
    struct rollcall_detach_request request;
    HANDLE device;
    DWORD error;
    int err = device_connect(&device);

    if (err < 0)
        return err;
    device_request(&request.request, sizeof(request), 0);
    request.name_size = (uint32_t)strlen(name);
    memcpy(request.name, name, request.name_size);
    error = device_ask(device, ROLLCALL_CODE_DETACH, &request, sizeof(request), NULL, 0, NULL);
    CloseHandle(device);
    if (error == ERROR_SUCCESS)
        return 0;
    if (error == ERROR_NOT_FOUND || error == ERROR_FILE_NOT_FOUND)
        return rollcall_fail(-ENOENT, "there is no consumer '%s'", name);
    if (error == ERROR_BUSY || error == ERROR_DEVICE_IN_USE || error == ERROR_SHARING_VIOLATION)
        return rollcall_fail(-EBUSY,
                             "consumer '%s' is in use by a process, which `rollcall stats` names: "
                             "stop that one first",
                             name);
    return device_failed(error);
}

const struct transport transport_direct = {
    .open = direct_open,
    .close = direct_close,
    .handle = direct_handle,
    .next = direct_next,
    .interrupt = direct_interrupt,
    .ack = direct_ack,
    .stats = direct_stats,
    .inspect = direct_inspect,
    .names = direct_names,
    .detach = direct_detach,
};

const struct transport *transport_choose(const struct rollcall_options *opts)
{
    (void)opts;
    return &transport_direct;
}

int transport_names(const struct rollcall_options *opts,
                    int (*each)(const char *name, void *context), void *context)
{
    return transport_direct.names(opts, each, context);
}

int transport_report(const struct rollcall_options *opts, const struct report_sink *sink)
{
    (void)opts;
    (void)sink;
    return rollcall_fail(-EOPNOTSUPP, "this system has a driver and no daemon: `rollcall stats` "
                                      "tells of its consumers");
}
