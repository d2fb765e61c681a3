/* SPDX-License-Identifier: MIT */
#include "service/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_doubles_up_to_a_minute(void **state)
{
    static const uint64_t expected[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    struct backoff backoff = {0};

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
            assert_int_equal(backoff_next(&backoff), expected[i] * 1000000000);
        backoff_reset(&backoff);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doubles_up_to_a_minute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
