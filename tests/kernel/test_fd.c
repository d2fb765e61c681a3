/* SPDX-License-Identifier: MIT */
/* A reader that waits in poll(2) is woken by each event that comes alone: 10,000 times. */
#include "tests/kernel/scenario.h"

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define TIMES 10000

struct wanted {
    uint32_t pid;
    bool seen;
};

static void look(const struct rollcall_event *event, void *context)
{
    struct wanted *wanted = context;

    wanted->seen |= event->type == ROLLCALL_EXIT && event->pid == wanted->pid &&
                    event->ppid == (uint32_t)getpid();
}

/* Reads all there is, so that the descriptor is right. */
static void drain(struct reader *reader)
{
    while (read_some(reader, 0) > 0)
        ;
}

/* The child waits until nothing else is there to read: its exit is what wakes. */
static pid_t start_child(int *release)
{
    int gate[2];
    char byte;
    pid_t pid;

    if (pipe(gate) < 0)
        err(1, "pipe");
    pid = fork();
    if (pid < 0)
        err(1, "fork");
    if (pid == 0) {
        close(gate[1]);
        _exit(read(gate[0], &byte, 1) != 0);
    }
    close(gate[0]);
    *release = gate[1];
    return pid;
}

static void wait_in_poll(struct reader *reader, const struct wanted *wanted)
{
    struct pollfd fd = {.fd = rollcall_fd(reader->rc), .events = POLLIN};
    int64_t limit = now_ms() + LIMIT_MS;

    while (!wanted->seen) {
        int left = (int)(limit - now_ms());

        if (left <= 0 || poll(&fd, 1, left) == 0)
            errx(1, "the exit of %u woke nobody", wanted->pid);
        drain(reader);
    }
}

int main(void)
{
    struct wanted wanted;
    struct reader reader = {.rc = open_or_skip(NULL), .each = look, .context = &wanted};

    for (int i = 0; i < TIMES; i++) {
        int release;
        pid_t pid = start_child(&release);

        wanted = (struct wanted){.pid = (uint32_t)pid};
        drain(&reader);
        close(release);
        wait_in_poll(&reader, &wanted);
        wait_for(pid);
    }
    printf("%d wake-ups, %llu events\n", TIMES, (unsigned long long)reader.events);
    rollcall_close(reader.rc);
    return 0;
}
