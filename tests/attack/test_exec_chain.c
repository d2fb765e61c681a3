/* SPDX-License-Identifier: MIT */
/* One process that is a hundred programs, one after the other: each is told of, with what it was given. */
#include "tests/attack/attacker.h"
#include "tests/kernel/scenario.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define CHAIN  100
#define SELF   "/proc/self/exe"
#define NAME   "chain"
#define STATUS 7

static void execute_next(int left)
{
    char text[12];

    snprintf(text, sizeof(text), "%d", left);
    execl(SELF, NAME, text, NULL);
}

static void *execute_in_thread(void *context)
{
    execute_next((int)(intptr_t)context);
    return context;
}

/* In turn by the first thread, and by another one, which becomes the first. */
static int go_on(int left)
{
    pthread_t thread;

    if (left == 0)
        return STATUS;
    if (left % 2)
        execute_next(left - 1);
    else if (pthread_create(&thread, NULL, execute_in_thread, (void *)(intptr_t)(left - 1)) == 0)
        pthread_join(thread, NULL);
    return 1;
}

static void begin_chain(void)
{
    execute_next(CHAIN - 1);
    need(0);
}

static void test_chain(void **state)
{
    int status;
    pid_t pid = run_attack(begin_chain, &status);

    (void)state;
    assert_int_equal(status, STATUS << 8);
    witness_look();
    assert_int_equal(witness_life(pid, CHAIN)->status, STATUS << 8);
    for (int i = 0; i < CHAIN; i++) {
        const struct rollcall_event *exec = witness_event(ROLLCALL_EXEC, pid, (size_t)i);
        char expected[32];
        int size = snprintf(expected, sizeof(expected), NAME "%c%d", 0, CHAIN - 1 - i);

        expect_words(exec, ROLLCALL_EXE, SELF);
        expect_text(exec, ROLLCALL_ARGS, expected, (size_t)size + 1);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_chain, attack_begin),
    };

    if (argc == 2 && strcmp(argv[0], NAME) == 0)
        return go_on((int)strtol(argv[1], NULL, 10));
    return cmocka_run_group_tests(tests, attack_open, attack_close);
}
