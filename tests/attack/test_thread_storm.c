/* SPDX-License-Identifier: MIT */
/* Threads that end, execute and create all at the same moment: what is told is of the process, once. */
#include "tests/attack/attacker.h"
#include "tests/kernel/scenario.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS  8
#define TIMES    50
#define CHILDREN 25
#define EXECUTED 9
#define ENDED    5

/* Runs body() in so many threads and in the first one, which begin together. */
static void storm(void *(*body)(void *))
{
    shared->ready = 0;
    for (intptr_t i = 1; i < THREADS; i++) {
        pthread_t thread;

        need(pthread_create(&thread, NULL, body, (void *)i) == 0);
    }
    body(NULL);
}

static void gather(void)
{
    shared->ready++;
    while (shared->ready < THREADS)
        sched_yield();
}

static void repeat(void (*body)(void))
{
    for (int i = 0; i < TIMES; i++) {
        pid_t pid = fork();

        if (pid == 0)
            body();
        note_made(pid);
        need(waitpid(pid, NULL, 0) == pid);
    }
}

/* ---- ends ---- */

/* Each ends itself alone: which is the last one is decided in the kernel. */
static void *end_alone(void *context)
{
    gather();
    syscall(SYS_exit, 0);
    return context;
}

/* Each ends all, and one alone. */
static void *end_all(void *context)
{
    gather();
    if (context == (void *)1)
        syscall(SYS_exit, 0);
    _exit(ENDED);
    return context;
}

static void end_threads(void)
{
    storm(end_alone);
}

static void end_process(void)
{
    storm(end_all);
}

static void attack_by_ends(void)
{
    repeat(end_threads);
    repeat(end_process);
}

static void test_ends(void **state)
{
    (void)state;
    run_attack(attack_by_ends, NULL);
    witness_look();
    expect_made(2 * TIMES, 0, -1);
    for (uint32_t i = 0; i < TIMES; i++) {
        assert_int_equal(witness_event(ROLLCALL_EXIT, made_pid(i), 0)->status, 0);
        assert_int_equal(witness_event(ROLLCALL_EXIT, made_pid(TIMES + i), 0)->status, ENDED << 8);
    }
}

/* ---- execs ---- */

/* One of them wins, and the others are gone. */
static void *execute(void *context)
{
    gather();
    execl(attack_program(), "load-child", "9", NULL);
    return context;
}

/* One executes, the others end the process: one of them wins. */
static void *execute_or_end(void *context)
{
    gather();
    if (context == (void *)1)
        execl(attack_program(), "load-child", "9", NULL);
    _exit(ENDED);
}

static void execute_in_all(void)
{
    storm(execute);
}

static void execute_in_one(void)
{
    storm(execute_or_end);
}

static void attack_by_execs(void)
{
    repeat(execute_in_all);
}

static void attack_by_race(void)
{
    repeat(execute_in_one);
}

static void test_execs(void **state)
{
    (void)state;
    run_attack(attack_by_execs, NULL);
    witness_look();
    expect_made(TIMES, 1, EXECUTED << 8);
}

static void test_exec_or_end(void **state)
{
    (void)state;
    run_attack(attack_by_race, NULL);
    witness_look();
    for (uint32_t i = 0; i < TIMES; i++) {
        const struct rollcall_event *end = witness_event(ROLLCALL_EXIT, made_pid(i), 0);

        assert_non_null(end);
        assert_true(end->status == ENDED << 8 || end->status == EXECUTED << 8);
        witness_life(made_pid(i), end->status == EXECUTED << 8);
    }
}

/* ---- processes ---- */

static _Atomic uint32_t threads_left;

static void *create_children(void *context)
{
    gather();
    for (int i = 0; i < CHILDREN; i++) {
        pid_t pid = fork();

        if (pid == 0)
            _exit(0);
        note_made(pid);
        need(waitpid(pid, NULL, 0) == pid);
    }
    if (--threads_left == 0)
        _exit(0);
    for (;;)
        pause();
    return context;
}

static void attack_by_children(void)
{
    threads_left = THREADS;
    storm(create_children);
}

static void test_children(void **state)
{
    pid_t pid = run_attack(attack_by_children, NULL);

    (void)state;
    witness_look();
    expect_made(THREADS * CHILDREN, 0, 0);
    assert_int_equal(witness_created_by(pid), THREADS * CHILDREN);
    witness_life(pid, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_ends, attack_begin),
        cmocka_unit_test_setup(test_execs, attack_begin),
        cmocka_unit_test_setup(test_exec_or_end, attack_begin),
        cmocka_unit_test_setup(test_children, attack_begin),
    };

    return cmocka_run_group_tests(tests, attack_open, attack_close);
}
