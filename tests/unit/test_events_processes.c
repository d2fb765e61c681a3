/* SPDX-License-Identifier: MIT */
/* The account of the processes that are alive. */
#include "events/processes.h"
#include "tests/unit/sample_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PID_NS 4026531836u

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct processes));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    processes_clear(*state);
    free(*state);
    return 0;
}

/* A process starts at the time that is its pid. */
static struct rollcall_event event_of(unsigned type, uint32_t pid, uint32_t ppid)
{
    return (struct rollcall_event){.type = (uint16_t)type,
                                   .present = ROLLCALL_HAS_PARENT,
                                   .pid = pid,
                                   .ppid = ppid,
                                   .start_ns = pid,
                                   .parent_start_ns = ppid,
                                   .comm = "name"};
}

static struct process *update(struct processes *table, const struct rollcall_event *event)
{
    struct made_event made;

    return processes_update(table, make_event(&made, event));
}

static struct process *add(struct processes *table, unsigned type, uint32_t pid, uint32_t ppid)
{
    struct rollcall_event event = event_of(type, pid, ppid);
    struct process *process = update(table, &event);

    assert_non_null(process);
    return process;
}

static void test_update_and_forget(void **state)
{
    struct processes *table = *state;
    struct rollcall_event event = event_of(ROLLCALL_CREATE, 7, 1);
    const struct process *process;

    event.present |= ROLLCALL_HAS_USER;
    event.flags = ROLLCALL_KERNEL_THREAD;
    event.uid = 33;
    process = update(table, &event);
    assert_int_equal(process->pid, 7);
    assert_int_equal(process->start_ns, 7);
    assert_int_equal(process->ppid, 1);
    assert_int_equal(process->uid, 33);
    assert_true(process->has_uid && process->kernel_thread && !process->followed);
    assert_string_equal(process->comm, "name");
    assert_ptr_equal(processes_find(table, 7, 0), process);
    assert_ptr_equal(processes_find(table, 7, 7), process);
    assert_null(processes_find(table, 7, 8));
    assert_null(processes_find(table, 8, 0));
    event.start_ns = 8;
    processes_forget(table, &event);
    assert_non_null(processes_find(table, 7, 0));
    event.start_ns = 7;
    processes_forget(table, &event);
    assert_null(processes_find(table, 7, 0));
    processes_forget(table, &event);
}

static void test_events_without_process(void **state)
{
    struct rollcall_event gap = event_of(ROLLCALL_GAP, 7, 1);
    struct rollcall_event synced = event_of(ROLLCALL_SYNCED, 7, 1);

    assert_null(update(*state, &gap));
    assert_null(update(*state, &synced));
    assert_null(processes_find(*state, 7, 0));
}

static struct process *execute_first(struct processes *table)
{
    struct rollcall_event event = event_of(ROLLCALL_EXEC, 7, 1);
    struct made_event made;

    make_event(&made, &event);
    make_string(&made, ROLLCALL_EXE, "/bin/first");
    make_text(&made, ROLLCALL_ARGS, "a\0b\0", 4, 0, 4);
    return processes_update(table, (const void *)made.bytes);
}

static void test_texts(void **state)
{
    struct rollcall_event event = event_of(ROLLCALL_EXEC, 7, 1);
    struct made_event made;
    const struct process *process = execute_first(*state);

    assert_string_equal(process->exe, "/bin/first");
    assert_int_equal(process->args_size, 4);
    assert_memory_equal(process->args, "a\0b\0", 4);
    make_event(&made, &event);
    make_string(&made, ROLLCALL_EXE, "/bin/second");
    make_text(&made, ROLLCALL_ARGS, "", 0, 0, 0);
    assert_ptr_equal(processes_update(*state, (const void *)made.bytes), process);
    assert_string_equal(process->exe, "/bin/second");
    assert_int_equal(process->args_size, 0);
    add(*state, ROLLCALL_EXIT, 7, 1);
    assert_string_equal(process->exe, "/bin/second");
}

/* One that is told late: the program is another one than before. */
static void test_exec_without_texts(void **state)
{
    struct rollcall_event event = event_of(ROLLCALL_EXEC, 7, 1);
    const struct process *process = execute_first(*state);

    memset(event.comm, 0, sizeof(event.comm));
    assert_ptr_equal(update(*state, &event), process);
    assert_null(process->exe);
    assert_null(process->args);
    assert_int_equal(process->args_size, 0);
    assert_string_equal(process->comm, "name");
}

/* What a new process runs is what its creator runs; the parent may be another one. */
static void test_program_from_the_creator(void **state)
{
    struct rollcall_event event = event_of(ROLLCALL_EXISTS, 7, 1);
    struct made_event made;

    make_event(&made, &event);
    make_string(&made, ROLLCALL_EXE, "/bin/creator");
    processes_update(*state, (const void *)made.bytes);
    event = event_of(ROLLCALL_EXISTS, 1, 0);
    make_event(&made, &event);
    make_string(&made, ROLLCALL_EXE, "/sbin/init");
    processes_update(*state, (const void *)made.bytes);
    event = event_of(ROLLCALL_CREATE, 8, 1);
    event.present |= ROLLCALL_HAS_CREATOR;
    event.creator_pid = 7;
    assert_string_equal(update(*state, &event)->exe, "/bin/creator");
    assert_string_equal(add(*state, ROLLCALL_CREATE, 9, 1)->exe, "/sbin/init");
}

/* Whose exit was lost is not taken for its successor. */
static void test_pid_again(void **state)
{
    struct processes *table = *state;
    struct rollcall_event event = event_of(ROLLCALL_CREATE, 7, 1);
    struct rollcall_event child = event_of(ROLLCALL_CREATE, 8, 7);
    const struct process *process;

    update(table, &event);
    update(table, &child);
    event.start_ns = 1000;
    process = update(table, &event);
    assert_int_equal(process->start_ns, 1000);
    assert_ptr_equal(processes_find(table, 7, 0), process);
    assert_null(processes_find(table, 7, 7));
    assert_int_equal(HASH_COUNT(table->all), 2);
    assert_int_equal(processes_depth(table, processes_find(table, 8, 0)), 0);
}

static void test_depth(void **state)
{
    struct processes *table = *state;

    add(table, ROLLCALL_EXISTS, 1, 0);
    add(table, ROLLCALL_EXISTS, 2, 1);
    add(table, ROLLCALL_EXISTS, 3, 2);
    add(table, ROLLCALL_EXISTS, 9, 8);
    assert_int_equal(processes_depth(table, processes_find(table, 1, 0)), 0);
    assert_int_equal(processes_depth(table, processes_find(table, 3, 0)), 2);
    assert_int_equal(processes_depth(table, processes_find(table, 9, 0)), 0);
}

static void test_depth_below_the_followed_one(void **state)
{
    struct processes *table = *state;

    table->followed_pid = 2;
    add(table, ROLLCALL_EXISTS, 1, 0);
    add(table, ROLLCALL_EXISTS, 2, 1);
    add(table, ROLLCALL_CREATE, 3, 2);
    assert_int_equal(processes_depth(table, processes_find(table, 2, 0)), 0);
    assert_int_equal(processes_depth(table, processes_find(table, 3, 0)), 1);
}

/* No kernel has it; wrong records must not hang us. */
static void test_circle_of_parents(void **state)
{
    struct processes *table = *state;
    struct process *top;

    add(table, ROLLCALL_EXISTS, 1, 1);
    add(table, ROLLCALL_EXISTS, 2, 3);
    add(table, ROLLCALL_EXISTS, 3, 2);
    assert_true(processes_depth(table, processes_find(table, 2, 0)) > 0);
    table->followed_pid = 2;
    processes_follow_existing(table);
    top = processes_link(table);
    assert_non_null(top);
    assert_int_equal(top->children->pid, 1);
    assert_null(top->children->sibling);
    assert_null(top->children->children);
    free(top);
}

static void test_link(void **state)
{
    struct processes *table = *state;
    struct process *top;
    const struct process *init;

    add(table, ROLLCALL_EXISTS, 30, 1);
    add(table, ROLLCALL_EXISTS, 5, 1);
    add(table, ROLLCALL_EXISTS, 2, 0);
    add(table, ROLLCALL_EXISTS, 1, 0);
    add(table, ROLLCALL_EXISTS, 6, 30);
    add(table, ROLLCALL_EXISTS, 40, 39);
    for (int round = 0; round < 2; round++) {
        top = processes_link(table);
        assert_non_null(top);
        init = top->children;
        assert_int_equal(init->pid, 1);
        assert_int_equal(init->sibling->pid, 2);
        assert_int_equal(init->sibling->sibling->pid, 40);
        assert_null(init->sibling->sibling->sibling);
        assert_int_equal(init->children->pid, 5);
        assert_int_equal(init->children->sibling->pid, 30);
        assert_int_equal(init->children->sibling->children->pid, 6);
        assert_null(init->children->children);
        free(top);
    }
}

static void test_link_of_nothing(void **state)
{
    struct process *top = processes_link(*state);

    assert_non_null(top);
    assert_null(top->children);
    free(top);
}

/* ---- following ---- */

static void test_follow_existing(void **state)
{
    struct processes *table = *state;

    table->followed_pid = 50;
    add(table, ROLLCALL_EXISTS, 20, 30);
    add(table, ROLLCALL_EXISTS, 30, 40);
    add(table, ROLLCALL_EXISTS, 40, 50);
    add(table, ROLLCALL_EXISTS, 50, 1);
    add(table, ROLLCALL_EXISTS, 60, 1);
    assert_false(processes_find(table, 20, 0)->followed);
    processes_follow_existing(table);
    assert_true(processes_find(table, 20, 0)->followed);
    assert_true(processes_find(table, 30, 0)->followed);
    assert_true(processes_find(table, 40, 0)->followed);
    assert_true(processes_find(table, 50, 0)->followed);
    assert_false(processes_find(table, 60, 0)->followed);
}

/* The same pid in another namespace is somebody else. */
static void test_follow_in_a_namespace(void **state)
{
    struct processes *table = *state;
    struct rollcall_event event = event_of(ROLLCALL_CREATE, 700, 1);

    table->followed_pid = 7;
    table->followed_pid_ns = PID_NS;
    assert_false(add(table, ROLLCALL_CREATE, 7, 1)->followed);
    event.present |= ROLLCALL_HAS_PID_NS;
    event.ns_pid = 7;
    event.pid_ns = PID_NS + 1;
    assert_false(update(table, &event)->followed);
    event.pid = 701;
    event.pid_ns = PID_NS;
    assert_true(update(table, &event)->followed);
}

/* Who has the pid afterwards is not followed for that alone. */
static void test_follow_not_the_successor(void **state)
{
    struct processes *table = *state;
    struct rollcall_event event = event_of(ROLLCALL_CREATE, 8, 7);

    table->followed_pid = 7;
    assert_true(add(table, ROLLCALL_CREATE, 7, 1)->followed);
    assert_true(update(table, &event)->followed);
    event.ppid = 1;
    event.parent_start_ns = 1;
    event.start_ns = 1000;
    assert_false(update(table, &event)->followed);
    event.pid = 7;
    assert_false(update(table, &event)->followed);
    event.start_ns = 7;
    assert_true(update(table, &event)->followed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_update_and_forget, setup, teardown),
        cmocka_unit_test_setup_teardown(test_events_without_process, setup, teardown),
        cmocka_unit_test_setup_teardown(test_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exec_without_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_program_from_the_creator, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pid_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_depth, setup, teardown),
        cmocka_unit_test_setup_teardown(test_depth_below_the_followed_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_circle_of_parents, setup, teardown),
        cmocka_unit_test_setup_teardown(test_link, setup, teardown),
        cmocka_unit_test_setup_teardown(test_link_of_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_follow_existing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_follow_in_a_namespace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_follow_not_the_successor, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
