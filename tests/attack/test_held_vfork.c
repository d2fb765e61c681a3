/* SPDX-License-Identifier: MIT */
/* A child of vfork that has its parent stopped for as long as it likes, and lives in its memory. */
#include "tests/attack/attacker.h"
#include "tests/kernel/scenario.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define EXECUTED 9

/* Its own function, so that the child, which returns into it, finds the stack as it was. */
static pid_t hold(void)
{
    /* vfork is what is tested, and what one ought not to do behind it.
     * NOLINTBEGIN(clang-analyzer-security.insecureAPI.vfork, clang-analyzer-unix.Vfork) */
    pid_t pid = vfork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        shared->number = (uint32_t)getpid();
        wait_until_ready(1);
        execl(attack_program(), "load-child", "9", NULL);
        _exit(100);
    }
    /* NOLINTEND(clang-analyzer-security.insecureAPI.vfork, clang-analyzer-unix.Vfork) */
    return pid;
}

static void attack_by_vfork(void)
{
    pid_t pid = hold();

    note_made(pid);
    need(waitpid(pid, NULL, 0) == pid);
}

static void test_held(void **state)
{
    pid_t pid = start_attack(attack_by_vfork);
    const struct rollcall_event *create;
    int64_t limit = now_ms() + LIMIT_MS;

    (void)state;
    while (shared->number == 0)
        assert_true(now_ms() < limit);
    witness_look();
    /* It is told of while it holds its parent, which does not even know its pid yet. */
    create = witness_event(ROLLCALL_CREATE, (pid_t)shared->number, 0);
    assert_non_null(create);
    assert_int_equal(create->creator_pid, pid);
    assert_int_equal(witness_count(ROLLCALL_EXEC, (pid_t)shared->number), 0);
    shared->ready = 1;
    assert_int_equal(wait_for(pid), 0);
    witness_look();
    expect_made(1, 1, EXECUTED << 8);
    witness_life(pid, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_held, attack_begin),
    };

    return cmocka_run_group_tests(tests, attack_open, attack_close);
}
