/* SPDX-License-Identifier: MIT */
/* Programs that are gone, or are another file, before anybody can look at them. */
#include "tests/attack/attacker.h"
#include "tests/kernel/scenario.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define EXECUTED 9

static char path[96];
static char by_descriptor[32];

/* A second name of the program, as a copy would be: what is unlinked is the name. */
static void make_name(void)
{
    snprintf(path, sizeof(path), "%s/innocent", attack_directory());
    need(link(attack_program(), path) == 0);
}

static void execute_unlinked(void)
{
    int fd = open(path, O_PATH | O_CLOEXEC);

    need(fd >= 0 && unlink(path) == 0);
    snprintf(by_descriptor, sizeof(by_descriptor), "/proc/self/fd/%d", fd);
    shared->number = (uint32_t)fd;
    execl(by_descriptor, "load-child", "9", NULL);
    need(0);
}

/* What it executed by has no name any more; what it was given is told. */
static void test_executed_without_name(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    make_name();
    pid = run_attack(execute_unlinked, &status);
    witness_look();
    assert_int_equal(witness_life(pid, 1)->status, EXECUTED << 8);
    snprintf(by_descriptor, sizeof(by_descriptor), "/proc/self/fd/%u", shared->number);
    expect_words(witness_event(ROLLCALL_EXEC, pid, 0), ROLLCALL_EXE, by_descriptor);
    expect_text(witness_event(ROLLCALL_EXEC, pid, 0), ROLLCALL_ARGS, "load-child\0009", 13);
}

static void execute_by_name(void)
{
    execl(path, "load-child", NULL);
    need(0);
}

/* Who looks into /proc now finds a program that is deleted; the event has its name, and who comes
 * later is told the name that it had. */
static void test_unlinked_while_it_runs(void **state)
{
    struct rollcall_event *told;
    pid_t pid;

    (void)state;
    make_name();
    pid = start_attack(execute_by_name);
    look_for(ROLLCALL_EXEC, pid);
    assert_int_equal(unlink(path), 0);
    told = told_as_existing(pid);
    assert_int_equal(kill(pid, SIGKILL), 0);
    wait_for(pid);
    witness_look();
    assert_int_equal(witness_life(pid, 1)->status, SIGKILL);
    expect_words(witness_event(ROLLCALL_EXEC, pid, 0), ROLLCALL_EXE, path);
    expect_words(told, ROLLCALL_EXE, path);
    free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_executed_without_name, attack_begin),
        cmocka_unit_test_setup(test_unlinked_while_it_runs, attack_begin),
    };

    return cmocka_run_group_tests(tests, attack_open, attack_close);
}
