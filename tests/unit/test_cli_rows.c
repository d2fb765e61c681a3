/* SPDX-License-Identifier: MIT */
/* Rows of an SQL statement, as a table and as JSON. */
#include "cli/rows.h"
#include "tests/unit/sample_events.h"

#include <jansson.h>
#include <sqlite3.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = {"name", "value"};

static struct journal_row make_row(const char *const values[2], size_t sizes[2], int types[2])
{
    for (int i = 0; i < 2; i++) {
        sizes[i] = values[i] ? strlen(values[i]) : 0;
        types[i] = values[i] ? SQLITE_TEXT : SQLITE_NULL;
    }
    return (struct journal_row){
        .columns = 2, .names = names, .values = values, .sizes = sizes, .types = types};
}

static void add(struct rows *rows, FILE *to, const char *first, const char *second)
{
    const char *const values[2] = {first, second};
    size_t sizes[2];
    int types[2];
    struct journal_row row = make_row(values, sizes, types);

    assert_int_equal(rows_add(rows, to, &row), 0);
}

static void test_table(void **state)
{
    struct rows rows = {0};
    struct written out;

    (void)state;
    written_begin(&out);
    add(&rows, out.file, "\xc3\xbc", "1");
    add(&rows, out.file,
        "gr\xc3\xbc\xc3\x9f"
        "e",
        "2");
    add(&rows, out.file, NULL, "x\033[2J\ny");
    add(&rows, out.file, "z", NULL);
    assert_int_equal(rows_end(&rows, out.file), 0);
    rows_close(&rows);
    written_end(&out);
    assert_string_equal(out.text, "name   value\n"
                                  "\xc3\xbc      1\n"
                                  "gr\xc3\xbc\xc3\x9f"
                                  "e  2\n"
                                  "       x\\e[2J\\ny\n"
                                  "z      \n");
    written_free(&out);
}

static void test_no_rows(void **state)
{
    struct rows rows = {0};
    struct written out;

    (void)state;
    written_begin(&out);
    assert_int_equal(rows_end(&rows, out.file), 0);
    rows_close(&rows);
    written_end(&out);
    assert_int_equal(out.size, 0);
    written_free(&out);
}

/* Later rows are written at once, and stick out if they are wider. */
static void test_many_rows(void **state)
{
    struct rows rows = {0};
    struct written out;
    size_t lines = 0;

    (void)state;
    written_begin(&out);
    for (int i = 0; i < ROWS_MEASURED; i++) {
        add(&rows, out.file, "12345", "x");
        fflush(out.file);
        assert_true((out.size > 0) == (i + 1 == ROWS_MEASURED));
    }
    add(&rows, out.file, "12345678", "y");
    fflush(out.file);
    assert_non_null(strstr(out.text, "12345678  y\n"));
    assert_int_equal(rows_end(&rows, out.file), 0);
    rows_close(&rows);
    written_end(&out);
    for (const char *at = out.text; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, ROWS_MEASURED + 2);
    written_free(&out);
}

/* A reader that goes away leaves rows that wait. */
static void test_closed_early(void **state)
{
    struct rows rows = {0};
    struct written out;

    (void)state;
    written_begin(&out);
    add(&rows, out.file, "a", "1");
    rows_close(&rows);
    written_end(&out);
    assert_int_equal(out.size, 0);
    written_free(&out);
}

/* ---- JSON ---- */

static json_t *parsed(const char *value, size_t size, int type)
{
    const char *const values[2] = {"first", value};
    size_t sizes[2] = {5, size};
    int types[2] = {SQLITE_TEXT, type};
    struct journal_row row = {
        .columns = 2, .names = names, .values = values, .sizes = sizes, .types = types};
    struct written out;
    json_t *line;

    written_begin(&out);
    assert_int_equal(rows_json(out.file, &row), 0);
    written_end(&out);
    assert_ptr_equal(strchr(out.text, '\n'), out.text + out.size - 1);
    line = json_loads(out.text, JSON_ALLOW_NUL, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "name")), "first");
    assert_int_equal(json_object_size(line), 2);
    written_free(&out);
    return line;
}

static void expect_text(const char *value, size_t size, int type, const char *expected,
                        size_t expected_size)
{
    json_t *line = parsed(value, size, type);
    const json_t *found = json_object_get(line, "value");

    assert_int_equal(json_string_length(found), expected_size);
    assert_memory_equal(json_string_value(found), expected, expected_size);
    json_decref(line);
}

static void test_json_texts(void **state)
{
    (void)state;
    expect_text("a\"\n\xc3\xbc", 5, SQLITE_TEXT, "a\"\n\xc3\xbc", 5);
    expect_text("", 0, SQLITE_TEXT, "", 0);
    expect_text("a\0b", 3, SQLITE_TEXT, "a\0b", 3);
    expect_text("a\xff", 2, SQLITE_TEXT, "61ff", 4);
    expect_text("\0\x01", 2, SQLITE_BLOB, "0001", 4);
}

static void test_json_numbers(void **state)
{
    json_t *line = parsed("-9223372036854775808", 20, SQLITE_INTEGER);

    (void)state;
    assert_true(json_integer_value(json_object_get(line, "value")) == INT64_MIN);
    json_decref(line);
    line = parsed("1.5", 3, SQLITE_FLOAT);
    assert_true(json_real_value(json_object_get(line, "value")) == 1.5);
    json_decref(line);
    line = parsed(NULL, 0, SQLITE_NULL);
    assert_true(json_is_null(json_object_get(line, "value")));
    json_decref(line);
}

/* JSON has no word for it. */
static void test_json_infinity(void **state)
{
    json_t *line = parsed("Inf", 3, SQLITE_FLOAT);

    (void)state;
    assert_true(json_is_null(json_object_get(line, "value")));
    json_decref(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),         cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_many_rows),     cmocka_unit_test(test_closed_early),
        cmocka_unit_test(test_json_texts),    cmocka_unit_test(test_json_numbers),
        cmocka_unit_test(test_json_infinity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
