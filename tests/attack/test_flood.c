/* SPDX-License-Identifier: MIT */
/* As many processes as can be, while others keep the processors busy: a reader that is there loses
 * nothing, with the ring that it has by default. */
#include "tests/attack/attacker.h"
#include "tests/kernel/scenario.h"

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT   1200
#define WORKERS 16
#define BUSY    8

static void be_busy(void)
{
    for (;;)
        getppid();
}

static void read_while_it_runs(struct reader *reader, pid_t pid)
{
    int64_t limit = now_ms() + LIMIT_MS;
    int status = 0;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (now_ms() > limit)
            errx(1, "the flood does not end");
        read_some(reader, 10);
    }
    if (status != 0)
        errx(1, "the flood failed: status 0x%x", (unsigned)status);
    read_until_exit(reader, make_marker(), getpid());
}

static void start_busy(pid_t busy[])
{
    for (int i = 0; i < BUSY; i++)
        busy[i] = start_attack(be_busy);
}

static void end_busy(const pid_t busy[])
{
    for (int i = 0; i < BUSY; i++) {
        kill(busy[i], SIGKILL);
        wait_for(busy[i]);
    }
}

int main(void)
{
    struct load_options opts = {.workers = WORKERS, .count = COUNT, .mix = LOAD_METHODS_ALL};
    struct reader reader = {.rc = open_or_skip(NULL)};
    struct load load = {0};
    pid_t busy[BUSY];
    int error;

    reader.check = check_new(attached_ns(reader.rc));
    make_attack_directory();
    opts.program = attack_program();
    error = load_init(&load, &opts, NULL);
    if (error < 0)
        errx(1, "load: %s", strerror(-error));
    start_busy(busy);
    read_while_it_runs(&reader, start_load_attack(&load, &opts));
    end_busy(busy);
    if (truth_made(load.truth) != COUNT)
        errx(1, "the flood created %u processes", truth_made(load.truth));
    finish_check(reader.check, load.truth);
    printf("%llu events, %u processes of the flood\n", (unsigned long long)reader.events, COUNT);
    check_free(reader.check);
    rollcall_close(reader.rc);
    return 0;
}
