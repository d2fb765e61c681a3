/* SPDX-License-Identifier: MIT */
#include "tests/kernel/scenario.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SKIPPED_MS       60000
#define SKIPS_COUNTED_MS 3000 /* some looks that are a second apart */

struct rollcall *open_or_skip(const struct rollcall_options *opts)
{
    struct rollcall *rc = NULL;
    int error = rollcall_open(opts, &rc);

    if (error == -EPERM || error == -EOPNOTSUPP) {
        printf("skipped: %s\n", rollcall_error());
        exit(SKIPPED);
    }
    if (error < 0)
        errx(1, "open: %s", rollcall_error());
    return rc;
}

uint64_t attached_ns(struct rollcall *rc)
{
    struct rollcall_stats stats;

    if (rollcall_stats(rc, &stats, sizeof(stats)) < 0)
        errx(1, "stats: %s", rollcall_error());
    return stats.attached_ns;
}

int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            err(1, "wait for %d", pid);
    return status;
}

pid_t make_marker(void)
{
    pid_t pid = fork();

    if (pid < 0)
        err(1, "fork");
    if (pid == 0)
        _exit(0);
    wait_for(pid);
    return pid;
}

int read_some(struct reader *reader, int timeout_ms)
{
    const struct rollcall_event *event = NULL;
    struct rollcall_batch batch;
    int count = rollcall_next(reader->rc, timeout_ms, &batch);

    if (count == -EINTR)
        return 0;
    if (count < 0)
        errx(1, "next: %s", rollcall_error());
    if (count == 0)
        return 0;
    while ((event = rollcall_batch_next(&batch, event))) {
        if (reader->check)
            check_event(reader->check, batch.epoch, event);
        if (reader->each)
            reader->each(event, reader->context);
        reader->events++;
    }
    if (rollcall_ack(reader->rc, batch.last_seq) < 0)
        errx(1, "ack: %s", rollcall_error());
    return count;
}

/* Looks for an exit, and lets everything through to another one who looks at each event. */
struct lookout {
    uint32_t pid;
    uint32_t parent;
    bool seen;
    void (*each)(const struct rollcall_event *event, void *context);
    void *context;
};

static void look(const struct rollcall_event *event, void *context)
{
    struct lookout *lookout = context;

    if (event->type == ROLLCALL_EXIT && event->pid == lookout->pid &&
        (event->ppid == lookout->parent || event->flags & ROLLCALL_LATE))
        lookout->seen = true;
    if (lookout->each)
        lookout->each(event, lookout->context);
}

void read_until_exit(struct reader *reader, pid_t pid, pid_t parent)
{
    struct lookout lookout = {
        .pid = (uint32_t)pid,
        .parent = (uint32_t)parent,
        .each = reader->each,
        .context = reader->context,
    };
    int64_t limit = now_ms() + LIMIT_MS;

    reader->each = look;
    reader->context = &lookout;
    while (!lookout.seen) {
        if (now_ms() > limit)
            errx(1, "the exit of %d did not come in %d s", pid, LIMIT_MS / 1000);
        read_some(reader, 100);
    }
    reader->each = lookout.each;
    reader->context = lookout.context;
}

void read_load(struct reader *reader, struct load *load)
{
    int left;

    while ((left = load_poll(load)) > 0)
        read_some(reader, 10);
    if (left < 0)
        errx(1, "the load failed");
    read_until_exit(reader, make_marker(), getpid());
}

static bool is_of_load(const struct life *life, const struct truth *truth)
{
    for (uint32_t i = 0; i < truth->workers; i++)
        if (life->ppid == truth->worker[i].pid)
            return true;
    return false;
}

static bool have_all_ended(const struct check *check, const struct truth *truth)
{
    size_t count;
    const struct life *lives = check_lives(check, &count);

    for (size_t i = 0; i < count; i++)
        if (is_of_load(&lives[i], truth) && !lives[i].exited)
            return false;
    return true;
}

void read_what_was_skipped(struct reader *reader, const struct truth *truth)
{
    int64_t limit = now_ms() + SKIPPED_MS;
    uint64_t lost;

    do {
        lost = check_lost(reader->check);
        read_some(reader, SKIPS_COUNTED_MS);
    } while (now_ms() < limit &&
             (!have_all_ended(reader->check, truth) || check_lost(reader->check) > lost));
}

void finish_check(struct check *check, const struct truth *truth)
{
    uint64_t differences = check_finish(check, truth);

    if (differences == 0)
        return;
    check_print(check, stderr);
    errx(1, "%llu differences", (unsigned long long)differences);
}
