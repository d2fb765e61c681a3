/* SPDX-License-Identifier: MIT */
#include "bench/floor.h"

#include "bench/clock.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

const struct floor_words floor_words = {
    .name = "an eventfd", .row = "an eventfd wake-up", .key = "eventfd"};

/* The other process: `ns` holds when each write was made, and after it how long that took. */
static int sleeper(int fd, uint64_t *ns, size_t count)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; i < count; i++) {
        uint64_t value;

        if (read(fd, &value, sizeof(value)) != (ssize_t)sizeof(value))
            return 1;
        ns[i] = bench_boot_ns() - ns[i];
    }
    return 0;
}

static void wake(int fd, uint64_t *ns, size_t count, uint64_t pause_ns)
{
    for (size_t i = 0; i < count; i++) {
        bench_pause(pause_ns);
        ns[i] = bench_boot_ns();
        eventfd_write(fd, 1);
    }
}

static int run(int fd, uint64_t *ns, size_t count, uint64_t pause_ns)
{
    int status = 1;
    pid_t pid = fork();

    if (pid < 0)
        return -errno;
    if (pid == 0)
        _exit(sleeper(fd, ns, count));
    wake(fd, ns, count, pause_ns);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status == 0 ? 0 : -ECHILD;
}

int floor_measure(uint64_t *ns, size_t count, uint64_t pause_ns)
{
    size_t size = count * sizeof(*ns);
    uint64_t *shared;
    int err;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);

    if (fd < 0)
        return -errno;
    shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        err = -errno;
        goto close_fd;
    }
    err = run(fd, shared, count, pause_ns);
    memcpy(ns, shared, size);
    munmap(shared, size);
close_fd:
    close(fd);
    return err;
}
