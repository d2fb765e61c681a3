/* SPDX-License-Identifier: MIT */
#include "bench/figures.h"
#include "bench/work.h"
#include "linux/clock.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LIMIT_NS 60000000000u

static void test_figures_of_a_hundred(void **state)
{
    double values[100];
    struct figures figures;

    (void)state;
    for (int i = 0; i < 100; i++)
        values[i] = 100 - i;
    figures_of(values, 100, &figures);
    assert_int_equal(figures.count, 100);
    assert_true(figures.min == 1);
    assert_true(figures.median == 50.5);
    assert_true(figures.p99 == 99);
    assert_true(figures.max == 100);
}

static void test_figures_of_few(void **state)
{
    double values[] = {3, 1, 2};
    struct figures figures;

    (void)state;
    figures_of(values, 3, &figures);
    assert_true(figures.median == 2 && figures.p99 == 3);
    figures_of(values, 1, &figures);
    assert_true(figures.min == 1 && figures.median == 1 && figures.p99 == 1 && figures.max == 1);
    figures_of(values, 0, &figures);
    assert_true(figures.count == 0 && figures.max == 0);
}

/* An odd number, which two workers cannot share evenly. */
static void test_work_makes_the_number_that_was_ordered(void **state)
{
    struct work_order order = {.workers = 2, .exec = true, .count = 7};
    struct work work;

    (void)state;
    assert_int_equal(work_prepare(&work, &order), 0);
    assert_false(work_done(&work));
    assert_int_equal(work_made(&work), 0);
    work_go(&work);
    assert_int_equal(work_wait(&work), 0);
    assert_true(work_done(&work));
    assert_int_equal(work_made(&work), 7);
    assert_true(work_rate(&work) > 0);
    for (int i = 0; i < 7; i++) {
        assert_true(work.pids[i] > 0);
        assert_false(work_is_worker(&work, (uint32_t)work.pids[i]));
    }
    assert_true(work_is_worker(&work, (uint32_t)work.reports[1].pid));
    work_destroy(&work);
}

static bool is_gone(pid_t pid)
{
    uint64_t start = clock_mono_ns();

    while (kill(pid, 0) == 0 && clock_mono_ns() - start < LIMIT_NS)
        usleep(1000);
    return kill(pid, 0) < 0;
}

/* Work that was never begun, or is not done, ends with who ordered it. */
static void test_destroy_leaves_no_process(void **state)
{
    struct work_order order = {.workers = 1, .run_ns = 2 * LIMIT_NS};
    struct work work;
    pid_t worker;

    (void)state;
    assert_int_equal(work_prepare(&work, &order), 0);
    work_destroy(&work);
    assert_int_equal(work_prepare(&work, &order), 0);
    work_go(&work);
    while (work_made(&work) == 0)
        ;
    worker = work.reports[0].pid;
    work_destroy(&work);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_true(is_gone(worker));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures_of_a_hundred),
        cmocka_unit_test(test_figures_of_few),
        cmocka_unit_test(test_work_makes_the_number_that_was_ordered),
        cmocka_unit_test(test_destroy_leaves_no_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
