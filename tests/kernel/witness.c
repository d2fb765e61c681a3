/* SPDX-License-Identifier: MIT */
#include "tests/kernel/witness.h"

#include "tests/kernel/scenario.h"

#include <err.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct shared *shared;

static struct reader reader;

/* The events of a test: copies. */
static struct rollcall_event **events;
static size_t count;
static size_t room;

static void keep(const struct rollcall_event *event, void *context)
{
    (void)context;
    if (count == room) {
        room = room ? 2 * room : 1024;
        events = reallocarray(events, room, sizeof(void *));
        if (!events)
            err(1, "no memory");
    }
    events[count] = malloc(event->size);
    if (!events[count])
        err(1, "no memory");
    memcpy(events[count++], event, event->size);
}

static void forget(void)
{
    while (count > 0)
        free(events[--count]);
}

int witness_open(void **state)
{
    const struct rollcall_options *opts = *state;

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        err(1, "mmap");
    reader = (struct reader){.rc = open_or_skip(opts), .each = keep};
    return 0;
}

int witness_close(void **state)
{
    (void)state;
    rollcall_close(reader.rc);
    forget();
    free(events);
    events = NULL;
    room = 0;
    return munmap(shared, sizeof(*shared));
}

int witness_begin(void **state)
{
    (void)state;
    forget();
    memset(shared, 0, sizeof(*shared));
    return 0;
}

void witness_look(void)
{
    read_until_exit(&reader, make_marker(), getpid());
}

struct rollcall_stats witness_stats(void)
{
    struct rollcall_stats stats;

    if (rollcall_stats(reader.rc, &stats, sizeof(stats)) < 0)
        errx(1, "stats: %s", rollcall_error());
    return stats;
}

void witness_wait_synced(void)
{
    int64_t limit = now_ms() + LIMIT_MS;

    while (!witness_event(ROLLCALL_SYNCED, 0, 0)) {
        if (now_ms() > limit)
            errx(1, "`synced` did not come in %d s", LIMIT_MS / 1000);
        read_some(&reader, 100);
    }
}

const struct rollcall_event *witness_event(enum rollcall_type type, pid_t pid, size_t n)
{
    for (size_t i = 0; i < count; i++)
        if (events[i]->type == type && events[i]->pid == (uint32_t)pid && n-- == 0)
            return events[i];
    return NULL;
}

size_t witness_count(enum rollcall_type type, pid_t pid)
{
    size_t n = 0;

    while (witness_event(type, pid, n))
        n++;
    return n;
}

size_t witness_created_by(pid_t creator)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += events[i]->type == ROLLCALL_CREATE && events[i]->creator_pid == (uint32_t)creator;
    return n;
}

pid_t witness_child(pid_t creator, size_t n)
{
    for (size_t i = 0; i < count; i++)
        if (events[i]->type == ROLLCALL_CREATE && events[i]->creator_pid == (uint32_t)creator &&
            n-- == 0)
            return (pid_t)events[i]->pid;
    return 0;
}

const struct rollcall_event *witness_life(pid_t pid, size_t execs)
{
    const struct rollcall_event *create = witness_event(ROLLCALL_CREATE, pid, 0);
    const struct rollcall_event *end = witness_event(ROLLCALL_EXIT, pid, 0);

    assert_int_equal(witness_count(ROLLCALL_CREATE, pid), 1);
    assert_int_equal(witness_count(ROLLCALL_EXISTS, pid), 0);
    assert_int_equal(witness_count(ROLLCALL_EXEC, pid), execs);
    assert_int_equal(witness_count(ROLLCALL_EXIT, pid), 1);
    for (size_t i = 0; i < execs; i++) {
        const struct rollcall_event *exec = witness_event(ROLLCALL_EXEC, pid, i);

        assert_int_equal(exec->start_ns, create->start_ns);
        assert_true(create->seq < exec->seq && exec->seq < end->seq);
    }
    assert_int_equal(end->start_ns, create->start_ns);
    assert_true(create->seq < end->seq);
    return end;
}

pid_t start_child(void (*body)(void))
{
    pid_t pid = fork();

    if (pid < 0)
        err(1, "fork");
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    body();
    _exit(0);
}

pid_t run_child(void (*body)(void), int *status)
{
    pid_t pid = start_child(body);
    int got = wait_for(pid);

    if (status)
        *status = got;
    else
        assert_int_equal(got, 0);
    return pid;
}

uint64_t boot_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void wait_until_ready(uint32_t ready)
{
    int64_t limit = now_ms() + LIMIT_MS;

    while (shared->ready < ready && now_ms() < limit)
        sched_yield();
    need(shared->ready >= ready);
}

void need(int works)
{
    if (!works)
        _exit(100);
}
