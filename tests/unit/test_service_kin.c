/* SPDX-License-Identifier: MIT */
/* Which processes come from handlers. */
#include "service/kin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SELF  100u
#define START 5000u /* of SELF; others start at 10 times their pid unless they say something else */

static struct kin_roots roots;
static struct kin *kin;

static int set_up(void **state)
{
    (void)state;
    roots.count = 0;
    kin_roots_add(&roots, &(struct kin_root){.pid = SELF, .start_ns = START, .span_ns = 10});
    kin = kin_new(&roots);
    return kin ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    kin_free(kin);
    return 0;
}

static uint64_t start_of(uint32_t pid)
{
    return pid == SELF ? START + 3 : pid * 10ull;
}

static bool is(uint16_t type, uint32_t pid, uint64_t start_ns, uint32_t ppid, uint64_t parent_ns)
{
    const struct rollcall_event event = {.type = type,
                                         .present = ROLLCALL_HAS_PARENT,
                                         .pid = pid,
                                         .start_ns = start_ns,
                                         .ppid = ppid,
                                         .parent_start_ns = parent_ns};

    return kin_is(kin, &event);
}

static bool created(uint32_t pid, uint32_t ppid)
{
    return is(ROLLCALL_CREATE, pid, start_of(pid), ppid, start_of(ppid));
}

static bool ended(uint32_t pid, uint32_t ppid)
{
    return is(ROLLCALL_EXIT, pid, start_of(pid), ppid, start_of(ppid));
}

/* Created by the wish of another than its parent, of which no more than the pid is told. */
static bool asked_for(uint32_t pid, uint32_t creator_pid)
{
    const struct rollcall_event event = {.type = ROLLCALL_CREATE,
                                         .present = ROLLCALL_HAS_PARENT | ROLLCALL_HAS_CREATOR,
                                         .pid = pid,
                                         .start_ns = start_of(pid),
                                         .ppid = 1,
                                         .parent_start_ns = 10,
                                         .creator_pid = creator_pid};

    return kin_is(kin, &event);
}

static void test_descendants(void **state)
{
    (void)state;
    assert_false(created(200, 1));
    assert_true(created(201, SELF));
    assert_true(created(202, 201));
    assert_true(is(ROLLCALL_EXEC, 202, start_of(202), 201, start_of(201)));
    assert_false(created(203, 200));
    assert_true(ended(202, 201));
    assert_true(ended(201, SELF));
    assert_false(ended(200, 1));
    assert_true(is(ROLLCALL_EXEC, SELF, start_of(SELF), 1, 10));
}

static void test_parent_that_has_ended(void **state)
{
    (void)state;
    assert_true(created(201, SELF));
    assert_true(created(202, 201));
    assert_true(ended(201, SELF));
    /* It has been given to another parent, and makes one more. */
    assert_true(is(ROLLCALL_EXEC, 202, start_of(202), 1, 10));
    assert_true(created(203, 202));
    /* The same once more, as after a program's death. */
    assert_true(created(201, SELF));
    assert_true(created(202, 201));
    assert_true(ended(201, SELF));
}

static void test_again_after_all_have_ended(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        assert_true(created(201, SELF));
        assert_true(ended(201, SELF));
        assert_true(created(202, 201)); /* told late */
        assert_true(ended(202, 201));
    }
}

static void test_same_pid_again(void **state)
{
    (void)state;
    assert_true(created(201, SELF));
    /* Its end was lost; the pid is somebody else's now. */
    assert_false(is(ROLLCALL_CREATE, 201, 99999, 1, 10));
    assert_false(is(ROLLCALL_CREATE, 202, 2020, 201, 99999));
    assert_true(is(ROLLCALL_CREATE, 203, 2030, 201, start_of(201)));
    assert_false(asked_for(204, 201));
    assert_false(is(ROLLCALL_EXIT, 201, 99999, 1, 10));
}

static void test_root_is_meant_with_its_start(void **state)
{
    (void)state;
    assert_false(is(ROLLCALL_CREATE, 201, 2010, SELF, START - 1));
    assert_false(is(ROLLCALL_CREATE, 202, 2020, SELF, START + 10));
    assert_true(is(ROLLCALL_CREATE, 203, 2030, SELF, START));
    assert_true(is(ROLLCALL_CREATE, 204, 2040, SELF, START + 9));
}

static void test_creator(void **state)
{
    (void)state;
    assert_false(asked_for(300, 201));
    assert_true(created(201, SELF));
    assert_true(asked_for(301, 201));
}

static void test_root_in_a_namespace(void **state)
{
    struct rollcall_event event = {.type = ROLLCALL_EXEC,
                                   .present = ROLLCALL_HAS_PID_NS,
                                   .pid = 700,
                                   .start_ns = 8004,
                                   .ns_pid = 7,
                                   .pid_ns = 77};

    (void)state;
    kin_roots_add(&roots,
                  &(struct kin_root){.pid = 7, .pid_ns = 77, .start_ns = 8000, .span_ns = 10});
    assert_false(is(ROLLCALL_CREATE, 7, 8001, 1, 10));
    assert_true(kin_is(kin, &event));
    assert_true(is(ROLLCALL_CREATE, 701, 9000, 700, 8004));
}

/* Those of the many that have ended are forgotten in their order, and memory is bounded. */
static void test_many(void **state)
{
    (void)state;
    for (uint32_t pid = 1000; pid < 101000; pid++) {
        assert_true(created(pid, SELF));
        assert_true(ended(pid, SELF));
    }
    assert_true(created(999, 101000 - 16384));
    assert_false(created(998, 101000 - 16385));
}

static void test_roots_are_bounded(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2 * KIN_ROOTS_MAX; i++)
        kin_roots_add(&roots, &(struct kin_root){.pid = i});
    assert_int_equal(roots.count, KIN_ROOTS_MAX);
    assert_int_equal(roots.all[0].pid, KIN_ROOTS_MAX);
    assert_int_equal(roots.all[KIN_ROOTS_MAX - 1].pid, 2 * KIN_ROOTS_MAX - 1);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_descendants),
        TEST(test_parent_that_has_ended),
        TEST(test_again_after_all_have_ended),
        TEST(test_same_pid_again),
        TEST(test_root_is_meant_with_its_start),
        TEST(test_creator),
        TEST(test_root_in_a_namespace),
        TEST(test_many),
        TEST(test_roots_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
