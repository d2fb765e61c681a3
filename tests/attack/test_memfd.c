/* SPDX-License-Identifier: MIT */
/* Programs that never were a file: in memory, with a name that is meant for whoever reads it. */
#include "tests/attack/attacker.h"
#include "tests/kernel/scenario.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

/* Looks like a path, and tells a terminal to move up and to clear the line. */
#define NAME "../../usr/sbin/sshd\033[A\033[2K\n"

static void execute_memory(void)
{
    char name[] = "load-child";
    char *const arguments[] = {name, NULL};
    char *const environment[] = {NULL};
    int from = open(attack_program(), O_RDONLY | O_CLOEXEC);
    int fd = memfd_create(NAME, MFD_CLOEXEC);
    struct stat st = {0};

    need(from >= 0 && fd >= 0 && fstat(from, &st) == 0);
    need(sendfile(fd, from, NULL, (size_t)st.st_size) == st.st_size);
    shared->number = (uint32_t)fd;
    syscall(SYS_execveat, fd, "", arguments, environment, AT_EMPTY_PATH);
    need(0);
}

static void test_program_in_memory(void **state)
{
    pid_t pid = start_attack(execute_memory);
    struct rollcall_event *told;
    char expected[32];

    (void)state;
    look_for(ROLLCALL_EXEC, pid);
    told = told_as_existing(pid);
    assert_int_equal(kill(pid, SIGKILL), 0);
    wait_for(pid);
    witness_look();
    assert_int_equal(witness_life(pid, 1)->status, SIGKILL);
    snprintf(expected, sizeof(expected), "/dev/fd/%u", shared->number);
    expect_words(witness_event(ROLLCALL_EXEC, pid, 0), ROLLCALL_EXE, expected);
    expect_text(witness_event(ROLLCALL_EXEC, pid, 0), ROLLCALL_ARGS, "load-child", 11);
    expect_words(told, ROLLCALL_EXE, "/memfd:" NAME);
    expect_text(told, ROLLCALL_ARGS, "load-child", 11);
    free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_program_in_memory, attack_begin),
    };

    return cmocka_run_group_tests(tests, attack_open, attack_close);
}
