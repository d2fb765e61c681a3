/* SPDX-License-Identifier: MIT */
/* Numbers, sizes, durations and times as users write them, and garbage. */
#include "program/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define SECOND      1000000000ll
#define UNTOUCHED   4242

/* 2026-11-23T14:05:09Z */
#define MOMENT 1795442709ll

struct example {
    const char *text;
    uint64_t value;
};

static void expect_all(bool (*parse)(const char *, uint64_t *), const struct example *examples,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = UNTOUCHED;

        if (!parse(examples[i].text, &value) || value != examples[i].value)
            fail_msg("'%s' became %llu", examples[i].text, (unsigned long long)value);
    }
}

static void expect_refused(bool (*parse)(const char *, uint64_t *), const char *const *texts,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = UNTOUCHED;

        if (parse(texts[i], &value) || value != UNTOUCHED)
            fail_msg("'%s' became %llu", texts[i], (unsigned long long)value);
    }
}

static void test_numbers(void **state)
{
    static const char *const garbage[] = {"",   "1x",  "-1",  "+1", " 1",
                                          "1 ", "0x1", "1.0", "x1", "18446744073709551616"};
    uint64_t value = UNTOUCHED;

    (void)state;
    for (size_t i = 0; i < COUNT(garbage); i++)
        if (parse_number(garbage[i], UINT64_MAX, &value))
            fail_msg("'%s' is a number", garbage[i]);
    assert_false(parse_number("11", 10, &value));
    assert_int_equal(value, UNTOUCHED);
    assert_true(parse_number("10", 10, &value));
    assert_int_equal(value, 10);
    assert_true(parse_number("0", 10, &value));
    assert_int_equal(value, 0);
    assert_true(parse_number("010", 10, &value));
    assert_int_equal(value, 10);
    assert_true(parse_number("18446744073709551615", UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
}

static void test_sizes(void **state)
{
    static const struct example good[] = {{"0", 0},
                                          {"17", 17},
                                          {"17B", 17},
                                          {"4K", 4096},
                                          {"4k", 4096},
                                          {"4KB", 4096},
                                          {"4KiB", 4096},
                                          {"64M", 64 << 20},
                                          {"1G", 1 << 30},
                                          {"10T", 10ull << 40},
                                          {"16777215T", 16777215ull << 40}};
    static const char *const garbage[] = {"",
                                          "K",
                                          "1x",
                                          "-1",
                                          "-1K",
                                          "+1K",
                                          "1.5M",
                                          "1KK",
                                          "1 K",
                                          "4iB",
                                          "4KiBB",
                                          "4BK",
                                          "16777216T",
                                          "18446744073709551616",
                                          "99999999999999999999K"};

    (void)state;
    expect_all(parse_size, good, COUNT(good));
    expect_refused(parse_size, garbage, COUNT(garbage));
}

static void test_durations(void **state)
{
    static const struct example good[] = {{"0", 0},
                                          {"2", 2000000000},
                                          {"1.5s", 1500000000},
                                          {".5s", 500000000},
                                          {"20ms", 20000000},
                                          {"250us", 250000},
                                          {"7ns", 7},
                                          {"3m", 180000000000},
                                          {"2h", 7200000000000},
                                          {"7d", 604800000000000}};
    static const char *const garbage[] = {"",    "x",   "1x",    "-1",   "-1s",   "+1s",    " 1s",
                                          "1s ", "1 s", ".",     ".s",   "1..5s", "s",      "nan",
                                          "inf", "1S",  "0x10s", "1e3s", "1e999", "200000d"};

    (void)state;
    expect_all(parse_duration, good, COUNT(good));
    expect_refused(parse_duration, garbage, COUNT(garbage));
}

/* ---- times ---- */

static void set_zone(const char *name)
{
    setenv("TZ", name, 1);
    tzset();
}

static void expect_time(const char *text, int64_t expected)
{
    int64_t ns = UNTOUCHED;

    if (!parse_time(text, &ns) || ns != expected)
        fail_msg("'%s' became %lld, not %lld", text, (long long)ns, (long long)expected);
}

static void test_times_with_zone(void **state)
{
    (void)state;
    set_zone("XYZ-5:30");
    expect_time("2026-11-23T14:05:09Z", MOMENT * SECOND);
    expect_time("2026-11-23 14:05:09Z", MOMENT * SECOND);
    expect_time("2026-11-23T15:05:09+01:00", MOMENT * SECOND);
    expect_time("2026-11-23T10:35:09-03:30", MOMENT * SECOND);
    expect_time("2026-11-23T14:05Z", (MOMENT - 9) * SECOND);
    expect_time("2026-11-23Z", (MOMENT - 50709) * SECOND);
    expect_time("1969-12-31T23:59:59.75Z", -SECOND / 4);
    expect_time("2024-02-29T00:00:00Z", 1709164800 * SECOND);
}

static void test_local_times(void **state)
{
    (void)state;
    set_zone("XYZ-5:30");
    expect_time("2026-11-23T19:35:09", MOMENT * SECOND);
    expect_time("2026-11-23 19:35:09", MOMENT * SECOND);
    expect_time("2026-11-23T19:35", (MOMENT - 9) * SECOND);
    expect_time("2026-11-23", (MOMENT - 50709 - 19800) * SECOND);
    set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    expect_time("2026-07-01T12:00:00", 1782900000 * SECOND);
    expect_time("2026-01-01T12:00:00", 1767265200 * SECOND);
}

static void test_fractions(void **state)
{
    (void)state;
    set_zone("UTC0");
    expect_time("2026-11-23T14:05:09.25Z", MOMENT * SECOND + SECOND / 4);
    expect_time("2026-11-23T14:05:09.25+00:00", MOMENT * SECOND + SECOND / 4);
    expect_time("2026-11-23T14:05:09.000000001", MOMENT * SECOND + 1);
    expect_time("2026-11-23T14:05:09.0000000019Z", MOMENT * SECOND + 1);
}

/* Midnight may come between the two looks at the clock. */
static void test_today(void **state)
{
    char text[64];
    char before[32];
    char after[32];
    int64_t ns;
    time_t now;

    (void)state;
    set_zone("UTC0");
    do {
        now = time(NULL);
        strftime(before, sizeof(before), "%F", gmtime(&now));
        assert_true(parse_time("14:05:09", &ns));
        now = time(NULL);
        strftime(after, sizeof(after), "%F", gmtime(&now));
    } while (strcmp(before, after) != 0);
    snprintf(text, sizeof(text), "%sT14:05:09Z", before);
    expect_time(text, ns);
    assert_true(parse_time("14:05", &ns));
    assert_int_equal(ns / SECOND % 86400, 14 * 3600 + 5 * 60);
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

static void test_relative_times(void **state)
{
    int64_t before = now_ns();
    int64_t ns;

    (void)state;
    assert_true(parse_time("now", &ns));
    assert_true(ns >= before && ns <= now_ns());
    assert_true(parse_time("-10m", &ns));
    assert_true(ns >= before - 600 * SECOND && ns <= now_ns() - 600 * SECOND);
}

static void test_wrong_times(void **state)
{
    static const char *const garbage[] = {"",
                                          "x",
                                          "-",
                                          "-x",
                                          "--1s",
                                          "10m",
                                          "17",
                                          "now ",
                                          "25:00",
                                          "14:60",
                                          "14:05x",
                                          "14:05.",
                                          "2026-13-01",
                                          "2026-11-32",
                                          "2026-02-30",
                                          "2026-11",
                                          "2026-11-23T14:05:09z",
                                          "2026-11-23T14:05:09.Z",
                                          "2026-11-23T14:05:09Zx",
                                          "2026-11-23T14:05:09+",
                                          "2026-11-23T14:05:09+01",
                                          "2026-11-23T14:05:09+25:00",
                                          "2026-11-23T14:05:09 +01:00x",
                                          "9999-01-01",
                                          "0001-01-01Z"};

    (void)state;
    set_zone("UTC0");
    for (size_t i = 0; i < COUNT(garbage); i++) {
        int64_t ns = UNTOUCHED;

        if (parse_time(garbage[i], &ns) || ns != UNTOUCHED)
            fail_msg("'%s' became %lld", garbage[i], (long long)ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),     cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_durations),   cmocka_unit_test(test_times_with_zone),
        cmocka_unit_test(test_local_times), cmocka_unit_test(test_fractions),
        cmocka_unit_test(test_today),       cmocka_unit_test(test_relative_times),
        cmocka_unit_test(test_wrong_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
