/* SPDX-License-Identifier: MIT */
/* What programs answer, in pieces of any size. */
#include "service/answers.h"

#include <rollcall/rollcall.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Gives it `text` in pieces of `piece` bytes; returns the last answer, or the error. */
static int take_all(const char *text, size_t size, size_t piece, struct answer *answer)
{
    struct answers answers = {.size = 0};
    int count = 0;

    for (size_t at = 0; at < size;) {
        size_t n = size - at < piece ? size - at : piece;
        size_t used;
        int got = answers_take(&answers, text + at, n, &used, answer);

        if (got < 0)
            return got;
        assert_in_range(used, 1, n);
        count += got;
        at += used;
    }
    return count;
}

static void expect(const char *text, int count, uint64_t epoch, uint64_t seq)
{
    for (size_t piece = 1; piece <= strlen(text); piece++) {
        struct answer answer = {.seq = 0};

        assert_int_equal(take_all(text, strlen(text), piece, &answer), count);
        assert_int_equal(answer.seq, seq);
        assert_int_equal(answer.has_epoch, epoch != 0);
        if (epoch)
            assert_int_equal(answer.epoch, epoch);
    }
}

static void expect_refused(const char *text, size_t size)
{
    for (size_t piece = 1; piece <= size; piece++) {
        struct answer answer;

        assert_int_equal(take_all(text, size, piece, &answer), -EPROTO);
        assert_non_null(strstr(rollcall_error(), "is not an answer"));
    }
}

static void test_answers(void **state)
{
    (void)state;
    expect("17\n", 1, 0, 17);
    expect("1795458992108533 17\n", 1, 1795458992108533, 17);
    expect("1\n2\n5 3\n", 3, 5, 3);
    expect("17\r\n", 1, 0, 17);
    expect("18446744073709551615 18446744073709551615\n", 1, UINT64_MAX, UINT64_MAX);
    expect("17", 0, 0, 0);
}

static void test_refused(void **state)
{
    static const char *const lines[] = {"\n",
                                        "x\n",
                                        "-1\n",
                                        "+1\n",
                                        "1x\n",
                                        " 1\n",
                                        "1 \n",
                                        "1  2\n",
                                        "1 2 3\n",
                                        "1,2\n",
                                        "0x1\n",
                                        "1\r2\n",
                                        "18446744073709551616\n"};
    char longest[100];

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        expect_refused(lines[i], strlen(lines[i]));
    expect_refused("1\0002\n", 4);
    memset(longest, '1', sizeof(longest));
    expect_refused(longest, sizeof(longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
