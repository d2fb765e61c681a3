/* SPDX-License-Identifier: MIT */
/* Namespaces in namespaces, which a user makes without asking: who is told of is who it is outside. */
#include "tests/attack/attacker.h"
#include "tests/kernel/scenario.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DEPTH    20 /* the kernel allows 32 */
#define CROWD    30
#define EXECUTED 9

static void write_to(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

/* He is the same user in it: who is none may make no more. */
static void make_namespaces(void)
{
    char same[32];

    snprintf(same, sizeof(same), "%u %u 1", ATTACKER, ATTACKER);
    need(unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0);
    write_to("/proc/self/setgroups", "deny");
    write_to("/proc/self/uid_map", same);
    write_to("/proc/self/gid_map", same);
}

static void test_he_may(void **state)
{
    int status;

    (void)state;
    run_attack(make_namespaces, &status);
    if (status != 0) {
        printf("skipped: users may make no namespaces here (user.max_user_namespaces)\n");
        exit(SKIPPED);
    }
}

/* Namespaces, in them a process that makes namespaces, and so on. The innermost executes. */
static void attack_by_depth(void)
{
    for (int depth = 0; depth < DEPTH; depth++) {
        int status;
        pid_t pid;

        make_namespaces();
        pid = fork();
        need(pid >= 0);
        if (pid > 0) {
            need(waitpid(pid, &status, 0) == pid);
            _exit(WEXITSTATUS(status));
        }
    }
    execl(attack_program(), "load-child", "9", NULL);
    need(0);
}

static void test_namespaces_in_namespaces(void **state)
{
    uint32_t outer_ns = 0;
    int status;
    pid_t pid = run_attack(attack_by_depth, &status);

    (void)state;
    assert_int_equal(status, EXECUTED << 8);
    witness_look();
    for (int depth = DEPTH; depth >= 0; depth--) {
        const struct rollcall_event *end = witness_life(pid, depth == 0);

        assert_int_equal(end->status, EXECUTED << 8);
        assert_int_equal(end->uid, ATTACKER);
        assert_int_equal(end->ns_pid, depth == DEPTH ? pid : 1);
        assert_int_not_equal(end->pid_ns, outer_ns);
        outer_ns = end->pid_ns;
        if (depth > 0)
            pid = only_child(pid);
    }
}

static void wait_for_death(void)
{
    for (;;)
        pause();
}

static void attack_by_crowd(void)
{
    int ends[2];
    char byte;
    pid_t pid;

    need(pipe(ends) == 0);
    make_namespaces();
    pid = fork();
    if (pid == 0) {
        for (int i = 0; i < CROWD; i++)
            if (fork() == 0)
                wait_for_death();
        need(write(ends[1], "", 1) == 1);
        wait_for_death();
    }
    need(pid > 0 && read(ends[0], &byte, 1) == 1 && kill(pid, SIGKILL) == 0);
    need(waitpid(pid, NULL, 0) == pid);
}

/* With the first process of a namespace all others in it are killed. */
static void test_namespace_is_killed(void **state)
{
    pid_t maker = run_attack(attack_by_crowd, NULL);
    pid_t first;

    (void)state;
    witness_look();
    first = only_child(maker);
    assert_int_equal(witness_life(first, 0)->status, SIGKILL);
    assert_int_equal(witness_created_by(first), CROWD);
    for (size_t i = 0; i < CROWD; i++)
        assert_int_equal(witness_life(witness_child(first, i), 0)->status, SIGKILL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_he_may, attack_begin),
        cmocka_unit_test_setup(test_namespaces_in_namespaces, attack_begin),
        cmocka_unit_test_setup(test_namespace_is_killed, attack_begin),
    };

    return cmocka_run_group_tests(tests, attack_open, attack_close);
}
