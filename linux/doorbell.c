/* SPDX-License-Identifier: MIT */
#include "linux/doorbell.h"

#include "linux/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TOKENS       32u    /* looks in a row that find events before that is taken for a burst */
#define TOKENS_LATER 8u     /* the same, right after a burst */
#define QUIET        2u     /* empty looks that end a burst */
#define BUSY_NS      20000u /* between looks at a record that is being written */
#define IDLE_NS      1000000000u

static int watch(int epoll, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int doorbell_init(struct doorbell *bell, const struct ring *ring, int ring_fd, int other_fd,
                  _Atomic uint64_t *sleeper, uint64_t latency_ns)
{
    int err;

    memset(bell, 0, sizeof(*bell));
    bell->ring = ring;
    bell->ring_fd = ring_fd;
    bell->sleeper = sleeper;
    bell->latency_ns = latency_ns;
    bell->idle_ns = IDLE_NS;
    bell->tokens = TOKENS;
    bell->tokens_ns = clock_mono_ns();
    /* Tickets must not repeat those of a predecessor, whose programs may still be running. */
    bell->ticket = bell->tokens_ns;
    bell->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (bell->timer < 0)
        return -errno;
    bell->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (bell->epoll < 0) {
        err = -errno;
        goto close_timer;
    }
    /* The ring is readable as long as anything in it is not acknowledged: only the edge counts. */
    err = watch(bell->epoll, ring_fd, EPOLLIN | EPOLLET);
    if (err == 0)
        err = watch(bell->epoll, bell->timer, EPOLLIN);
    if (err == 0 && other_fd >= 0)
        err = watch(bell->epoll, other_fd, EPOLLIN);
    if (err < 0)
        goto close_epoll;
    return 0;

close_epoll:
    close(bell->epoll);
close_timer:
    close(bell->timer);
    return err;
}

void doorbell_destroy(struct doorbell *bell)
{
    doorbell_disarm(bell);
    close(bell->epoll);
    close(bell->timer);
}

static struct timespec to_timespec(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000),
                             .tv_nsec = (long)(ns % 1000000000)};
}

/* Once. */
static void set_timer(struct doorbell *bell, uint64_t ns)
{
    const struct itimerspec when = {.it_value = to_timespec(ns)};

    timerfd_settime(bell->timer, 0, &when, NULL);
    bell->ticks = false;
}

/* Again and again: so each event that comes alone need not set it. */
static void let_it_tick(struct doorbell *bell)
{
    const struct itimerspec when = {.it_value = to_timespec(bell->idle_ns),
                                    .it_interval = to_timespec(bell->idle_ns)};

    if (bell->ticks)
        return;
    timerfd_settime(bell->timer, 0, &when, NULL);
    bell->ticks = true;
}

static void give_tokens(struct doorbell *bell)
{
    uint64_t now = clock_mono_ns();
    uint64_t due = (now - bell->tokens_ns) / bell->latency_ns;

    if (due == 0)
        return;
    bell->tokens = due < TOKENS - bell->tokens ? bell->tokens + (unsigned)due : TOKENS;
    bell->tokens_ns = now;
}

void doorbell_found(struct doorbell *bell, bool more)
{
    bell->quiet = 0;
    if (!bell->burst) {
        give_tokens(bell);
        bell->tokens -= bell->tokens > 0;
        bell->burst = bell->tokens == 0;
    }
    if (bell->burst)
        bell->looked_ns = more ? 0 : clock_mono_ns();
}

/* Nanoseconds until the next look of a burst is due. */
static uint64_t until_look(const struct doorbell *bell)
{
    uint64_t passed;

    /* Not "long ago": the machine may have started less than a latency ago. */
    if (bell->looked_ns == 0)
        return 0;
    passed = clock_mono_ns() - bell->looked_ns;
    return passed < bell->latency_ns ? bell->latency_ns - passed : 0;
}

bool doorbell_early(const struct doorbell *bell)
{
    return bell->burst && until_look(bell) > 0;
}

/* A look has found nothing: is the burst over? */
static void judge(struct doorbell *bell)
{
    if (!bell->burst)
        return;
    bell->looked_ns = clock_mono_ns();
    if (++bell->quiet >= QUIET) {
        bell->burst = false;
        bell->tokens = TOKENS_LATER;
        bell->tokens_ns = bell->looked_ns;
    }
}

static void take_tick(const struct doorbell *bell)
{
    uint64_t times;
    ssize_t got = bell->ticks ? read(bell->timer, &times, sizeof(times)) : 0;

    (void)got;
}

/* Waits, and takes the edge of a wake-up, so that the next one is seen. */
static int collect(struct doorbell *bell, int timeout_ms)
{
    struct epoll_event events[3];
    int n = epoll_wait(bell->epoll, events, 3, timeout_ms);
    int err = n < 0 ? -errno : 0;

    doorbell_disarm(bell);
    bell->edge = n < 0;
    while (n-- > 0) {
        if (events[n].data.fd == bell->timer)
            take_tick(bell);
        bell->wakeups += events[n].data.fd == bell->ring_fd;
    }
    return err;
}

/* Of an earlier wake-up, before the next ticket is to be seen. */
static void take_edge(struct doorbell *bell)
{
    if (bell->edge)
        collect(bell, 0);
}

void doorbell_wait_for_look(struct doorbell *bell)
{
    uint64_t ns = until_look(bell);

    take_edge(bell);
    bell->polls++;
    bell->armed = true;
    set_timer(bell, ns > 0 ? ns : 1);
}

bool doorbell_arm(struct doorbell *bell, uint64_t position, bool busy)
{
    take_edge(bell);
    if (busy) {
        set_timer(bell, BUSY_NS);
        bell->armed = true;
        return true;
    }
    judge(bell);
    if (bell->burst) {
        doorbell_wait_for_look(bell);
        return true;
    }
    bell->armed = true;
    let_it_tick(bell);
    bell->ticket++;
    atomic_store_explicit(bell->sleeper, bell->ticket, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    if (ring_produced(bell->ring) == position)
        return true;
    doorbell_disarm(bell);
    return false;
}

int doorbell_sleep(struct doorbell *bell, int timeout_ms)
{
    return collect(bell, timeout_ms);
}

void doorbell_disarm(struct doorbell *bell)
{
    if (!bell->armed)
        return;
    bell->armed = false;
    bell->edge = true;
    atomic_store_explicit(bell->sleeper, 0, memory_order_relaxed);
}
