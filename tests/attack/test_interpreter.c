/* SPDX-License-Identifier: MIT */
/* Scripts of scripts: one exec, with the file that was executed and the arguments that the last
 * interpreter got. */
#include "tests/attack/attacker.h"
#include "tests/kernel/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SCRIPTS  4         /* the kernel follows five interpreters */
#define EXECUTED 125       /* what the program says to so many arguments */
#define HARMLESS "\033[8m" /* hides what a terminal shows after it */

static char scripts[SCRIPTS][96];

static void name_scripts(void)
{
    for (int i = 0; i < SCRIPTS; i++)
        snprintf(scripts[i], sizeof(scripts[i]), "%s/script-%d", attack_directory(), i);
}

/* The first one is for the program, each other one for the one before it. */
static void execute_script(void)
{
    for (int i = 0; i < SCRIPTS; i++) {
        FILE *file = fopen(scripts[i], "we");

        need(file != NULL);
        if (i == 0)
            fprintf(file, "#!%s 9\n", attack_program());
        else
            fprintf(file, "#!%s option-%d\n", scripts[i - 1], i);
        need(fclose(file) == 0 && chmod(scripts[i], 0755) == 0);
    }
    execl(scripts[SCRIPTS - 1], "innocent", HARMLESS, NULL);
    need(0);
}

static void append(char *joined, size_t *size, const char *text)
{
    memcpy(joined + *size, text, strlen(text) + 1);
    *size += strlen(text) + 1;
}

static void test_scripts(void **state)
{
    const struct rollcall_event *exec;
    char joined[1024];
    size_t size = 0;
    int status;
    pid_t pid;

    (void)state;
    name_scripts();
    pid = run_attack(execute_script, &status);
    witness_look();
    assert_int_equal(witness_life(pid, 1)->status, EXECUTED << 8);
    exec = witness_event(ROLLCALL_EXEC, pid, 0);
    append(joined, &size, attack_program());
    append(joined, &size, "9");
    for (int i = 0; i < SCRIPTS; i++) {
        char option[16];

        append(joined, &size, scripts[i]);
        snprintf(option, sizeof(option), "option-%d", i + 1);
        if (i + 1 < SCRIPTS)
            append(joined, &size, option);
    }
    append(joined, &size, HARMLESS);
    expect_words(exec, ROLLCALL_EXE, scripts[SCRIPTS - 1]);
    expect_text(exec, ROLLCALL_ARGS, joined, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_scripts, attack_begin),
    };

    return cmocka_run_group_tests(tests, attack_open, attack_close);
}
