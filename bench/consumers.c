/* SPDX-License-Identifier: MIT */
/*
 * Consumers of the daemon, all in one process: they take and acknowledge what comes, or (idle) only
 * attach. Says when all are there, and goes on until it is ended by a signal.
 */
#include <rollcall/rollcall.h>

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_MAX 1000u

static const char usage[] = "usage: consumers SOCKET LATENCY_US COUNT [idle]\n";

static volatile sig_atomic_t ended;

static struct rollcall *consumers[COUNT_MAX];
static struct pollfd fds[COUNT_MAX];

static void end(int number)
{
    ended = number;
}

static void open_all(const struct rollcall_options *opts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rollcall_open(opts, &consumers[i]) < 0)
            errx(1, "%s", rollcall_error());
        fds[i] = (struct pollfd){.fd = rollcall_fd(consumers[i]), .events = POLLIN};
    }
}

/* Until there is nothing more: only then its descriptor tells of what comes. */
static void take_all(struct rollcall *rc)
{
    struct rollcall_batch batch;
    int n;

    while ((n = rollcall_next(rc, 0, &batch)) > 0)
        if (rollcall_ack(rc, batch.last_seq) < 0)
            errx(1, "%s", rollcall_error());
    if (n < 0)
        errx(1, "%s", rollcall_error());
}

static void serve(size_t count, bool idle)
{
    if (poll(fds, idle ? 0 : count, -1) < 0)
        return;
    for (size_t i = 0; i < count; i++)
        if (fds[i].revents)
            take_all(consumers[i]);
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = end};
    struct rollcall_options opts = {.struct_size = sizeof(opts), .flags = ROLLCALL_DAEMON};
    bool idle = argc == 5 && strcmp(argv[4], "idle") == 0;
    size_t count = argc >= 4 ? strtoul(argv[3], NULL, 10) : 0;

    if (count == 0 || count > COUNT_MAX || argc > 5 || (argc == 5 && !idle)) {
        fputs(usage, stderr);
        return 2;
    }
    opts.socket = argv[1];
    opts.latency_us = (uint32_t)strtoul(argv[2], NULL, 10);
    sigaction(SIGTERM, &action, NULL);
    open_all(&opts, count);
    for (size_t i = 0; i < count && !idle; i++)
        take_all(consumers[i]);
    puts("ready");
    fflush(stdout);
    while (!ended)
        serve(count, idle);
    for (size_t i = 0; i < count; i++)
        rollcall_close(consumers[i]);
    return 0;
}
