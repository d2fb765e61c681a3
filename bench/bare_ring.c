/* SPDX-License-Identifier: MIT */
/* Prints what the bare ring tells, one event a line, until it is ended by a signal. */
#include "bench/bare.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static volatile sig_atomic_t ended;

static void end(int number)
{
    ended = number;
}

static void print(const struct bare_event *event, void *context)
{
    static const char *const names[] = {"?", "fork", "exec", "exit"};

    fprintf(context, "%s %u %u %s\n", names[event->type <= BARE_EXIT ? event->type : 0], event->pid,
            event->ppid, event->comm);
}

int main(void)
{
    struct sigaction action = {.sa_handler = end};
    struct bare bare;
    int n = bare_open(&bare, print, stdout);

    if (n < 0)
        errx(1, "the kernel refuses the programs: %s; this needs root", strerror(-n));
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    while (!ended && (n >= 0 || n == -EINTR))
        n = bare_poll(&bare, 100);
    bare_close(&bare);
    if (n < 0 && n != -EINTR)
        errx(1, "cannot read the ring: %s", strerror(-n));
    return fflush(stdout) == 0 ? 0 : 1;
}
