/* SPDX-License-Identifier: MIT */
/*
 * The plainest consumer of librollcall: prints what bare_ring prints, in the same form, until it
 * is ended by a signal. What the two cost differs by what rollcall does and the bare ring does
 * not.
 */
#include <rollcall/rollcall.h>

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t ended;

static void end(int number)
{
    ended = number;
}

static void print(const struct rollcall_event *event)
{
    static const char *const names[] = {"?", "fork", "exec", "exit"};

    printf("%s %u %u %s\n", names[event->type <= ROLLCALL_EXIT ? event->type : 0], event->pid,
           event->ppid, event->comm);
}

/* Prints and acknowledges one batch. 0 or a negative errno. */
static int read_batch(struct rollcall *rc)
{
    const struct rollcall_event *event = NULL;
    struct rollcall_batch batch;
    int n = rollcall_next(rc, 100, &batch);

    if (n <= 0)
        return n == -EINTR ? 0 : n;
    while ((event = rollcall_batch_next(&batch, event)))
        print(event);
    return rollcall_ack(rc, batch.last_seq);
}

int main(void)
{
    struct sigaction action = {.sa_handler = end};
    struct rollcall *rc;
    int error = 0;

    if (rollcall_open(NULL, &rc) < 0)
        errx(1, "%s", rollcall_error());
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    while (!ended && error == 0)
        error = read_batch(rc);
    if (error < 0)
        errx(1, "%s", rollcall_error());
    rollcall_close(rc);
    return fflush(stdout) == 0 ? 0 : 1;
}
