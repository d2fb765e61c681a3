/* SPDX-License-Identifier: MIT */
/* The kernel's table of who was announced is full, as by processes that end faster than they are taken
 * out of it: each one is still told of once, and that it is full is counted. */
#include "linux/bpf/layout.h"
#include "tests/attack/attacker.h"
#include "tests/kernel/scenario.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define TIMES 100
#define FDS   64
#define NONE  (1u << 22) /* from here on no process has a pid */

/* The witness's: a descriptor of this process. */
static int find_table(void)
{
    for (int fd = 0; fd < FDS; fd++) {
        struct bpf_map_info info = {0};
        uint32_t size = sizeof(info);

        if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && strcmp(info.name, "states") == 0 &&
            info.key_size == sizeof(struct process))
            return fd;
    }
    fail();
    return -1;
}

static uint32_t fill(int table)
{
    struct process process = {.pid = NONE};
    struct state state = {0};

    while (bpf_map_update_elem(table, &process, &state, BPF_ANY) == 0)
        process.pid++;
    assert_int_equal(errno, E2BIG);
    return process.pid;
}

static void empty(int table, uint32_t end)
{
    for (struct process process = {.pid = NONE}; process.pid < end; process.pid++)
        bpf_map_delete_elem(table, &process);
}

static void execute_many(void)
{
    for (int i = 0; i < TIMES; i++) {
        pid_t pid = fork();

        if (pid == 0)
            execl(attack_program(), "load-child", "9", NULL);
        note_made(pid);
        need(waitpid(pid, NULL, 0) == pid);
    }
}

static void test_full(void **state)
{
    int table = find_table();
    uint32_t end = fill(table);

    (void)state;
    run_attack(execute_many, NULL);
    witness_look();
    empty(table, end);
    assert_int_equal(witness_count(ROLLCALL_GAP, 0), 0);
    expect_made(TIMES, 1, 9 << 8);
    assert_true(witness_stats().states_failed > 0);
}

/* From then on, too. */
static void test_afterwards(void **state)
{
    (void)state;
    run_attack(execute_many, NULL);
    witness_look();
    expect_made(TIMES, 1, 9 << 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_full, attack_begin),
        cmocka_unit_test_setup(test_afterwards, attack_begin),
    };

    return cmocka_run_group_tests(tests, attack_open, attack_close);
}
