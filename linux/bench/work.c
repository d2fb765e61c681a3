/* SPDX-License-Identifier: MIT */
#include "bench/work.h"

#include "bench/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORK_PROGRAM "/bin/true"

const struct work_kind work_kinds[WORK_KINDS_MAX + 1] = {
    {"fork+exit", "fork_exit", false}, {"fork+exec+exit", "fork_exec_exit", true}, {0}};

const char work_question[] =
    "is " WORK_PROGRAM " there, and the limit of processes (ulimit -u) not reached?";

unsigned work_events(bool exec)
{
    return exec ? 3 : 2;
}

/* ---- in the workers ---- */

static pid_t wait_for(pid_t pid, int *status)
{
    pid_t got;

    do
        got = waitpid(pid, status, 0);
    while (got < 0 && errno == EINTR);
    return got;
}

static pid_t make_by_fork(bool exec)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (exec)
            execl(WORK_PROGRAM, WORK_PROGRAM, (char *)NULL);
        _exit(exec ? 127 : 0);
    }
    return pid;
}

/* Its own function, so that the child, which returns into it, finds the stack as it was. */
static pid_t make_by_vfork(const char *program)
{
    /* For its speed. NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork) */
    pid_t pid = vfork();

    if (pid == 0) {
        execl(program, program, "0", (char *)NULL);
        _exit(127);
    }
    return pid;
}

pid_t worker_make_process(const struct work_order *order)
{
    int status = 0;
    pid_t pid = order->program ? make_by_vfork(order->program) : make_by_fork(order->exec);

    if (pid < 0 || wait_for(pid, &status) != pid || status != 0)
        return -1;
    return pid;
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
            worker_run(work, i);
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
    if (work->order.count)
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
    ssize_t written = write((int)work->go, "g", 1);

    /* Who is not there any more is noticed by work_wait(). */
    (void)written;
}

bool workers_ended(const struct work *work, bool wait)
{
    siginfo_t info = {0};

    if (waitid(P_PID, (id_t)work->leader, &info, WEXITED | WNOWAIT | (wait ? 0 : WNOHANG)) < 0)
        return errno != EINTR;
    return info.si_pid == work->leader;
}

void work_destroy(struct work *work)
{
    int status;

    close((int)work->go);
    kill((pid_t)work->leader, SIGKILL);
    wait_for((pid_t)work->leader, &status);
    munmap(work->reports, work->size);
}
