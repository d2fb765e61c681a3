/* SPDX-License-Identifier: MIT */
/* A program that gives itself another name and other arguments once it runs. */
#include "tests/attack/attacker.h"
#include "tests/kernel/scenario.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#define SELF     "/proc/self/exe"
#define NAME     "changer"
#define SECRET   "secret"
#define PRETENDS "nothing" /* as long as NAME */
#define SHORT    "\033[2Kbash"

_Noreturn static void change(char **argv)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, SHORT);
    memset(argv[1], 'x', strlen(argv[1]));
    memcpy(argv[0], PRETENDS, strlen(PRETENDS));
    for (;;)
        pause();
}

static void execute(void)
{
    execl(SELF, NAME, SECRET, NULL);
    need(0);
}

static void wait_until_changed(pid_t pid)
{
    int64_t limit = now_ms() + LIMIT_MS;
    char command[64] = "";

    while (strcmp(command, PRETENDS) != 0) {
        assert_true(now_ms() < limit);
        read_command_line(pid, command, sizeof(command));
    }
}

/* The exec has what it was given. Who asks later, as /proc and ps(1) do, gets what it says of itself, but
 * the file that it is. */
static void test_changed(void **state)
{
    pid_t pid = start_attack(execute);
    const struct rollcall_event *exec;
    struct rollcall_event *told;
    struct rollcall_string exe;

    (void)state;
    wait_until_changed(pid);
    told = told_as_existing(pid);
    kill(pid, SIGKILL);
    assert_int_equal(wait_for(pid), SIGKILL);
    witness_look();
    assert_int_equal(witness_life(pid, 1)->status, SIGKILL);
    exec = witness_event(ROLLCALL_EXEC, pid, 0);
    expect_text(exec, ROLLCALL_ARGS, NAME "\0" SECRET, sizeof(NAME) + sizeof(SECRET));
    assert_string_equal(witness_event(ROLLCALL_EXIT, pid, 0)->comm, SHORT);
    expect_text(told, ROLLCALL_ARGS, PRETENDS "\0xxxxxx", sizeof(NAME) + sizeof(SECRET));
    exe = text_of(told, ROLLCALL_EXE);
    assert_true(exe.size > strlen("test_attack_changed_arguments"));
    assert_memory_equal(exe.data + exe.size - strlen("/test_attack_changed_arguments"),
                        "/test_attack_changed_arguments", strlen("/test_attack_changed_arguments"));
    free(told);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_changed, attack_begin),
    };

    if (argc == 2 && strcmp(argv[0], NAME) == 0)
        change(argv);
    return cmocka_run_group_tests(tests, attack_open, attack_close);
}
