/* SPDX-License-Identifier: MIT */
/* Commands without a shell: which words they have. */
#include "service/words.h"

#include <rollcall/rollcall.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Writes the words with a bar after each. */
static void expect(const char *text, const char *expected)
{
    char **words = words_split(text);
    char all[256] = "";
    size_t size = 0;

    assert_non_null(words);
    for (size_t i = 0; words[i]; i++)
        size += (size_t)snprintf(all + size, sizeof(all) - size, "%s|", words[i]);
    assert_string_equal(all, expected);
    words_free(words);
}

static void expect_error(const char *text, const char *error)
{
    assert_null(words_split(text));
    assert_non_null(strstr(rollcall_error(), error));
}

static void test_words(void **state)
{
    (void)state;
    expect("/bin/true", "/bin/true|");
    expect("  /bin/echo\ta  b ", "/bin/echo|a|b|");
    expect("a b c d e f g h", "a|b|c|d|e|f|g|h|");
}

static void test_quotes(void **state)
{
    (void)state;
    expect("'two words' \"it's\"", "two words|it's|");
    expect("a'b c'd\"e\"", "ab cde|");
    expect("x '' \"\"", "x|||");
    expect("'\"' \"'\"", "\"|'|");
}

static void test_nothing_else_means_anything(void **state)
{
    (void)state;
    expect("sh -c 'a; b' $HOME * \\x > y", "sh|-c|a; b|$HOME|*|\\x|>|y|");
}

static void test_wrong(void **state)
{
    (void)state;
    expect_error("", "there is no word");
    expect_error(" \t", "there is no word");
    expect_error("a 'b", "a quote is not closed");
    expect_error("a \"b'", "a quote is not closed");
    words_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_nothing_else_means_anything),
        cmocka_unit_test(test_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
