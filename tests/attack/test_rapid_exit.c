/* SPDX-License-Identifier: MIT */
/* Processes that end before anybody can look at them: at once, killed, without parent, unasked for. */
#include "tests/attack/attacker.h"
#include "tests/kernel/scenario.h"

#include <linux/sched.h>
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

#define TIMES 100

static pid_t clone_with(uint64_t flags, uint64_t signal)
{
    struct clone_args args = {.flags = flags, .exit_signal = signal};

    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static void reap(pid_t pid)
{
    need(waitpid(pid, NULL, __WALL) == pid);
}

static void exit_at_once(void)
{
    for (int i = 0; i < TIMES; i++) {
        pid_t pid = fork();

        if (pid == 0)
            _exit(0);
        note_made(pid);
        reap(pid);
    }
    for (int i = 0; i < TIMES; i++) {
        /* vfork is what is tested. NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork) */
        pid_t pid = vfork();

        if (pid == 0)
            _exit(0);
        note_made(pid);
        reap(pid);
    }
}

static void test_exits_at_once(void **state)
{
    (void)state;
    run_attack(exit_at_once, NULL);
    witness_look();
    expect_made(2 * TIMES, 0, 0);
}

/* Its parent is told nothing, and need not wait for it. */
static void exit_silently(void)
{
    for (int i = 0; i < TIMES; i++) {
        pid_t pid = clone_with(0, 0);

        if (pid == 0)
            _exit(0);
        note_made(pid);
        reap(pid);
    }
}

static void test_exits_silently(void **state)
{
    (void)state;
    run_attack(exit_silently, NULL);
    witness_look();
    expect_made(TIMES, 0, 0);
}

static void kill_at_once(void)
{
    for (int i = 0; i < TIMES; i++) {
        pid_t pid = fork();

        if (pid == 0)
            for (;;)
                pause();
        kill(pid, SIGKILL);
        note_made(pid);
        reap(pid);
    }
}

/* Some of them never run. */
static void test_killed_before_it_runs(void **state)
{
    (void)state;
    run_attack(kill_at_once, NULL);
    witness_look();
    expect_made(TIMES, 0, SIGKILL);
}

/* Who made it is gone, and nobody waits for it. The pipe is closed when all have ended. */
static void leave_orphans(void)
{
    int ends[2];
    char byte;

    need(pipe(ends) == 0);
    for (int i = 0; i < TIMES; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            if (fork() == 0)
                note_made(getpid());
            _exit(3);
        }
        reap(pid);
    }
    close(ends[1]);
    need(read(ends[0], &byte, 1) == 0);
}

static void test_orphans(void **state)
{
    (void)state;
    run_attack(leave_orphans, NULL);
    witness_look();
    expect_made(TIMES, 0, 3 << 8);
}

/* They have the parent that their creator has. */
static void create_siblings(void)
{
    for (int i = 0; i < TIMES; i++) {
        pid_t pid = clone_with(CLONE_PARENT, 0);

        if (pid == 0)
            _exit(0);
        note_made(pid);
    }
}

static void test_siblings(void **state)
{
    pid_t creator = run_attack(create_siblings, NULL);

    (void)state;
    for (uint32_t i = 0; i < TIMES; i++)
        assert_int_equal(wait_for(made_pid(i)), 0);
    witness_look();
    expect_made(TIMES, 0, 0);
    for (uint32_t i = 0; i < TIMES; i++) {
        const struct rollcall_event *create = witness_event(ROLLCALL_CREATE, made_pid(i), 0);

        assert_int_equal(create->creator_pid, creator);
        assert_int_equal(create->ppid, getpid());
        assert_int_equal(create->uid, ATTACKER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_exits_at_once, attack_begin),
        cmocka_unit_test_setup(test_exits_silently, attack_begin),
        cmocka_unit_test_setup(test_killed_before_it_runs, attack_begin),
        cmocka_unit_test_setup(test_orphans, attack_begin),
        cmocka_unit_test_setup(test_siblings, attack_begin),
    };

    return cmocka_run_group_tests(tests, attack_open, attack_close);
}
