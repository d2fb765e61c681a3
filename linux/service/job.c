/* SPDX-License-Identifier: MIT */
/*
 * Between fork and exec only what POSIX allows there in a process that has threads: all that needs
 * memory or names is made before.
 */
#include "service/job.h"

#include "lib/error.h"
#include "linux/clock.h"
#include "linux/service/account.h"
#include "program/system.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STREAMS        3
#define TICK_NS        10000000u   /* what /proc counts the start of a process in */
#define INITIAL_PID_NS 0xeffffffcu /* the inode number of the first pid namespace */
#define START_FIELD    20          /* of /proc/PID/stat, behind the name */
#define WAIT_MAX       (2 + 4 * 64)

struct job {
    pid_t pid;
    int process;          /* a pidfd */
    int streams[STREAMS]; /* our ends: its stdin, stdout and stderr; -1: closed */
    bool full;            /* its stdin took less than all */
    bool ended;
    struct job_end end; /* once it has */
};

/* ---- starting ---- */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ours: the ends that stay with us, theirs: those that the process gets. */
static int open_pipes(int ours[STREAMS], int theirs[STREAMS])
{
    for (int i = 0; i < STREAMS; i++) {
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
            return -errno;
        ours[i] = fds[i == STDIN_FILENO ? 1 : 0];
        theirs[i] = fds[i == STDIN_FILENO ? 0 : 1];
        if (fcntl(ours[i], F_SETFL, O_NONBLOCK) < 0)
            return -errno;
    }
    return 0;
}

static bool is_same_name(const char *a, const char *b)
{
    size_t size = strcspn(a, "=");

    return strncmp(a, b, size + 1) == 0;
}

static void put(char **all, size_t *count, char *variable)
{
    for (size_t i = 0; i < *count; i++) {
        if (is_same_name(variable, all[i])) {
            all[i] = variable;
            return;
        }
    }
    all[(*count)++] = variable;
}

/* What we have, the user's own, and what was given; the texts are not copied. NULL: no memory. */
static char **make_environment(char *const *more, const struct account *user)
{
    size_t count = 0;
    size_t room = 1 + ACCOUNT_VARIABLES;
    char **all;

    while (environ[count])
        count++;
    room += count;
    for (size_t i = 0; more && more[i]; i++)
        room++;
    all = calloc(room, sizeof(*all));
    if (!all)
        return NULL;
    memcpy(all, environ, count * sizeof(*all));
    for (unsigned i = 0; user && i < ACCOUNT_VARIABLES; i++)
        put(all, &count, user->variables[i]);
    for (size_t i = 0; more && more[i]; i++)
        put(all, &count, more[i]);
    return all;
}

/* The death signal is forgotten when the user changes, so it comes after that. It comes when the
 * thread ends that made the process; a parent that died before it was set is found by its pid. */
static int prepare(const int theirs[STREAMS], const struct account *user, pid_t parent)
{
    sigset_t none;

    sigemptyset(&none);
    for (int signal_number = 1; signal_number < NSIG; signal_number++)
        signal(signal_number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    for (int i = 0; i < STREAMS; i++)
        if (dup2(theirs[i], i) < 0)
            return -errno;
    if (syscall(SYS_close_range, STREAMS, ~0u, CLOSE_RANGE_CLOEXEC) < 0 && errno != ENOSYS)
        return -errno;
    if (chdir("/") < 0)
        return -errno;
    if (user) {
        int err = account_become(user);

        if (err < 0)
            return err;
    }
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -errno;
    return getppid() == parent ? 0 : -ESRCH;
}

/* In the new process. */
static _Noreturn void become(char *const *words, char *const *environment,
                             const int theirs[STREAMS], const struct account *user, pid_t parent,
                             int report)
{
    int error = prepare(theirs, user, parent);

    if (error == 0) {
        execve(words[0], words, environment);
        error = -errno;
    }
    if (write(report, &error, sizeof(error)) < 0)
        _exit(126);
    _exit(127);
}

/* What is reported comes before the end of the report, which exec closes. */
static int read_report(int report)
{
    int error = 0;
    ssize_t n;

    do
        n = read(report, &error, sizeof(error));
    while (n < 0 && errno == EINTR);
    return error;
}

static int start(struct job *job, char *const *words, char *const *environment,
                 const int theirs[STREAMS], const struct account *user)
{
    pid_t parent = getpid();
    int report[2];
    int err;

    if (pipe2(report, O_CLOEXEC) < 0)
        return -errno;
    job->pid = fork();
    if (job->pid == 0)
        become(words, environment, theirs, user, parent, report[1]);
    err = job->pid < 0 ? -errno : 0;
    close(report[1]);
    if (err == 0)
        err = read_report(report[0]);
    close(report[0]);
    if (err == 0) {
        job->process = (int)syscall(SYS_pidfd_open, job->pid, 0);
        err = job->process < 0 ? -errno : 0;
    }
    return err;
}

int job_start(struct job **out, char *const *words, char *const *environment,
              const struct account *user)
{
    struct job *job = calloc(1, sizeof(*job));
    char **full = make_environment(environment, user);
    int theirs[STREAMS] = {-1, -1, -1};
    int err = job && full ? 0 : -ENOMEM;

    if (err == 0) {
        *job = (struct job){.process = -1, .streams = {-1, -1, -1}};
        err = open_pipes(job->streams, theirs);
    }
    if (err == 0)
        err = start(job, words, full, theirs, user);
    for (int i = 0; i < STREAMS; i++)
        close_fd(&theirs[i]);
    free(full);
    if (err == 0) {
        *out = job;
        return 0;
    }
    job_free(job);
    return rollcall_fail(err, "cannot run '%s': %s", words[0], strerror(-err));
}

/* ---- its end ---- */

/* One that has ended is not waited for before it is freed: as long as it is not, nobody else can have its
 * pid, which is the name of its session's group too. */
void job_kill(struct job *job)
{
    if (job->pid <= 0)
        return;
    kill(-job->pid, SIGKILL);
    kill(job->pid, SIGKILL);
}

bool job_ended(struct job *job, struct job_end *end)
{
    siginfo_t info = {.si_pid = 0};

    if (!job->ended && waitid(P_PID, (id_t)job->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid) {
        job->ended = true;
        job->end = (struct job_end){.by_signal = info.si_code != CLD_EXITED,
                                    .status = (uint32_t)info.si_status};
    }
    *end = job->end;
    return job->ended;
}

void job_free(struct job *job)
{
    if (!job)
        return;
    if (!job->ended)
        job_kill(job);
    if (job->pid > 0)
        while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    close_fd(&job->process);
    for (int i = 0; i < STREAMS; i++)
        close_fd(&job->streams[i]);
    free(job);
}

/* ---- its streams ---- */

int job_write(struct job *job, const char *data, size_t size)
{
    int *fd = &job->streams[STDIN_FILENO];
    ssize_t n;

    if (*fd < 0)
        return -EPIPE;
    do
        n = write(*fd, data, size);
    while (n < 0 && errno == EINTR);
    job->full = n < 0 ? errno == EAGAIN : (size_t)n < size;
    if (n < 0 && errno != EAGAIN) {
        close_fd(fd);
        return -EPIPE;
    }
    return n < 0 ? 0 : (int)n;
}

int job_read(struct job *job, enum job_stream stream, char *data, size_t room)
{
    int *fd = &job->streams[stream == JOB_OUTPUT ? STDOUT_FILENO : STDERR_FILENO];
    ssize_t n;

    if (*fd < 0)
        return -EPIPE;
    do
        n = read(*fd, data, room);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n <= 0) {
        close_fd(fd);
        return -EPIPE;
    }
    return (int)n;
}

void job_close_input(struct job *job)
{
    close_fd(&job->streams[STDIN_FILENO]);
    job->full = false;
}

/* ---- waiting ---- */

static unsigned add(struct pollfd *fds, unsigned count, int fd, short events)
{
    if (fd < 0)
        return count;
    fds[count] = (struct pollfd){.fd = fd, .events = events};
    return count + 1;
}

static unsigned add_job(struct pollfd *fds, unsigned count, const struct job *job)
{
    if (job->full)
        count = add(fds, count, job->streams[STDIN_FILENO], POLLOUT);
    count = add(fds, count, job->streams[STDOUT_FILENO], POLLIN);
    count = add(fds, count, job->streams[STDERR_FILENO], POLLIN);
    return job->ended ? count : add(fds, count, job->process, POLLIN);
}

void job_wait(const struct job_wait *wait, int timeout_ms)
{
    struct pollfd fds[WAIT_MAX];
    unsigned count = 0;

    if (wait->bell)
        count = add(fds, count, (int)wait->bell->handle, POLLIN);
    if (wait->events)
        count = add(fds, count, rollcall_fd(wait->events), POLLIN);
    for (size_t i = 0; i < wait->count && count + 4 <= WAIT_MAX; i++)
        if (wait->jobs[i])
            count = add_job(fds, count, wait->jobs[i]);
    poll(fds, count, timeout_ms);
}

/* ---- who they are ---- */

uint32_t job_pid(const struct job *job)
{
    return (uint32_t)job->pid;
}

/* Its start in ticks since boot, 0: not known. The name before it is in brackets, and may have such and
 * blanks itself. */
static uint64_t start_ticks(pid_t pid)
{
    char path[32];
    char text[1024];
    const char *rest;
    FILE *file;
    size_t size;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (!file)
        return 0;
    size = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[size] = '\0';
    rest = strrchr(text, ')');
    for (int i = 0; rest && i < START_FIELD; i++)
        rest = strchr(rest + 1, ' ');
    return rest ? strtoull(rest, NULL, 10) : 0;
}

static void identify(pid_t pid, struct kin_root *identity)
{
    uint32_t self;
    uint32_t pid_ns = 0;

    system_self(&self, &pid_ns);
    *identity = (struct kin_root){.pid = (uint32_t)pid,
                                  .pid_ns = pid_ns == INITIAL_PID_NS ? 0 : pid_ns,
                                  .start_ns = start_ticks(pid) * TICK_NS,
                                  .span_ns = TICK_NS};
}

void job_identity(const struct job *job, struct kin_root *identity)
{
    identify(job->pid, identity);
}

void job_self(struct kin_root *identity)
{
    identify(getpid(), identity);
}
