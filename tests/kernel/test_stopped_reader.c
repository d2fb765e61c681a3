/* SPDX-License-Identifier: MIT */
/* The reader is stopped while 50,000 processes come and go, for five seconds at least; then it
 * goes on, and nothing is lost: the default ring has room for all of it. */
#include "tests/kernel/scenario.h"

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STOP_MS 5000

/* What the reader and the other one, its parent, tell each other. */
struct shared {
    _Atomic pid_t marker; /* the load has ended, this one was created after it */
};

_Noreturn static void be_reader(const struct shared *shared, const struct truth *truth, int ready)
{
    struct reader reader = {.rc = open_or_skip(NULL)};
    pid_t parent = getppid();

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    reader.check = check_new(attached_ns(reader.rc));
    if (write(ready, "", 1) != 1)
        err(1, "write");
    while (!shared->marker)
        read_some(&reader, 100);
    read_until_exit(&reader, shared->marker, parent);
    finish_check(reader.check, truth);
    printf("%llu events\n", (unsigned long long)reader.events);
    check_free(reader.check);
    rollcall_close(reader.rc);
    fflush(stdout);
    _exit(0);
}

static pid_t start_reader(const struct shared *shared, const struct truth *truth)
{
    int ready[2];
    char byte;
    pid_t pid;

    if (pipe(ready) < 0)
        err(1, "pipe");
    pid = fork();
    if (pid < 0)
        err(1, "fork");
    if (pid == 0) {
        close(ready[0]);
        be_reader(shared, truth, ready[1]);
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1)
        _exit(WEXITSTATUS(wait_for(pid)));
    close(ready[0]);
    return pid;
}

static void stop(pid_t pid)
{
    int status = 0;

    if (kill(pid, SIGSTOP) < 0 || waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
        errx(1, "the reader cannot be stopped (status 0x%x)", status);
}

static void sleep_until(int64_t when_ms)
{
    int64_t left = when_ms - now_ms();
    struct timespec ts = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};

    if (left > 0)
        nanosleep(&ts, NULL);
}

int main(void)
{
    const struct load_options opts = {
        .workers = 4, .count = 50000, .mix = LOAD_METHODS_ALL, .program = LOAD_CHILD};
    struct shared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct load load = {0};
    int64_t stopped_ms;
    pid_t reader;
    int status;

    if (shared == MAP_FAILED || load_init(&load, &opts, NULL) < 0)
        err(1, "mmap");
    reader = start_reader(shared, load.truth);
    stop(reader);
    stopped_ms = now_ms();
    if (load_start(&load, &opts) < 0 || load_wait(&load) < 0)
        errx(1, "the load failed");
    shared->marker = make_marker();
    sleep_until(stopped_ms + STOP_MS);
    kill(reader, SIGCONT);
    status = wait_for(reader);
    load_end(&load);
    munmap(shared, sizeof(*shared));
    if (status)
        errx(1, "the reader ended with status 0x%x", status);
    return 0;
}
