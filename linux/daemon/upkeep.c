/* SPDX-License-Identifier: MIT */
#include "linux/daemon/upkeep.h"

#include "lib/error.h"
#include "linux/daemon/notify.h"
#include "program/size.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define METRICS_NS 5000000000u

static void tell_status(const struct daemon *daemon)
{
    char bytes[SIZE_TEXT];
    uint64_t size = 0;

    if (atomic_load(&daemon->measures.is_blocked)) {
        notify_status("the journal cannot be written: events wait in the kernel");
        return;
    }
    journal_size(daemon->server.service.archive.journal, &size);
    notify_status("event %llu of epoch %llu; the journal has %s; %u connections",
                  (unsigned long long)atomic_load(&daemon->host.posted_seq),
                  (unsigned long long)daemon->host.epoch, size_text(bytes, size),
                  daemon->server.count);
}

static void run(void *context)
{
    struct daemon *daemon = context;
    uint64_t turns = atomic_load(&daemon->measures.turns);
    uint64_t times;

    if (read(daemon->timer_fd, &times, sizeof(times)) < 0)
        return;
    if (daemon->metrics)
        metrics_run(daemon->metrics);
    if (notify_interval_ns() == 0)
        return;
    if (turns != daemon->seen_turns)
        notify_alive();
    daemon->seen_turns = turns;
    waker_wake(&daemon->source.waker);
    tell_status(daemon);
}

/* As often as it is needed now. */
static void arm(const struct daemon *daemon)
{
    uint64_t ns = notify_interval_ns();
    struct itimerspec when = {.it_value = {.tv_nsec = 1}};

    if (daemon->metrics && (ns == 0 || ns > METRICS_NS))
        ns = METRICS_NS;
    when.it_interval.tv_sec = (time_t)(ns / 1000000000);
    when.it_interval.tv_nsec = (long)(ns % 1000000000);
    if (ns == 0)
        when.it_value.tv_nsec = 0;
    timerfd_settime(daemon->timer_fd, 0, &when, NULL);
}

int upkeep_open(struct daemon *daemon)
{
    int err;

    daemon->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (daemon->timer_fd < 0)
        return rollcall_fail(-errno, "out of file descriptors: %s", strerror(errno));
    err = server_watch(&daemon->server, daemon->timer_fd, run, daemon);
    if (err == 0)
        err = upkeep_set_metrics(daemon, daemon->settings.metrics);
    if (err < 0)
        upkeep_close(daemon);
    return err;
}

void upkeep_close(struct daemon *daemon)
{
    upkeep_set_metrics(daemon, NULL);
    server_unwatch(&daemon->server, daemon->timer_fd);
    close(daemon->timer_fd);
}

/* ---- metrics ---- */

static void run_metrics(void *context)
{
    metrics_run(context);
}

static void end_metrics(struct daemon *daemon)
{
    if (daemon->metrics)
        server_unwatch(&daemon->server, metrics_fd(daemon->metrics));
    metrics_close(daemon->metrics);
    daemon->metrics = NULL;
}

int upkeep_set_metrics(struct daemon *daemon, const char *where)
{
    struct metrics *metrics = NULL;
    int err = where ? metrics_open(where, &daemon->server.service, &metrics) : 0;

    if (err == 0 && metrics)
        err = server_watch(&daemon->server, metrics_fd(metrics), run_metrics, metrics);
    if (err < 0) {
        metrics_close(metrics);
        return err;
    }
    end_metrics(daemon);
    daemon->metrics = metrics;
    arm(daemon);
    return 0;
}
