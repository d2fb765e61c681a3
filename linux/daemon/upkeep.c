/* SPDX-License-Identifier: MIT */
#include "linux/daemon/upkeep.h"

#include "lib/error.h"
#include "linux/daemon/notify.h"
#include "program/size.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

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
    if (turns != daemon->seen_turns)
        notify_alive();
    daemon->seen_turns = turns;
    source_wake(&daemon->source);
    tell_status(daemon);
}

int upkeep_open(struct daemon *daemon)
{
    uint64_t ns = notify_interval_ns();
    const struct timespec interval = {.tv_sec = (time_t)(ns / 1000000000),
                                      .tv_nsec = (long)(ns % 1000000000)};
    const struct itimerspec when = {.it_value = interval, .it_interval = interval};
    int err;

    daemon->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (daemon->timer_fd < 0)
        return rollcall_fail(-errno, "out of file descriptors: %s", strerror(errno));
    timerfd_settime(daemon->timer_fd, 0, &when, NULL);
    err = server_watch(&daemon->server, daemon->timer_fd, run, daemon);
    if (err < 0)
        close(daemon->timer_fd);
    return err;
}

void upkeep_close(struct daemon *daemon)
{
    server_unwatch(&daemon->server, daemon->timer_fd);
    close(daemon->timer_fd);
}
