/* SPDX-License-Identifier: MIT */
/*
 * The transport that asks the daemon. One fetch is kept pended, which says what is acknowledged, so
 * that an event that comes alone is handed out at once. In a burst the next fetch is sent only
 * when the latency is over: its answer has all that has come meanwhile. What is acknowledged while a
 * fetch is pended, or long before the next one, is told by a request of its own, whose answer says
 * nothing.
 *
 * When the daemon is gone it is looked for until it is back. A durable consumer is attached again and
 * gets what it had not acknowledged once more; what it has handed out already it leaves out. An
 * ephemeral one says itself where it stands. So neither the caller sees an event twice nor does it
 * miss one. What the caller has acknowledged can be more than this connection has delivered: the
 * rest is told when it has.
 */
#include "lib/error.h"
#include "lib/transport.h"
#include "linux/clock.h"
#include "linux/existing.h"
#include "linux/interrupt.h"
#include "linux/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define SAME_CLOCK_NS 1000000000 /* two looks at both clocks differ by less */

#define SPIN_NS      10000000u   /* a spinning reader returns this often */
#define TELL_NS      100000000u  /* acknowledgements are told this often without a fetch */
#define RETRY_NS     20000000u   /* how often a daemon that is gone is looked for, at first ... */
#define RETRY_MAX_NS 1000000000u /* ... and in the end */

struct remote {
    struct rollcall_options opts;
    char name[ROLLCALL_NAME_MAX + 1];
    char *socket;
    int link; /* -1: the daemon is gone */
    int epoll;
    int timer;
    bool timer_set;
    struct interrupt interrupt;
    int spin_fd; /* always readable; -1 without ROLLCALL_SPIN */
    bool asked;  /* a fetch is pended */
    uint32_t tag;
    struct rollcall_attached attached;
    bool clock_is_ours; /* its epoch is of this boot */
    struct existing existing;
    bool existing_told;     /* to the caller, who may still look at them */
    uint64_t delivered_seq; /* to the caller */
    uint64_t acked_seq;     /* by the caller */
    uint64_t linked_seq;    /* delivered by this connection */
    uint64_t told_seq;      /* acknowledged to this connection */
    uint64_t told_ns;
    uint64_t delivered_ns;
    uint64_t hold_until; /* in a burst, not before */
    uint64_t retry_at;
    uint64_t retry_ns;
    uint64_t wakeups;
    uint64_t looks; /* in a burst */
    struct rollcall_answer head;
    union {
        struct rollcall_reply reply;
        unsigned char bytes[sizeof(struct rollcall_reply) + ROLLCALL_REPLY_MAX];
    } answer;
};

/* ---- attaching ---- */

static int attach_failed(const struct remote *r, int error)
{
    switch (error) {
    case -EBUSY:
        return rollcall_fail(error,
                             "consumer '%s' is in use by another process, which `rollcall stats` "
                             "names: stop that one first, or use another name",
                             r->name);
    case -ENOENT:
        return rollcall_fail(error, "there is no consumer '%s'", r->name);
    case -EPERM:
        return rollcall_fail(error,
                             "the daemon does not let this user have the durable consumer '%s': "
                             "rollcalld(8) tells how to allow it",
                             r->name);
    case -ECONNRESET:
        return rollcall_fail(error, "the daemon at '%s' has ended", link_path(r->socket));
    default:
        return link_connect_failed(r->socket, error);
    }
}

static int attach(struct remote *r, bool again)
{
    struct rollcall_attach request = {.name_size = (uint32_t)strlen(r->name)};
    unsigned flags = 0;

    memcpy(request.name, r->name, request.name_size);
    if (request.name_size)
        flags = ROLLCALL_ATTACH_OLDEST;
    if (request.name_size && (again || r->opts.flags & ROLLCALL_CONTINUE))
        flags |= ROLLCALL_ATTACH_CONTINUE;
    return link_ask(r->link, ROLLCALL_CODE_ATTACH, flags, &request, sizeof(request), &r->attached,
                    sizeof(r->attached));
}

static int resume(struct remote *r)
{
    struct rollcall_resume request = {.epoch = r->attached.epoch, .acked_seq = r->delivered_seq};

    return link_ask(r->link, ROLLCALL_CODE_RESUME, 0, &request, sizeof(request), &r->attached,
                    sizeof(r->attached));
}

static void disconnect(struct remote *r)
{
    if (r->link >= 0)
        close(r->link);
    r->link = -1;
    r->asked = false;
}

/* What was there before, or a new epoch. */
static void begin(struct remote *r, uint64_t epoch)
{
    r->clock_is_ours = llabs(r->attached.wall_offset_ns - clock_wall_offset_ns()) < SAME_CLOCK_NS;
    r->linked_seq = r->told_seq = r->attached.acked_seq;
    if (epoch != r->attached.epoch)
        r->delivered_seq = r->acked_seq = r->attached.acked_seq;
    r->retry_ns = RETRY_NS;
}

static int connect_and_attach(struct remote *r, bool again)
{
    struct epoll_event event = {.events = EPOLLIN};
    uint64_t epoch = again ? r->attached.epoch : 0;
    int got;

    r->link = link_connect(r->socket);
    if (r->link < 0)
        return r->link;
    got = again && !r->name[0] ? resume(r) : attach(r, again);
    if (got >= 0 && (size_t)got != sizeof(r->attached))
        got = -EBADMSG;
    if (got >= 0 && epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->link, &event) < 0)
        got = -errno;
    if (got < 0) {
        disconnect(r);
        return got;
    }
    begin(r, epoch);
    return 0;
}

/* ---- the daemon is gone ---- */

static void wake_at(struct remote *r, uint64_t then)
{
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(then / 1000000000), .tv_nsec = (long)(then % 1000000000)}};

    r->timer_set = true;
    timerfd_settime(r->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static bool comes_back(int error)
{
    return error == -ENOENT || error == -ECONNREFUSED || error == -ECONNRESET || error == -EBUSY ||
           error == -ETIMEDOUT || error == -EUSERS || error == -EAGAIN;
}

static int lost(const struct remote *r, int error)
{
    if (error == -EPERM && !r->name[0])
        return rollcall_fail(-ECONNRESET, "the daemon was started again, and what happened "
                                          "meanwhile is not known: open anew");
    return attach_failed(r, error);
}

/* 0: it is back, or there is nothing to do but wait. */
static int reconnect(struct remote *r)
{
    uint64_t now = clock_mono_ns();
    struct rollcall_attached before = r->attached;
    int err;

    if (now >= r->retry_at) {
        err = connect_and_attach(r, true);
        if (err == 0)
            return 0;
        r->attached = before;
        if (!comes_back(err))
            return lost(r, err);
        r->retry_at = now + r->retry_ns;
        r->retry_ns = 2 * r->retry_ns < RETRY_MAX_NS ? 2 * r->retry_ns : RETRY_MAX_NS;
    }
    wake_at(r, r->retry_at);
    return 0;
}

static int begin_again(struct remote *r)
{
    disconnect(r);
    r->retry_at = 0;
    return reconnect(r);
}

/* ---- looking ---- */

static uint64_t may_tell(const struct remote *r)
{
    return r->acked_seq < r->linked_seq ? r->acked_seq : r->linked_seq;
}

/* The tag is never 0, which acknowledgements have. */
static int ask(struct remote *r)
{
    struct rollcall_fetch request = {.acked_seq = may_tell(r)};
    int err;

    r->tag = r->tag % UINT32_MAX + 1;
    err = link_send(r->link, ROLLCALL_CODE_FETCH, r->tag, sizeof(r->answer), &request,
                    sizeof(request), 0);
    r->asked = err == 0;
    r->told_seq = err == 0 ? request.acked_seq : r->told_seq;
    r->told_ns = clock_mono_ns();
    return err;
}

/* What was acknowledged since, if anything was. It can wait: the next fetch tells it as well. */
static void tell(struct remote *r)
{
    struct rollcall_acknowledge request = {.acked_seq = may_tell(r)};

    if (r->link >= 0 && request.acked_seq > r->told_seq &&
        link_send(r->link, ROLLCALL_CODE_ACKNOWLEDGE, 0, 0, &request, sizeof(request), 0) == 0)
        r->told_seq = request.acked_seq;
    r->told_ns = clock_mono_ns();
}

/* For who acknowledges for long without asking for more. Nothing but the answers to this can have come,
 * which would fill the socket; and the caller may still look at the last batch. */
static void tell_meanwhile(struct remote *r)
{
    struct rollcall_answer head;

    if (r->link < 0 || r->asked || clock_mono_ns() - r->told_ns < TELL_NS)
        return;
    tell(r);
    while (link_receive(r->link, &head, NULL, 0) > 0)
        continue;
}

/* Whether the reply holds what it says, and nothing is missing in it. */
static bool is_whole(const struct remote *r)
{
    const struct rollcall_reply *reply = &r->answer.reply;
    uint64_t next = r->linked_seq + 1;
    uint32_t count = 0;
    size_t at = 0;

    if (r->head.size < sizeof(*reply) || reply->size != r->head.size - sizeof(*reply) ||
        reply->epoch != r->attached.epoch || reply->first_seq != next || reply->count == 0)
        return false;
    while (at < reply->size) {
        const struct rollcall_event *event = (const void *)(r->answer.bytes + sizeof(*reply) + at);

        if (!rollcall_event_valid(event, reply->size - at) || event->seq != next)
            return false;
        next = rollcall_event_last_seq(event) + 1;
        at += event->size;
        count++;
    }
    return count == reply->count && next == reply->last_seq + 1;
}

/* Leaves out what was handed out before the connection was lost. */
static void skip_delivered(const struct remote *r, struct rollcall_batch *batch)
{
    while (batch->count > 0) {
        const struct rollcall_event *event = batch->first;
        struct rollcall_event *gap;

        if (event->seq > r->delivered_seq)
            return;
        if (rollcall_event_last_seq(event) > r->delivered_seq) {
            gap = (void *)(uintptr_t)event;
            gap->lost -= r->delivered_seq + 1 - gap->seq;
            gap->seq = r->delivered_seq + 1;
            return;
        }
        batch->first = (const void *)((const char *)event + event->size);
        batch->size -= event->size;
        batch->count--;
    }
}

/* The time of day may be set at any time: what happened in this boot follows. */
static int64_t wall_offset_ns(const struct remote *r)
{
    return r->clock_is_ours ? clock_wall_offset_ns() : r->attached.wall_offset_ns;
}

static int hand_out(struct remote *r, struct rollcall_batch *batch)
{
    const struct rollcall_reply *reply = &r->answer.reply;
    uint64_t latency = r->opts.latency_us * 1000ull;
    uint64_t now = clock_mono_ns();

    batch->first = (const void *)(r->answer.bytes + sizeof(*reply));
    batch->size = reply->size;
    batch->count = reply->count;
    r->linked_seq = reply->last_seq;
    skip_delivered(r, batch);
    if (batch->count == 0)
        return 0;
    /* A burst goes on until there was nothing for a whole latency after it could be looked. */
    r->hold_until = now - r->delivered_ns < 2 * latency ? now + latency : 0;
    r->delivered_ns = now;
    batch->epoch = r->attached.epoch;
    batch->first_seq = batch->first->seq;
    batch->last_seq = reply->last_seq;
    batch->wall_offset_ns = wall_offset_ns(r);
    r->delivered_seq = reply->last_seq;
    return (int)batch->count;
}

/* An answer has come. How many events, or a negative errno. */
static int take(struct remote *r, struct rollcall_batch *batch)
{
    if (r->head.tag == 0)
        return 0;
    r->asked = false;
    if (r->head.error == ESTALE)
        return begin_again(r);
    if (r->head.error == EIO)
        return rollcall_fail(-EIO, "the daemon cannot read its journal: its log says why");
    if (r->head.error || r->head.tag != r->tag || !is_whole(r))
        return rollcall_fail(
            -EBADMSG,
            "the daemon's answer is damaged (%s): use the rollcalld that came with "
            "this rollcall",
            r->head.error ? strerror((int)r->head.error) : "it is not whole");
    return hand_out(r, batch);
}

/* Sends what can be sent and takes what has come. How many events, or a negative errno. */
static int look(struct remote *r, struct rollcall_batch *batch)
{
    int n = 0;

    while (n == 0) {
        if (r->link < 0 && (n = reconnect(r)) < 0)
            return n;
        if (r->link < 0)
            return 0;
        if (!(r->opts.flags & ROLLCALL_SPIN) && !r->asked && r->hold_until > clock_mono_ns()) {
            wake_at(r, r->hold_until);
            return 0;
        }
        r->looks += r->hold_until > 0;
        r->hold_until = 0;
        n = 0;
        if (r->asked)
            tell(r);
        else
            n = ask(r);
        if (n == 0)
            n = link_receive(r->link, &r->head, &r->answer, sizeof(r->answer));
        if (n == 0)
            return 0;
        if (n == -ECONNRESET || n == -EPIPE)
            n = begin_again(r);
        else if (n < 0)
            return attach_failed(r, n);
        else
            n = take(r, batch);
    }
    return n;
}

/* ---- waiting ---- */

static int remaining_ms(uint64_t deadline)
{
    uint64_t now = clock_mono_ns();

    return now >= deadline ? 0 : (int)((deadline - now + 999999) / 1000000);
}

static void clear_timer(struct remote *r)
{
    const struct itimerspec never = {0};
    uint64_t times;

    if (!r->timer_set)
        return;
    r->timer_set = false;
    timerfd_settime(r->timer, 0, &never, NULL);
    while (read(r->timer, &times, sizeof(times)) > 0)
        continue;
}

static int next_spinning(struct remote *r, struct rollcall_batch *batch)
{
    uint64_t deadline = clock_mono_ns() + SPIN_NS;
    int n;

    do
        n = look(r, batch);
    while (n == 0 && clock_mono_ns() < deadline);
    return n == 0 && interrupt_take(&r->interrupt) ? -EINTR : n;
}

static int tell_existing(struct remote *r, struct rollcall_batch *batch)
{
    r->existing_told = true;
    batch->wall_offset_ns = wall_offset_ns(r);
    return existing_take(&r->existing, batch);
}

static int remote_next(void *state, int timeout_ms, struct rollcall_batch *batch)
{
    struct remote *r = state;
    uint64_t deadline = clock_mono_ns() + (uint64_t)timeout_ms * 1000000;

    if (r->existing.records && !r->existing_told)
        return tell_existing(r, batch);
    existing_free(&r->existing);
    if (r->spin_fd >= 0)
        return next_spinning(r, batch);
    for (;;) {
        struct epoll_event event;
        int ms = timeout_ms < 0 ? -1 : remaining_ms(deadline);
        int n;

        clear_timer(r);
        n = look(r, batch);
        if (n == 0 && interrupt_take(&r->interrupt))
            return -EINTR;
        if (n != 0 || ms == 0)
            return n;
        n = epoll_wait(r->epoll, &event, 1, ms);
        if (n < 0)
            return errno == EINTR
                       ? -EINTR
                       : rollcall_fail(-errno, "cannot wait for the daemon: %s", strerror(errno));
        r->wakeups += n > 0;
    }
}

static void remote_interrupt(void *state)
{
    struct remote *r = state;

    interrupt_send(&r->interrupt);
}

/* ---- acknowledging and closing ---- */

static int remote_ack(void *state, uint64_t seq)
{
    struct remote *r = state;

    if (seq > r->delivered_seq)
        return rollcall_fail(-EINVAL, "event %llu cannot be acknowledged: it was not delivered yet",
                             (unsigned long long)seq);
    if (seq > r->acked_seq)
        r->acked_seq = seq;
    tell_meanwhile(r);
    return 0;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void remote_close(void *state)
{
    struct remote *r = state;

    tell(r);
    disconnect(r);
    existing_free(&r->existing);
    close_fd(r->epoll);
    close_fd(r->timer);
    close_fd(r->spin_fd);
    interrupt_close(&r->interrupt);
    free(r->socket);
    free(r);
}

static int open_descriptors(struct remote *r)
{
    struct epoll_event event = {.events = EPOLLIN};
    int err = interrupt_open(&r->interrupt);

    if (err < 0)
        return rollcall_fail(err, "out of file descriptors: %s", strerror(-err));
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    r->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (r->opts.flags & ROLLCALL_SPIN)
        r->spin_fd = eventfd(1, EFD_CLOEXEC);
    if (r->epoll < 0 || r->timer < 0 || (r->opts.flags & ROLLCALL_SPIN && r->spin_fd < 0) ||
        epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->timer, &event) < 0 ||
        epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->interrupt.fd, &event) < 0)
        return rollcall_fail(-errno, "out of file descriptors: %s", strerror(errno));
    return 0;
}

/* The events begin behind what is told. */
static int read_existing(struct remote *r)
{
    int err = existing_read(&r->existing, r->link);

    if (err == -EBADMSG || err == -EOPNOTSUPP)
        return rollcall_fail(err, "the daemon does not tell of the processes that are there as it "
                                  "should: use the rollcalld that came with this rollcall");
    if (err < 0)
        return attach_failed(r, err);
    r->attached.epoch = r->existing.epoch;
    r->attached.acked_seq = r->existing.next_seq - 1;
    begin(r, 0);
    return 0;
}

static int open_failed(const struct remote *r, int err)
{
    bool at_connect = r->name[0] == '\0' || err == -ECONNREFUSED || err == -EACCES;

    /* No such socket, or no such name. */
    if (err == -ENOENT && access(link_path(r->socket), F_OK) < 0)
        at_connect = true;
    return at_connect ? link_connect_failed(r->socket, err) : attach_failed(r, err);
}

static int remote_open(const struct rollcall_options *opts, void **state)
{
    struct remote *r;
    int err;

    if (opts->on_full == ROLLCALL_ON_FULL_DENY)
        return rollcall_fail(-EOPNOTSUPP,
                             "the daemon reads the kernel, and has a policy of its own: "
                             "set `on-full = deny` in its settings, or read the kernel "
                             "directly");
    r = calloc(1, sizeof(*r));
    if (!r)
        return rollcall_fail(-ENOMEM, "out of memory");
    r->opts = *opts;
    r->link = r->epoll = r->timer = r->spin_fd = r->interrupt.fd = -1;
    r->retry_ns = RETRY_NS;
    if (opts->name)
        snprintf(r->name, sizeof(r->name), "%s", opts->name);
    r->socket = strdup(link_path(opts->socket));
    err = r->socket ? open_descriptors(r) : rollcall_fail(-ENOMEM, "out of memory");
    if (err == 0) {
        err = connect_and_attach(r, false);
        if (err < 0)
            err = open_failed(r, err);
    }
    if (err == 0 && !opts->name && opts->flags & ROLLCALL_EXISTING)
        err = read_existing(r);
    if (err < 0) {
        remote_close(r);
        return err;
    }
    *state = r;
    return 0;
}

static int remote_fd(const void *state)
{
    const struct remote *r = state;

    return r->spin_fd >= 0 ? r->spin_fd : r->epoll;
}

/* ---- statistics and administration ---- */

#define CONSUMERS_MAX 1280u /* connections and names that a daemon can have */

struct remote_stats {
    struct rollcall_engine_stats engine;
    struct rollcall_consumer_stats consumers[CONSUMERS_MAX];
};

/* Asks by a connection of its own. */
static int ask_once(const char *socket, uint32_t code, void *request, size_t size, void *answer,
                    size_t room)
{
    int fd = link_connect(socket);
    int got;

    if (fd < 0)
        return link_connect_failed(socket, fd);
    got = link_ask(fd, code, 0, request, size, answer, room);
    close(fd);
    return got;
}

/* NULL: *err says why. */
static struct remote_stats *get_stats(const char *socket, int *err)
{
    struct rollcall_request request;
    struct remote_stats *stats = calloc(1, sizeof(*stats));
    size_t size;
    int got;

    if (!stats) {
        *err = rollcall_fail(-ENOMEM, "out of memory");
        return NULL;
    }
    got = ask_once(socket, ROLLCALL_CODE_STATS, &request, sizeof(request), stats, sizeof(*stats));
    size = sizeof(stats->engine) + stats->engine.given * sizeof(stats->consumers[0]);
    if (got >= 0 && (stats->engine.given > CONSUMERS_MAX || (size_t)got != size))
        got = -EBADMSG;
    if (got >= 0)
        return stats;
    free(stats);
    *err = link_connect_failed(socket, got);
    return NULL;
}

static void fill(const struct rollcall_engine_stats *engine, uint64_t acked_seq,
                 struct rollcall_stats *stats)
{
    stats->epoch = engine->epoch;
    stats->acked_seq = acked_seq;
    memcpy(stats->lost, engine->lost, sizeof(stats->lost));
    stats->texts_cut = engine->texts_cut;
    stats->ring_size = engine->budget;
    stats->ring_used = acked_seq < engine->last_seq ? engine->used : 0;
    stats->attached_ns = engine->attached_ns;
}

static const struct rollcall_consumer_stats *find(const struct remote_stats *stats,
                                                  const char *name)
{
    for (uint32_t i = 0; i < stats->engine.given; i++) {
        const struct rollcall_consumer_stats *one = &stats->consumers[i];

        if (one->name_size == strlen(name) && memcmp(one->name, name, one->name_size) == 0)
            return one;
    }
    return NULL;
}

static int remote_stats(void *state, struct rollcall_stats *stats)
{
    const struct remote *r = state;
    int err = 0;
    struct remote_stats *all = get_stats(r->socket, &err);

    if (!all)
        return err;
    fill(&all->engine, r->acked_seq, stats);
    stats->epoch = r->attached.epoch;
    stats->delivered_seq = r->delivered_seq;
    stats->wakeups = r->wakeups;
    stats->polls = r->looks;
    stats->reader_pid = (uint32_t)getpid();
    free(all);
    return 0;
}

static int remote_inspect(const struct rollcall_options *opts, struct rollcall_stats *stats)
{
    const struct rollcall_consumer_stats *one;
    int err = 0;
    struct remote_stats *all = get_stats(opts->socket, &err);

    if (!all)
        return err;
    one = find(all, opts->name);
    if (one) {
        fill(&all->engine, one->acked_seq, stats);
        stats->delivered_seq = one->delivered_seq;
        stats->reader_pid = one->pid;
    } else {
        err = rollcall_fail(-ENOENT, "there is no consumer '%s'", opts->name);
    }
    free(all);
    return err;
}

static int remote_names(const struct rollcall_options *opts,
                        int (*each)(const char *name, void *context), void *context)
{
    int err = 0;
    struct remote_stats *all = get_stats(opts->socket, &err);

    if (!all)
        return err;
    for (uint32_t i = 0; err == 0 && i < all->engine.given; i++) {
        const struct rollcall_consumer_stats *one = &all->consumers[i];
        char name[ROLLCALL_NAME_MAX + 1];

        if (one->name_size == 0 || one->name_size > ROLLCALL_NAME_MAX)
            continue;
        snprintf(name, sizeof(name), "%.*s", (int)one->name_size, one->name);
        err = each(name, context);
    }
    free(all);
    return err;
}

static int remote_detach(const struct rollcall_options *opts)
{
    struct rollcall_detach_request request = {.name_size = (uint32_t)strlen(opts->name)};
    struct remote r = {.socket = (char *)(uintptr_t)opts->socket};
    int err;

    memcpy(request.name, opts->name, request.name_size);
    snprintf(r.name, sizeof(r.name), "%s", opts->name);
    err = ask_once(opts->socket, ROLLCALL_CODE_DETACH, &request, sizeof(request), NULL, 0);
    return err < 0 ? attach_failed(&r, err) : 0;
}

const struct transport transport_daemon = {
    .open = remote_open,
    .close = remote_close,
    .fd = remote_fd,
    .next = remote_next,
    .interrupt = remote_interrupt,
    .ack = remote_ack,
    .stats = remote_stats,
    .inspect = remote_inspect,
    .names = remote_names,
    .detach = remote_detach,
};
