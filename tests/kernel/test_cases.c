/* SPDX-License-Identifier: MIT */
/* Threads, ways of creating, ways of ending: each process has one create and one exit. */
#include "tests/kernel/part.h"
#include "tests/kernel/scenario.h"
#include "tests/kernel/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS      3
#define TOGETHER     2000
#define CHAIN        10
#define FAILED_FORKS 100
#define OTHER_USER   54321
#define OTHER_STATUS 5
#define SLEEP_NS     20000000

/* ---- threads ---- */

static void *return_at_once(void *context)
{
    return context;
}

static void create_threads(void)
{
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;

        need(pthread_create(&thread, NULL, return_at_once, NULL) == 0);
        need(pthread_join(thread, NULL) == 0);
    }
}

static void test_threads_are_no_processes(void **state)
{
    pid_t pid = run_child(create_threads, NULL);

    (void)state;
    witness_look();
    witness_life(pid, 0);
    assert_int_equal(witness_created_by(pid), 0);
}

static int leader_state(void)
{
    char text[128] = "";
    char path[64];
    const char *name_end;
    int fd;

    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
    fd = open(path, O_RDONLY | O_CLOEXEC);
    need(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    name_end = strrchr(text, ')');
    return name_end ? name_end[2] : 0;
}

static void *outlive_leader(void *context)
{
    int64_t limit = now_ms() + LIMIT_MS;

    while (leader_state() != 'Z' && now_ms() < limit)
        sched_yield();
    need(leader_state() == 'Z');
    shared->time_ns = boot_ns();
    return context;
}

static void end_leader_first(void)
{
    pthread_t thread;

    need(pthread_create(&thread, NULL, outlive_leader, NULL) == 0);
    pthread_exit(NULL);
}

static void test_leader_ends_first(void **state)
{
    pid_t pid = run_child(end_leader_first, NULL);

    (void)state;
    witness_look();
    assert_true(shared->time_ns > 0);
    assert_true(witness_life(pid, 0)->mono_ns >= shared->time_ns);
}

/* The status is the process's, not that of the leader, which is long gone. */
static void *end_for_all(void *context)
{
    outlive_leader(context);
    _exit(OTHER_STATUS);
}

static void end_leader_before_status(void)
{
    pthread_t thread;

    need(pthread_create(&thread, NULL, end_for_all, NULL) == 0);
    pthread_exit(NULL);
}

static void test_status_after_leader(void **state)
{
    int status;
    pid_t pid = run_child(end_leader_before_status, &status);

    (void)state;
    witness_look();
    assert_int_equal(status, OTHER_STATUS << 8);
    assert_int_equal(witness_life(pid, 0)->status, status);
}

/* Ends the thread alone, as near to the other one as can be. */
static void end_together(void)
{
    shared->ready++;
    while (shared->ready < 2)
        ;
    syscall(SYS_exit, 0);
}

static void *end_with_leader(void *context)
{
    end_together();
    return context;
}

static void end_two_threads(void)
{
    pthread_t thread;

    need(pthread_create(&thread, NULL, end_with_leader, NULL) == 0);
    end_together();
}

static void test_threads_end_together(void **state)
{
    uint32_t times = part_of(TOGETHER);

    for (uint32_t i = 0; i < times; i++) {
        pid_t pid;

        witness_begin(state);
        pid = run_child(end_two_threads, NULL);
        witness_look();
        witness_life(pid, 0);
    }
}

static void *exec_child(void *context)
{
    execl(LOAD_CHILD, LOAD_CHILD, "9", NULL);
    return context;
}

static void exec_in_thread(void)
{
    pthread_t thread;

    need(pthread_create(&thread, NULL, exec_child, NULL) == 0);
    pthread_join(thread, NULL);
    need(0);
}

static void test_exec_by_other_thread(void **state)
{
    int status;
    pid_t pid = run_child(exec_in_thread, &status);

    (void)state;
    witness_look();
    assert_int_equal(status, 9 << 8);
    assert_int_equal(witness_life(pid, 1)->status, 9 << 8);
}

/* ---- ends ---- */

static void kill_self(void)
{
    kill(getpid(), SIGKILL);
}

static void test_killed(void **state)
{
    int status;
    pid_t pid = run_child(kill_self, &status);
    const struct rollcall_event *end;

    (void)state;
    witness_look();
    end = witness_life(pid, 0);
    assert_int_equal(status, SIGKILL);
    assert_int_equal(end->status, SIGKILL);
    assert_int_equal(end->flags & ROLLCALL_CORE_DUMPED, 0);
}

static void fault(void)
{
    const struct rlimit none = {0};

    need(setrlimit(RLIMIT_CORE, &none) == 0);
    signal(SIGSEGV, SIG_DFL);
    kill(getpid(), SIGSEGV);
}

/* A handler of core dumps that is a program gets one even with a limit of 0: ask wait(2). */
static void test_fault(void **state)
{
    int status;
    pid_t pid = run_child(fault, &status);
    const struct rollcall_event *end;

    (void)state;
    witness_look();
    end = witness_life(pid, 0);
    assert_int_equal(WTERMSIG(status), SIGSEGV);
    assert_int_equal(end->status, status);
    assert_int_equal(!!(end->flags & ROLLCALL_CORE_DUMPED), !!WCOREDUMP(status));
}

static char core_directory[] = "/tmp/rollcall-core-XXXXXX";

static void dump_core(void)
{
    const struct rlimit all = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};

    need(chdir(core_directory) == 0 && setrlimit(RLIMIT_CORE, &all) == 0);
    signal(SIGQUIT, SIG_DFL);
    kill(getpid(), SIGQUIT);
}

/* The kernel names the file `core` or `core.PID`, if nobody has said otherwise. */
static bool core_stays_here(void)
{
    char pattern[128] = "";
    int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, pattern, sizeof(pattern) - 1);

    if (fd >= 0)
        close(fd);
    return n > 0 && strcmp(pattern, "core\n") == 0;
}

static void test_core_dump(void **state)
{
    const struct rollcall_event *end;
    char path[64];
    int status;
    pid_t pid;

    (void)state;
    if (!core_stays_here()) {
        print_message("not looked at: core dumps go elsewhere on this machine\n");
        return;
    }
    assert_non_null(mkdtemp(core_directory));
    pid = run_child(dump_core, &status);
    snprintf(path, sizeof(path), "%s/core", core_directory);
    unlink(path);
    snprintf(path, sizeof(path), "%s/core.%d", core_directory, pid);
    unlink(path);
    rmdir(core_directory);
    witness_look();
    end = witness_life(pid, 0);
    assert_int_equal(end->status, status);
    assert_int_equal(!!(end->flags & ROLLCALL_CORE_DUMPED), !!WCOREDUMP(status));
}

static void sleep_a_little(void)
{
    const struct timespec ts = {.tv_nsec = SLEEP_NS};

    nanosleep(&ts, NULL);
}

static void test_how_long_it_lived(void **state)
{
    uint64_t begin = boot_ns();
    pid_t pid = run_child(sleep_a_little, NULL);
    uint64_t end = boot_ns();
    const struct rollcall_event *create;
    const struct rollcall_event *last;

    (void)state;
    witness_look();
    last = witness_life(pid, 0);
    create = witness_event(ROLLCALL_CREATE, pid, 0);
    assert_true(begin <= create->start_ns);
    assert_true(create->start_ns <= create->mono_ns);
    assert_true(create->mono_ns <= last->mono_ns);
    assert_true(last->mono_ns <= end);
    assert_true(last->mono_ns - last->start_ns >= SLEEP_NS);
}

/* ---- ways of creating ---- */

static void check_created(pid_t pid, pid_t parent, pid_t creator, pid_t creator_tid)
{
    const struct rollcall_event *create = witness_event(ROLLCALL_CREATE, pid, 0);

    assert_non_null(create);
    assert_int_equal(create->present & (ROLLCALL_HAS_CREATOR | ROLLCALL_HAS_PARENT),
                     ROLLCALL_HAS_CREATOR | ROLLCALL_HAS_PARENT);
    assert_int_equal(create->ppid, parent);
    assert_int_equal(create->creator_pid, creator);
    assert_int_equal(create->creator_tid, creator_tid);
}

static void test_each_method(void **state)
{
    const struct load_options opts = {
        .workers = 1, .count = 8, .mix = LOAD_METHODS_ALL, .program = LOAD_CHILD};
    struct load load = {0};
    pid_t worker;

    (void)state;
    assert_int_equal(load_init(&load, &opts, NULL), 0);
    assert_int_equal(load_start(&load, &opts), 0);
    assert_int_equal(load_wait(&load), 0);
    worker = (pid_t)load.truth->worker[0].pid;
    witness_look();
    check_created(worker, getpid(), getpid(), getpid());
    for (uint32_t i = 0; i < opts.count; i++) {
        pid_t pid = (pid_t)load.truth->record[i].pid;

        assert_int_equal(witness_life(pid, 1)->status, load.truth->record[i].status);
        check_created(pid, worker, worker, worker);
    }
    load_end(&load);
}

static void create_sibling(void)
{
    struct clone_args args = {.flags = CLONE_PARENT};
    long pid = syscall(SYS_clone3, &args, sizeof(args));

    need(pid >= 0);
    if (pid == 0)
        _exit(0);
    shared->number = (uint32_t)pid;
}

static void test_created_for_the_grandparent(void **state)
{
    pid_t creator = run_child(create_sibling, NULL);
    pid_t pid = (pid_t)shared->number;

    (void)state;
    assert_int_equal(wait_for(pid), 0);
    witness_look();
    witness_life(pid, 0);
    check_created(pid, getpid(), creator, creator);
}

struct forked {
    pid_t tid;
    pid_t pid;
};

static void *fork_in_thread(void *context)
{
    struct forked *forked = context;

    forked->tid = gettid();
    forked->pid = make_marker();
    return NULL;
}

static void test_created_by_other_thread(void **state)
{
    struct forked forked;
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, fork_in_thread, &forked), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    witness_look();
    witness_life(forked.pid, 0);
    assert_int_not_equal(forked.tid, getpid());
    check_created(forked.pid, getpid(), getpid(), forked.tid);
}

/* A user who may have one process has this one. */
static void fail_to_fork(void)
{
    const struct rlimit one = {.rlim_cur = 1, .rlim_max = 1};

    need(setrlimit(RLIMIT_NPROC, &one) == 0 && setuid(OTHER_USER) == 0);
    for (int i = 0; i < FAILED_FORKS; i++) {
        pid_t pid = fork();

        if (pid == 0)
            _exit(0);
        need(pid < 0 && errno == EAGAIN);
    }
}

static void test_failed_forks(void **state)
{
    pid_t pid = run_child(fail_to_fork, NULL);

    (void)state;
    witness_look();
    witness_life(pid, 0);
    assert_int_equal(witness_created_by(pid), 0);
}

/* ---- execs ---- */

static void fail_to_exec(void)
{
    execl("/nonexistent/program", "program", NULL);
    need(errno == ENOENT);
    execl("/", "directory", NULL);
    need(errno == EACCES);
}

static void test_failed_exec(void **state)
{
    pid_t pid = run_child(fail_to_exec, NULL);

    (void)state;
    witness_look();
    witness_life(pid, 0);
}

static void exec_chain(int left)
{
    char text[12];

    if (left == 0)
        exit(0);
    snprintf(text, sizeof(text), "%d", left - 1);
    execl("/proc/self/exe", "chain", text, NULL);
    exit(1);
}

static void begin_chain(void)
{
    exec_chain(CHAIN);
}

static void test_execs_in_a_row(void **state)
{
    pid_t pid = run_child(begin_chain, NULL);

    (void)state;
    witness_look();
    witness_life(pid, CHAIN);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_threads_are_no_processes, witness_begin),
        cmocka_unit_test_setup(test_leader_ends_first, witness_begin),
        cmocka_unit_test_setup(test_status_after_leader, witness_begin),
        cmocka_unit_test_setup(test_threads_end_together, witness_begin),
        cmocka_unit_test_setup(test_exec_by_other_thread, witness_begin),
        cmocka_unit_test_setup(test_killed, witness_begin),
        cmocka_unit_test_setup(test_fault, witness_begin),
        cmocka_unit_test_setup(test_core_dump, witness_begin),
        cmocka_unit_test_setup(test_how_long_it_lived, witness_begin),
        cmocka_unit_test_setup(test_each_method, witness_begin),
        cmocka_unit_test_setup(test_created_for_the_grandparent, witness_begin),
        cmocka_unit_test_setup(test_created_by_other_thread, witness_begin),
        cmocka_unit_test_setup(test_failed_forks, witness_begin),
        cmocka_unit_test_setup(test_failed_exec, witness_begin),
        cmocka_unit_test_setup(test_execs_in_a_row, witness_begin),
    };

    if (argc == 2 && strcmp(argv[0], "chain") == 0)
        exec_chain((int)strtol(argv[1], NULL, 10));
    return cmocka_run_group_tests(tests, witness_open, witness_close);
}
