/* SPDX-License-Identifier: MIT */
#include "tests/daemon/rig.h"

#include "linux/clock.h"
#include "tests/load/check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SKIPPED 77

/* Of the process that tells consumers to end: this test's alone, as others may run beside it. */
static char end_name[16];

_Noreturn void rig_fail(const char *file, int line, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s:%d: ", file, line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    _exit(1);
}

uint64_t rig_now_ms(void)
{
    return clock_mono_ns() / 1000000;
}

/* ---- beginning and end ---- */

static void remove_all(const struct rig *rig)
{
    char command[160];

    snprintf(command, sizeof(command), "rm -rf '%s'", rig->directory);
    if (system(command) != 0) // NOLINT(cert-env33-c)
        fprintf(stderr, "%s is left\n", rig->directory);
}

static void clean_up(const struct rig *rig)
{
    const struct rollcall_options opts = {
        .struct_size = sizeof(opts), .name = rig->name, .flags = ROLLCALL_DIRECT};
    uint64_t end = rig_now_ms() + 10000;

    if (rig->daemon > 0)
        kill(rig->daemon, SIGKILL);
    /* Until the kernel has taken its lease back. */
    while (rollcall_detach_at(&opts) == -EBUSY && rig_now_ms() < end)
        usleep(10000);
    remove_all(rig);
}

static void make_names(struct rig *rig)
{
    snprintf(rig->directory, sizeof(rig->directory), "/tmp/rollcall-daemon-XXXXXX");
    CHECK(mkdtemp(rig->directory));
    snprintf(end_name, sizeof(end_name), "end-%d", (int)getpid());
    CHECK(chmod(rig->directory, 0755) == 0);
    snprintf(rig->socket, sizeof(rig->socket), "%s/socket", rig->directory);
    snprintf(rig->journal, sizeof(rig->journal), "%s/journal", rig->directory);
    snprintf(rig->name, sizeof(rig->name), "test-daemon-%d", (int)getpid());
    snprintf(rig->program, sizeof(rig->program), "rollcalld");
}

_Noreturn void rig_skip(const char *reason)
{
    printf("skipped: %s\n", reason);
    fflush(stdout);
    _exit(SKIPPED);
}

int rig_main(void (*test)(struct rig *rig))
{
    struct rig *rig;
    int status = 0;
    int result = 1;
    pid_t child;

    if (geteuid() != 0) {
        puts("skipped: this needs root");
        return SKIPPED;
    }
    rig = mmap(NULL, sizeof(*rig), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(rig != MAP_FAILED);
    make_names(rig);
    /* What outlives its parent is ours to wait for. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setpgid(0, 0);
        alarm(RIG_LIMIT_S);
        test(rig);
        exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
        result = SKIPPED;
    else if (status != 0)
        fprintf(stderr, "the test ended with status 0x%x\n", (unsigned)status);
    kill(-child, SIGKILL);
    clean_up(rig);
    return status == 0 ? 0 : result;
}

/* ---- the daemon ---- */

static const char *beside(const char *program)
{
    static char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 64);
    char *end;

    CHECK(size > 0);
    path[size] = '\0';
    end = strrchr(path, '/');
    snprintf(end + 1, 63, "%s", program);
    return path;
}

const char *rig_child(void)
{
    static char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s", beside("load-child"));
    return path;
}

static void send_log(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    CHECK(fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
}

static void enter_group(const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    CHECK(fd >= 0 && write(fd, "0", 1) == 1);
    close(fd);
}

_Noreturn void rig_exec(const struct rig *rig, const char *const *more)
{
    const char *arguments[32] = {"rollcalld",  "--socket", rig->socket, "--journal",
                                 rig->journal, "--name",   rig->name};
    unsigned count = 7;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (*rig->log)
        send_log(rig->log);
    if (*rig->group)
        enter_group(rig->group);
    if (*rig->preload)
        setenv("LD_PRELOAD", rig->preload, 1);
    while (more && *more)
        arguments[count++] = *more++;
    execv(beside(rig->program), (char *const *)(uintptr_t)arguments);
    _exit(127);
}

static bool answers(const struct rig *rig)
{
    struct rollcall_options opts = rig_options(rig, "nobody");
    struct rollcall_stats stats;

    return rollcall_inspect_at(&opts, &stats, sizeof(stats)) == -ENOENT &&
           strstr(rollcall_error(), "no consumer");
}

void rig_launch(struct rig *rig, const char *const *arguments)
{
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0)
        rig_exec(rig, arguments);
    rig->daemon = pid;
}

void rig_start(struct rig *rig, const char *const *arguments)
{
    int status;

    rig_launch(rig, arguments);
    while (!answers(rig)) {
        if (waitpid(rig->daemon, &status, WNOHANG) != 0)
            rig_fail(__FILE__, __LINE__, "the daemon has ended with status 0x%x", (unsigned)status);
        usleep(2000);
    }
}

void rig_start_for_own(struct rig *rig, uint32_t uid)
{
    char config[128];
    const char *const arguments[] = {"--config", config, NULL};
    FILE *file;

    snprintf(config, sizeof(config), "%s/config", rig->directory);
    file = fopen(config, "we");
    CHECK(file && fprintf(file, "[read-own]\nusers = %u\n", uid) > 0 && fclose(file) == 0);
    rig_start(rig, arguments);
}

int rig_await_daemon(struct rig *rig)
{
    int status;

    CHECK(waitpid(rig->daemon, &status, 0) == rig->daemon);
    rig->daemon = 0;
    return status;
}

void rig_stop(struct rig *rig, int signal)
{
    int status;

    CHECK(kill(rig->daemon, signal) == 0);
    status = rig_await_daemon(rig);
    if (signal == SIGTERM)
        CHECK_EQUAL(status, 0);
}

struct rollcall_options rig_options(const struct rig *rig, const char *name)
{
    return (struct rollcall_options){.struct_size = sizeof(struct rollcall_options),
                                     .name = name,
                                     .latency_us = 20000,
                                     .flags = ROLLCALL_DAEMON,
                                     .socket = rig->socket};
}

/* Where who attaches now begins. */
uint64_t rig_newest(const struct rig *rig)
{
    struct rollcall_options opts = rig_options(rig, NULL);
    struct rollcall_stats stats;
    struct rollcall *rc;

    CHECK_EQUAL(rollcall_open(&opts, &rc), 0);
    CHECK_EQUAL(rollcall_stats(rc, &stats, sizeof(stats)), 0);
    rollcall_close(rc);
    return stats.acked_seq;
}

/* ---- consumers ---- */

bool rig_is_mark(const struct rollcall_event *event)
{
    return event->type == ROLLCALL_EXIT && strcmp(event->comm, end_name) == 0;
}

static uint64_t mix(const struct rollcall_event *event)
{
    uint64_t hash = event->seq * 0x9e3779b97f4a7c15ull ^ event->mono_ns ^
                    (uint64_t)event->pid << 32 ^ event->type ^ (uint64_t)event->size << 20;

    return hash * 0xff51afd7ed558ccdull;
}

/* Each number comes once, and in its order; another epoch begins at 1. */
static bool hear(struct heard *heard, const struct behaviour *behaviour, uint64_t from_seq,
                 uint64_t epoch, const struct rollcall_event *event)
{
    uint64_t last = rollcall_event_last_seq(event);

    if (heard->epoch != epoch) {
        CHECK(heard->epoch < epoch);
        if (heard->epoch != 0)
            CHECK_EQUAL(event->seq, 1);
        heard->epoch = epoch;
        heard->epochs++;
        heard->last_seq = event->seq - 1;
    }
    if (behaviour->dedupes && last <= heard->last_seq)
        return false;
    CHECK_EQUAL(event->seq, heard->last_seq + 1);
    if (heard->first_seq == 0)
        heard->first_seq = event->seq;
    heard->last_seq = last;
    heard->events += event->type != ROLLCALL_GAP;
    heard->gaps += event->type == ROLLCALL_GAP;
    heard->lost += event->type == ROLLCALL_GAP ? event->lost : 0;
    if (event->seq > from_seq)
        heard->sum += mix(event);
    return true;
}

static void acknowledge(struct rollcall *rc, const struct behaviour *behaviour,
                        const struct rollcall_batch *batch)
{
    if (behaviour->never_acks)
        return;
    if (behaviour->acks_half)
        CHECK_EQUAL(rollcall_ack(rc, batch->first_seq + (batch->last_seq - batch->first_seq) / 2),
                    0);
    if (!behaviour->acks_half || batch->last_seq % 3 == 0)
        CHECK_EQUAL(rollcall_ack(rc, batch->last_seq), 0);
}

static void compare(struct check *check, const struct truth *truth)
{
    if (check_finish(check, truth) == 0)
        return;
    check_print(check, stderr);
    rig_fail(__FILE__, __LINE__, "what was heard is not what happened");
}

/* Returns whether it is at its end. */
static bool handle(struct rig *rig, unsigned index, const struct behaviour *behaviour,
                   struct check *check, const struct rollcall_batch *batch)
{
    struct heard *heard = &rig->heard[index];
    const struct rollcall_event *event = NULL;
    bool end = false;

    while (!end && (event = rollcall_batch_next(batch, event))) {
        if (!hear(heard, behaviour, rig->from_seq, batch->epoch, event))
            continue;
        if (check)
            check_event(check, batch->epoch, event);
        end |= behaviour->until_seq ? heard->last_seq >= behaviour->until_seq : rig_is_mark(event);
    }
    return end || heard->stop;
}

static void run_consumer(struct rig *rig, unsigned index, const struct behaviour *behaviour)
{
    struct rollcall_options opts = rig_options(rig, behaviour->name);
    struct rollcall_stats stats;
    struct check *check = NULL;
    struct rollcall_batch batch;
    struct rollcall *rc;
    bool end = false;
    int n;

    if (rollcall_open(&opts, &rc) < 0)
        rig_fail(__FILE__, __LINE__, "consumer %u: %s", index, rollcall_error());
    CHECK_EQUAL(rollcall_stats(rc, &stats, sizeof(stats)), 0);
    if (behaviour->truth)
        check = check_new(stats.attached_ns);
    rig->heard[index].opened = true;
    while (!end && ((n = rollcall_next(rc, 1000, &batch)) >= 0 || n == -EINTR)) {
        end = rig->heard[index].stop;
        if (n <= 0)
            continue;
        end = handle(rig, index, behaviour, check, &batch);
        if (!end)
            acknowledge(rc, behaviour, &batch);
        else if (!behaviour->never_acks)
            CHECK_EQUAL(rollcall_ack(rc, rig->heard[index].last_seq), 0);
        if (behaviour->pause_us)
            usleep(behaviour->pause_us);
    }
    if (!end)
        rig_fail(__FILE__, __LINE__, "consumer %u: %s", index, rollcall_error());
    if (check)
        compare(check, behaviour->truth);
    rollcall_close(rc);
    _exit(0);
}

pid_t rig_consume(struct rig *rig, unsigned index, const struct behaviour *behaviour)
{
    int status;
    pid_t pid;

    rig->heard[index].opened = false;
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run_consumer(rig, index, behaviour);
    }
    while (!rig->heard[index].opened) {
        CHECK(waitpid(pid, &status, WNOHANG) == 0);
        usleep(500);
    }
    return pid;
}

void rig_await(pid_t consumer)
{
    int status;

    CHECK(waitpid(consumer, &status, 0) == consumer);
    CHECK_EQUAL(status, 0);
}

void rig_mark_end(void)
{
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_NAME, end_name);
        _exit(0);
    }
    rig_await(pid);
}

const struct truth *rig_load(struct load *load, uint32_t count)
{
    const struct load_options opts = {
        .workers = 2, .count = count, .mix = LOAD_METHODS_ALL, .program = rig_child()};

    CHECK_EQUAL(load_init(load, &opts, NULL), 0);
    CHECK_EQUAL(load_start(load, &opts), 0);
    return load->truth;
}
