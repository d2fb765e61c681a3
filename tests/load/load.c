/* SPDX-License-Identifier: MIT */
#include "tests/load/load.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

/* What a worker works with. */
struct work {
    const struct load_options *opts;
    struct truth *truth;
    struct truth_worker *worker;
    enum load_method methods[LOAD_METHODS];
    uint32_t method_count;
    uint64_t begin_ns;
};

uint32_t truth_made(const struct truth *truth)
{
    uint32_t made = 0;

    for (uint32_t i = 0; i < truth->workers; i++)
        made += truth->worker[i].made;
    return made;
}

/* ---- options ---- */

static int parse_method(const char *name, size_t length, enum load_method *method)
{
    static const char *const names[LOAD_METHODS] = {"fork", "vfork", "spawn", "clone3"};

    for (unsigned i = 0; i < LOAD_METHODS; i++) {
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) {
            *method = (enum load_method)i;
            return 0;
        }
    }
    return -EINVAL;
}

static int parse_mix(const struct load_options *opts, struct work *work)
{
    const char *name = opts->mix;

    work->method_count = 0;
    for (;;) {
        size_t length = strcspn(name, ",");
        enum load_method method;

        if (work->method_count == LOAD_METHODS || parse_method(name, length, &method) < 0)
            return -EINVAL;
        /* What shares the worker's memory has to execute something. */
        if (!opts->program && (method == LOAD_VFORK || method == LOAD_SPAWN))
            return -EINVAL;
        work->methods[work->method_count++] = method;
        if (!name[length])
            return 0;
        name += length + 1;
    }
}

static int check_options(const struct load_options *opts)
{
    struct work work;

    if (opts->workers == 0 || opts->workers > LOAD_WORKERS_MAX || opts->count > LOAD_COUNT_MAX)
        return -EINVAL;
    return parse_mix(opts, &work);
}

/* ---- creating one ---- */

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static pid_t create_by_spawn(const char *program, char *const argv[])
{
    pid_t pid;
    int err = posix_spawn(&pid, program, NULL, NULL, argv, environ);

    if (err) {
        errno = err;
        return -1;
    }
    return pid;
}

static pid_t create_by_clone3(void)
{
    struct clone_args args = {.exit_signal = SIGCHLD};

    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* Its own function, so that the child, which returns into it, finds the stack as it was. */
static pid_t create_by_vfork(const char *program, char *const argv[])
{
    /* vfork is what is tested. NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork) */
    pid_t pid = vfork();

    if (pid == 0) {
        execv(program, argv);
        _exit(127);
    }
    return pid;
}

/* What a child does that has memory of its own. status < 0: it waits to be killed. */
_Noreturn static void be_child(const char *program, char *const argv[], int status)
{
    if (program) {
        execv(program, argv);
        _exit(127);
    }
    if (status < 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigsuspend(&(sigset_t){0});
    }
    _exit(status);
}

static pid_t try_create(enum load_method method, const char *program, char *const argv[],
                        int status)
{
    pid_t pid;

    if (method == LOAD_SPAWN)
        return create_by_spawn(program, argv);
    if (method == LOAD_VFORK)
        return create_by_vfork(program, argv);
    pid = method == LOAD_FORK ? fork() : create_by_clone3();
    if (pid == 0)
        be_child(program, argv, status);
    return pid;
}

/* The count is exact whatever happens: what the kernel refuses for now is tried again. */
static pid_t create(enum load_method method, const char *program, char *const argv[], int status)
{
    const struct timespec pause_time = {.tv_nsec = 1000000};

    for (;;) {
        pid_t pid = try_create(method, program, argv, status);

        if (pid > 0 || (errno != EAGAIN && errno != ENOMEM && errno != EINTR))
            return pid;
        nanosleep(&pause_time, NULL);
    }
}

/* ---- a worker ---- */

static void keep_rate(const struct work *work, uint32_t made)
{
    const struct load_options *opts = work->opts;
    uint64_t due;
    struct timespec until;

    if (opts->rate == 0)
        return;
    due = work->begin_ns + (uint64_t)made * opts->workers * NS_PER_S / opts->rate;
    until.tv_sec = (time_t)(due / NS_PER_S);
    until.tv_nsec = (long)(due % NS_PER_S);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

static int reap(pid_t pid, uint32_t expected)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return (uint32_t)status == expected ? 0 : -EIO;
}

static int create_one(struct work *work, uint32_t index)
{
    struct truth_record *record = &work->truth->record[work->worker->first + index];
    const char *program = work->opts->program;
    bool kept = index < work->opts->keep;
    int status = kept ? -1 : (int)(index % LOAD_EXIT_STATUSES);
    char name[] = "load-child";
    char text[12];
    char *argv[] = {name, kept ? NULL : text, NULL};
    pid_t pid;

    snprintf(text, sizeof(text), "%d", status);
    record->method = (uint16_t)work->methods[index % work->method_count];
    pid = create((enum load_method)record->method, program, argv, status);
    if (pid < 0)
        return -errno;
    record->pid = (uint32_t)pid;
    record->execs = program != NULL;
    record->status = kept ? SIGKILL : (uint32_t)status << 8;
    work->worker->made = index + 1;
    return kept ? 0 : reap(pid, record->status);
}

static int end_kept(const struct work *work)
{
    const struct truth_record *records = &work->truth->record[work->worker->first];
    int failed = 0;

    for (uint32_t i = 0; i < work->worker->made && i < work->opts->keep; i++) {
        kill((pid_t)records[i].pid, SIGKILL);
        if (reap((pid_t)records[i].pid, SIGKILL) < 0)
            failed = -EIO;
    }
    return failed;
}

_Noreturn static void be_worker(struct work *work)
{
    uint32_t made = 0;
    int err = 0;
    int kept;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    work->begin_ns = now_ns();
    while (err == 0 && made < work->worker->share && !work->truth->stop) {
        keep_rate(work, made);
        err = create_one(work, made);
        if (err < 0)
            fprintf(stderr, "load: process %u: %s\n", made, strerror(-err));
        made++;
    }
    kept = end_kept(work);
    _exit(err < 0 || kept < 0);
}

/* ---- all of them ---- */

static int map_truth(struct load *load, const char *path)
{
    int fd = -1;
    int err = 0;

    if (path) {
        fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0 || ftruncate(fd, (off_t)load->size) < 0) {
            err = -errno;
            goto close_file;
        }
    }
    load->truth = mmap(NULL, load->size, PROT_READ | PROT_WRITE,
                       MAP_SHARED | (path ? 0 : MAP_ANONYMOUS), fd, 0);
    if (load->truth == MAP_FAILED)
        err = -errno;
close_file:
    if (fd >= 0)
        close(fd);
    return err;
}

int load_init(struct load *load, const struct load_options *opts, const char *path)
{
    uint32_t first = 0;
    int err = check_options(opts);

    if (err < 0)
        return err;
    load->size = sizeof(struct truth) + opts->count * sizeof(struct truth_record);
    err = map_truth(load, path);
    if (err < 0)
        return err;
    load->truth->magic = TRUTH_MAGIC;
    load->truth->workers = opts->workers;
    load->truth->count = opts->count;
    for (uint32_t i = 0; i < opts->workers; i++) {
        struct truth_worker *worker = &load->truth->worker[i];

        worker->first = first;
        worker->share = opts->count / opts->workers + (i < opts->count % opts->workers);
        first += worker->share;
    }
    return 0;
}

int load_start(struct load *load, const struct load_options *opts)
{
    struct work work = {.opts = opts, .truth = load->truth};

    if (parse_mix(opts, &work) < 0)
        return -EINVAL;
    load->truth->starter = (uint32_t)getpid();
    for (uint32_t i = 0; i < opts->workers; i++) {
        pid_t pid;

        work.worker = &load->truth->worker[i];
        pid = fork();
        if (pid < 0)
            return -errno;
        if (pid == 0)
            be_worker(&work);
        work.worker->pid = (uint32_t)pid;
    }
    return 0;
}

/* Returns whether the worker has ended. */
static bool take_worker(struct load *load, uint32_t index, int flags)
{
    pid_t pid = (pid_t)load->truth->worker[index].pid;
    int status = 0;
    pid_t taken;

    if (pid == 0)
        return true;
    do
        taken = waitpid(pid, &status, flags);
    while (taken < 0 && errno == EINTR);
    if (taken == 0)
        return false;
    if (taken < 0 || status != 0)
        load->failed = true;
    return true;
}

static int take_workers(struct load *load, int flags)
{
    int left = 0;

    for (uint32_t i = 0; i < load->truth->workers; i++) {
        if (!load->ended[i])
            load->ended[i] = take_worker(load, i, flags);
        left += !load->ended[i];
    }
    return load->failed ? -EIO : left;
}

int load_poll(struct load *load)
{
    return take_workers(load, WNOHANG);
}

int load_wait(struct load *load)
{
    return take_workers(load, 0);
}

void load_end(struct load *load)
{
    load->truth->stop = 1;
    load_wait(load);
    munmap(load->truth, load->size);
    load->truth = NULL;
}
