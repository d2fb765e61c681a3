/* SPDX-License-Identifier: MIT */
/* Which bytes are UTF-8: every code point, and every way to be wrong. */
#include "lib/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list)  (sizeof(list) / sizeof((list)[0]))
#define REPLACEMENT  "\xef\xbf\xbd"
#define SURROGATE(c) ((c) >= 0xd800 && (c) <= 0xdfff)

/* How `code` is spelled with `n` bytes, whether it may be or not. */
static void spell(char *text, uint32_t code, size_t n)
{
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0, 0xf8};

    for (size_t i = n; i-- > 1; code >>= 6)
        text[i] = (char)(0x80 | (code & 0x3f));
    text[0] = (char)(first[n] | code);
}

static size_t length_of(uint32_t code)
{
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

static void test_every_code_point(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x200000; code++) {
        size_t n = length_of(code);
        bool good = code <= 0x10ffff && !SURROGATE(code);
        char text[5];

        spell(text, code, n);
        if (utf8_character(text, n) != (good ? n : 0) || utf8_valid(text, n) != good)
            fail_msg("U+%04X", code);
    }
}

static void test_too_long_for_what_it_says(void **state)
{
    char text[5];

    (void)state;
    for (size_t n = 2; n <= 4; n++) {
        for (uint32_t code = 0; length_of(code) < n; code++) {
            spell(text, code, n);
            if (utf8_character(text, n) != 0)
                fail_msg("U+%04X in %zu bytes", code, n);
        }
    }
}

/* A character whose end is missing, or is something else. */
static void test_broken_off(void **state)
{
    static const uint32_t codes[] = {0x80, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff};
    char text[5];

    (void)state;
    for (size_t i = 0; i < COUNT(codes); i++) {
        size_t n = length_of(codes[i]);

        for (size_t size = 1; size < n; size++) {
            spell(text, codes[i], n);
            assert_int_equal(utf8_character(text, size), 0);
            text[size] = 'x';
            assert_int_equal(utf8_character(text, n), 0);
            text[size] = (char)0xc3;
            assert_int_equal(utf8_character(text, n), 0);
        }
    }
}

static void test_bytes_that_begin_nothing(void **state)
{
    (void)state;
    for (unsigned byte = 0x80; byte < 0x100; byte++) {
        char text[4] = {(char)byte, (char)0x80, (char)0x80, (char)0x80};

        if (byte >= 0xc2 && byte <= 0xf4)
            continue;
        assert_int_equal(utf8_character(text, sizeof(text)), 0);
    }
}

static void test_texts(void **state)
{
    (void)state;
    assert_true(utf8_valid("", 0));
    assert_true(utf8_valid("a\0b", 3));
    assert_true(utf8_valid("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", 11));
    assert_false(utf8_valid("gr\xc3\xbc\xc3", 5));
    assert_false(utf8_valid("\xff ok", 4));
}

static void expect_repaired(const char *text, size_t size, const char *expected)
{
    char out[64];
    size_t n = utf8_repair(out, text, size);

    assert_true(n <= 3 * size);
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(out, expected, n);
    assert_true(utf8_valid(out, n));
}

static void test_repair(void **state)
{
    (void)state;
    expect_repaired("", 0, "");
    expect_repaired("plain \xc3\xbc", 8, "plain \xc3\xbc");
    expect_repaired("a\xff"
                    "b",
                    3, "a" REPLACEMENT "b");
    expect_repaired("\xe2\x82", 2, REPLACEMENT REPLACEMENT);
    expect_repaired("\xe2\x82(", 3, REPLACEMENT REPLACEMENT "(");
    expect_repaired("\xed\xa0\x80", 3, REPLACEMENT REPLACEMENT REPLACEMENT);
    expect_repaired("\xc3\xc3\xbc", 3, REPLACEMENT "\xc3\xbc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_point),
        cmocka_unit_test(test_too_long_for_what_it_says),
        cmocka_unit_test(test_broken_off),
        cmocka_unit_test(test_bytes_that_begin_nothing),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_repair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
