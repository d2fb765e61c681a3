/* SPDX-License-Identifier: MIT */
/* Texts of any bytes, readable and back. */
#include "journal/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void readable(const char *bytes, size_t size, const char *want)
{
    char out[128];
    size_t got = text_readable(out, bytes, size);

    assert_int_equal(got, strlen(want));
    assert_memory_equal(out, want, got);
    assert_int_equal(text_plain(bytes, size), got == size && memcmp(out, bytes, size) == 0);
}

static void bytes_that_are_not_utf8(void **state)
{
    (void)state;
    readable("plain", 5, "plain");
    readable("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    readable("a\xff", 2, "a\xef\xbf\xbd");
    readable("a\0b", 3,
             "a\xef\xbf\xbd"
             "b");
    readable("\xc3", 1, "\xef\xbf\xbd");
    readable("\xc0\x80", 2, "\xef\xbf\xbd\xef\xbf\xbd");
    readable("\xe0\x80\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    readable("\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    readable("\xf0\x80\x80\x80", 4, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    readable("\xf4\x90\x80\x80", 4, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void json(const char *args, size_t size, const char *want, bool want_exact)
{
    char out[256];
    char back[256];
    bool exact;
    size_t got = text_to_json(out, args, size, &exact);

    assert_int_equal(got, strlen(want));
    assert_memory_equal(out, want, got);
    assert_int_equal(exact, want_exact);
    if (!exact)
        return;
    assert_int_equal(text_from_json(back, out, got), size);
    assert_memory_equal(back, args, size);
}

static void arguments(void **state)
{
    (void)state;
    json("", 0, "[]", true);
    json("\0", 1, "[\"\"]", true);
    json("\0\0", 2, "[\"\",\"\"]", true);
    json("a\0\0b\0", 5, "[\"a\",\"\",\"b\"]", true);
    json("a\0b", 3, "[\"a\",\"b\"]", false);
    json("\"\\\n\x1f\x7f/\0", 7, "[\"\\\"\\\\\\n\\u001F\x7f/\"]", true);
    json("\xff\0", 2, "[\"\xef\xbf\xbd\"]", false);
    json("\xc3\xa4\0", 3, "[\"\xc3\xa4\"]", true);
}

static void json_of_others(void **state)
{
    static const char *const wrong[] = {
        "",         "[",         "]",      "{}",        "[1]",           "[\"a]",        "[\"a\"x]",
        "[\"\\\"]", "[[\"a\"]]", "[\"\\u", "[\"\\u00]", "[\"\\u00g0\"]", "[\"\\u0000\"]"};
    char out[64];

    (void)state;
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_true(text_from_json(out, wrong[i], strlen(wrong[i])) == (size_t)-1);
}

/* Whatever the bytes are, the result fits and exact ones come back. */
static void random_bytes(void **state)
{
    static const char some[] = "\0\0ab\"\\\n\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xff\xed";
    char args[40];
    char out[sizeof(args) * TEXT_GROWTH + TEXT_EXTRA];
    char back[sizeof(out)];
    unsigned seed = 1;

    (void)state;
    for (int round = 0; round < 200000; round++) {
        size_t size = (size_t)rand_r(&seed) % sizeof(args);
        bool exact;
        size_t length;

        for (size_t i = 0; i < size; i++)
            args[i] = some[(size_t)rand_r(&seed) % sizeof(some)];
        length = text_to_json(out, args, size, &exact);
        assert_true(length <= size * TEXT_GROWTH + TEXT_EXTRA);
        assert_true(text_plain(out, length));
        if (exact) {
            assert_int_equal(text_from_json(back, out, length), size);
            assert_memory_equal(back, args, size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_that_are_not_utf8),
        cmocka_unit_test(arguments),
        cmocka_unit_test(json_of_others),
        cmocka_unit_test(random_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
