/* SPDX-License-Identifier: MIT */
/* How far may be acknowledged. */
#include "service/pending.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct pending pending;

static void begin(size_t most)
{
    pending_close(&pending);
    assert_int_equal(pending_open(&pending, most), 0);
}

static void expect(uint64_t epoch, uint64_t until, size_t count)
{
    assert_int_equal(pending.epoch, epoch);
    assert_int_equal(pending.until, until);
    assert_int_equal(pending_count(&pending), count);
}

static void test_in_order(void **state)
{
    (void)state;
    begin(3);
    for (uint64_t seq = 1; seq < 20; seq++) {
        pending_add(&pending, 7, seq, seq);
        assert_int_equal(pending_answer(&pending, false, 0, seq), 1);
        expect(7, seq, 0);
    }
}

static void test_only_up_to_the_first_that_is_not_done(void **state)
{
    uint64_t ids[4];

    (void)state;
    begin(4);
    for (uint64_t i = 0; i < 4; i++)
        ids[i] = pending_add(&pending, 7, 10 + i, 10 + i);
    pending_finish(&pending, ids[1]);
    pending_finish(&pending, ids[3]);
    expect(0, 0, 4);
    pending_finish(&pending, ids[0]);
    expect(7, 11, 2);
    pending_finish(&pending, ids[2]);
    expect(7, 13, 0);
}

static void test_what_is_left_out(void **state)
{
    uint64_t id;

    (void)state;
    begin(2);
    pending_pass(&pending, 7, 1);
    expect(7, 1, 0);
    id = pending_add(&pending, 7, 2, 2);
    for (uint64_t seq = 3; seq < 1000; seq++)
        pending_pass(&pending, 7, seq);
    expect(7, 1, 1);
    pending_finish(&pending, id);
    expect(7, 999, 0);
}

static void test_gap(void **state)
{
    (void)state;
    begin(2);
    pending_add(&pending, 7, 5, 90);
    pending_add(&pending, 7, 91, 91);
    assert_int_equal(pending_answer(&pending, false, 0, 5), 1);
    expect(7, 90, 1);
}

static void test_epochs(void **state)
{
    (void)state;
    begin(4);
    pending_add(&pending, 7, 100, 100);
    pending_add(&pending, 7, 101, 101);
    pending_pass(&pending, 8, 1);
    pending_add(&pending, 8, 2, 2);
    expect(0, 0, 4);
    /* Without an epoch the oldest one is meant. */
    assert_int_equal(pending_answer(&pending, false, 0, 100), 1);
    expect(7, 100, 3);
    /* In the next one all before it is done as well. */
    assert_int_equal(pending_answer(&pending, true, 8, 2), 2);
    expect(8, 2, 0);
}

static void test_what_it_was_not_given(void **state)
{
    (void)state;
    begin(4);
    assert_int_equal(pending_answer(&pending, false, 0, 1), -EPROTO);
    pending_add(&pending, 7, 100, 100);
    assert_int_equal(pending_answer(&pending, false, 0, 101), -EPROTO);
    assert_int_equal(pending_answer(&pending, true, 8, 1), -EPROTO);
    expect(0, 0, 1);
    assert_int_equal(pending_answer(&pending, true, 7, 100), 1);
    /* Said once more. */
    assert_int_equal(pending_answer(&pending, false, 0, 100), 0);
    assert_int_equal(pending_answer(&pending, false, 0, 99), 0);
    expect(7, 100, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_only_up_to_the_first_that_is_not_done),
        cmocka_unit_test(test_what_is_left_out),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_epochs),
        cmocka_unit_test(test_what_it_was_not_given),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    pending_close(&pending);
    return failed;
}
