/* SPDX-License-Identifier: MIT */
#include "bench/work.h"

#include "linux/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- in the workers ---- */

static pid_t wait_for(pid_t pid, int *status)
{
    pid_t got;

    do
        got = waitpid(pid, status, 0);
    while (got < 0 && errno == EINTR);
    return got;
}

/* One process, from beginning to end. Returns its pid, or -1. */
static pid_t make_process(bool exec)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        if (exec)
            execl(WORK_PROGRAM, WORK_PROGRAM, (char *)NULL);
        _exit(exec ? 127 : 0);
    }
    if (pid < 0 || wait_for(pid, &status) != pid || status != 0)
        return -1;
    return pid;
}

static void pause_for(uint64_t ns)
{
    struct timespec time = {.tv_sec = (time_t)(ns / 1000000000),
                            .tv_nsec = (long)(ns % 1000000000)};

    nanosleep(&time, NULL);
}

/* The share of worker `index`: all that are `index` modulo the number of workers. */
static void do_work(struct work *work, unsigned index)
{
    const struct work_order *order = &work->order;
    struct work_report *report = &work->reports[index];
    uint64_t start = clock_mono_ns();
    uint64_t made = index;

    report->pid = getpid();
    while (order->count ? made < order->count : clock_mono_ns() - start < order->run_ns) {
        pid_t pid = make_process(order->exec);

        if (pid < 0) {
            report->failed = true;
            break;
        }
        if (order->count)
            work->pids[made] = pid;
        made += order->workers;
        atomic_fetch_add_explicit(&report->made, 1, memory_order_relaxed);
        report->elapsed_ns = clock_mono_ns() - start;
        if (order->pause_ns)
            pause_for(order->pause_ns);
    }
}

static void die_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
}

/* The workers' parent: waits for the word, and then for their end. */
static int lead(struct work *work, int go)
{
    pid_t self = getpid();
    pid_t workers[WORK_WORKERS_MAX];
    int failed = 0;
    char word;

    if (read(go, &word, 1) != 1)
        return 1;
    for (unsigned i = 0; i < work->order.workers; i++) {
        workers[i] = fork();
        if (workers[i] == 0) {
            die_with(self);
            do_work(work, i);
            _exit(work->reports[i].failed);
        }
    }
    for (unsigned i = 0; i < work->order.workers; i++) {
        int status = 0;

        if (workers[i] < 0 || wait_for(workers[i], &status) < 0 || status != 0)
            failed = 1;
    }
    return failed;
}

/* ---- interface ---- */

/* Both are in one mapping: the pids follow the reports. */
static int map_shared(struct work *work)
{
    size_t reports = work->order.workers * sizeof(*work->reports);
    void *memory;

    work->size = reports + work->order.count * sizeof(*work->pids);
    memory = mmap(NULL, work->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -errno;
    work->reports = memory;
    work->pids = (pid_t *)(void *)((char *)memory + reports);
    return 0;
}

int work_prepare(struct work *work, const struct work_order *order)
{
    pid_t self = getpid();
    int go[2];
    int err;

    memset(work, 0, sizeof(*work));
    work->order = *order;
    if (pipe2(go, O_CLOEXEC) < 0)
        return -errno;
    err = map_shared(work);
    if (err < 0)
        goto close_pipe;
    work->leader = fork();
    if (work->leader == 0) {
        close(go[1]);
        die_with(self);
        _exit(lead(work, go[0]));
    }
    if (work->leader < 0) {
        err = -errno;
        goto unmap;
    }
    close(go[0]);
    work->go = go[1];
    return 0;

unmap:
    munmap(work->reports, work->size);
close_pipe:
    close(go[0]);
    close(go[1]);
    return err;
}

void work_go(struct work *work)
{
    ssize_t written = write(work->go, "g", 1);

    /* Who is not there any more is noticed by work_wait(). */
    (void)written;
}

static bool leader_ended(const struct work *work, int flags)
{
    siginfo_t info = {0};

    if (waitid(P_PID, (id_t)work->leader, &info, WEXITED | WNOWAIT | flags) < 0)
        return errno != EINTR;
    return info.si_pid == work->leader;
}

bool work_done(struct work *work)
{
    return leader_ended(work, WNOHANG);
}

bool work_is_worker(const struct work *work, uint32_t pid)
{
    for (unsigned i = 0; i < work->order.workers; i++)
        if ((uint32_t)work->reports[i].pid == pid)
            return true;
    return false;
}

uint64_t work_made(const struct work *work)
{
    uint64_t made = 0;

    for (unsigned i = 0; i < work->order.workers; i++)
        made += atomic_load_explicit(&work->reports[i].made, memory_order_relaxed);
    return made;
}

double work_rate(const struct work *work)
{
    double rate = 0;

    for (unsigned i = 0; i < work->order.workers; i++) {
        const struct work_report *report = &work->reports[i];

        if (report->elapsed_ns > 0)
            rate += (double)report->made * 1e9 / (double)report->elapsed_ns;
    }
    return rate;
}

int work_wait(struct work *work)
{
    while (!leader_ended(work, 0))
        ;
    for (unsigned i = 0; i < work->order.workers; i++)
        if (work->reports[i].failed)
            return -ECHILD;
    return work_made(work) > 0 ? 0 : -ECHILD;
}

void work_destroy(struct work *work)
{
    int status;

    close(work->go);
    kill(work->leader, SIGKILL);
    wait_for(work->leader, &status);
    munmap(work->reports, work->size);
}
