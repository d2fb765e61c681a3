/* SPDX-License-Identifier: MIT */
/*
 * tap NAME FILE [deny]: reads the durable consumer NAME, appends what identifies each event to FILE
 * (struct tapped) and acknowledges it after that; until SIGTERM. With `deny`: under that policy.
 */
#include "tests/kernel/tap.h"

#include <rollcall/rollcall.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile sig_atomic_t ended;

static void end(int signal)
{
    (void)signal;
    ended = 1;
}

static void append(int fd, const struct rollcall_batch *batch)
{
    struct tapped *out = calloc(batch->count, sizeof(*out));
    const struct rollcall_event *e = NULL;
    size_t n = 0;

    while (out && (e = rollcall_batch_next(batch, e)))
        out[n++] = (struct tapped){.epoch = batch->epoch,
                                   .seq = e->seq,
                                   .start_ns = e->start_ns,
                                   .type = e->type,
                                   .flags = e->flags,
                                   .pid = e->pid,
                                   .lost = e->lost};
    if (!out || write(fd, out, n * sizeof(*out)) != (ssize_t)(n * sizeof(*out))) {
        perror("tap");
        exit(1);
    }
    free(out);
}

int main(int argc, char **argv)
{
    struct rollcall_options opts = {.struct_size = sizeof(opts)};
    struct sigaction action = {.sa_handler = end};
    struct rollcall_batch batch;
    struct rollcall *rc;
    int fd;

    if (argc != 3 && argc != 4)
        return 2;
    if (argc == 4)
        opts.on_full = ROLLCALL_ON_FULL_DENY;
    sigaction(SIGTERM, &action, NULL);
    fd = open(argv[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    opts.name = argv[1];
    if (fd < 0 || rollcall_open(&opts, &rc) < 0) {
        fprintf(stderr, "tap: %s\n", rollcall_error());
        return 1;
    }
    while (!ended) {
        int n = rollcall_next(rc, 100, &batch);

        if (n < 0 && n != -EINTR) {
            fprintf(stderr, "tap: %s\n", rollcall_error());
            return 1;
        }
        if (n <= 0)
            continue;
        append(fd, &batch);
        rollcall_ack(rc, batch.last_seq);
    }
    rollcall_close(rc);
    close(fd);
    return 0;
}
