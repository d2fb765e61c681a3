/* SPDX-License-Identifier: MIT */
/* The driver's texts: UTF-16 and SIDs into UTF-8, and records that are cut where they must be. */
#include "lib/utf8.h"
#include "windows/driver/record.h"
#include "windows/driver/sid.h"
#include "windows/driver/wtf8.h"

#include <rollcall/rollcall.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define LONGEST     32767u /* characters of a command line */

/* ---- UTF-16 ---- */

static size_t units_of(uint32_t code, uint16_t units[2])
{
    if (code < 0x10000) {
        units[0] = (uint16_t)code;
        return 1;
    }
    units[0] = (uint16_t)(0xd800 + ((code - 0x10000) >> 10));
    units[1] = (uint16_t)(0xdc00 + ((code - 0x10000) & 0x3ff));
    return 2;
}

static void test_every_character(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        uint16_t units[2];
        size_t count = units_of(code, units);
        size_t size = wtf8_size(units, count);
        char text[4];

        assert_in_range(size, 1, 4);
        assert_int_equal(wtf8_encode(units, count, text, sizeof(text)), size);
        /* Halves of pairs are what UTF-8 does not have. */
        assert_int_equal(utf8_valid(text, size), code < 0xd800 || code > 0xdfff);
        assert_int_equal(wtf8_encode(units, count, text, size - 1), 0);
    }
}

static void test_known_bytes(void **state)
{
    static const uint16_t units[] = {'a', 0xe4, 0x20ac, 0xd83d, 0xde00, 0xd83d, 'b', 0xde00, 0};
    static const char bytes[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xed\xa0\xbd"
                                "b\xed\xb8\x80";
    char text[sizeof(bytes)];

    (void)state;
    assert_int_equal(wtf8_size(units, COUNT(units)), sizeof(bytes));
    assert_int_equal(wtf8_encode(units, COUNT(units), text, sizeof(text)), sizeof(bytes));
    assert_memory_equal(text, bytes, sizeof(bytes));
}

static void test_a_half_at_the_end(void **state)
{
    static const uint16_t units[] = {'a', 0xd83d};
    char text[4];

    (void)state;
    assert_int_equal(wtf8_encode(units, 2, text, sizeof(text)), 4);
    assert_memory_equal(text, "a\xed\xa0\xbd", 4);
}

/* ---- SIDs ---- */

static void expect_sid(const char *text, const uint8_t *sid)
{
    char out[SID_TEXT_MAX];
    size_t size = sid_text(sid, out);

    assert_int_equal(size, strlen(text));
    assert_memory_equal(out, text, size);
}

static void test_sids(void **state)
{
    static const uint8_t system[] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
    static const uint8_t user[] = {1, 5, 0, 0, 0, 0, 0, 5, 21, 0,    0, 0, 1, 0,
                                   0, 0, 2, 0, 0, 0, 3, 0, 0,  0xff, 0, 1, 0, 0};
    static const uint8_t nobody[] = {1, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t large[] = {1, 0, 0x0a, 0xbc, 0, 0, 0, 1};
    char out[SID_TEXT_MAX];

    (void)state;
    expect_sid("S-1-5-18", system);
    expect_sid("S-1-5-21-1-2-4278190083-256", user);
    expect_sid("S-1-0", nobody);
    expect_sid("S-1-0x0abc00000001", large);
    assert_int_equal(sid_text((const uint8_t[8]){2, 0}, out), 0);
    assert_int_equal(sid_text((const uint8_t[8]){1, 16}, out), 0);
}

static void test_the_longest_sid(void **state)
{
    uint8_t sid[8 + 15 * 4];
    char out[SID_TEXT_MAX + 1];

    (void)state;
    memset(sid, 0xff, sizeof(sid));
    sid[0] = 1;
    sid[1] = 15;
    out[SID_TEXT_MAX] = 0x55;
    assert_in_range(sid_text(sid, out), 4 + 14 + 15 * 11, SID_TEXT_MAX);
    assert_int_equal(out[SID_TEXT_MAX], 0x55);
}

/* ---- records ---- */

static const struct rollcall_event base = {
    .version = ROLLCALL_EVENT_VERSION, .type = ROLLCALL_CREATE, .pid = 7, .comm = "name"};

static void fill(uint16_t *units, size_t count, uint16_t unit)
{
    for (size_t i = 0; i < count; i++)
        units[i] = unit;
}

/* Fits, writes, checks that the record is sound and in its room. */
static struct rollcall_event *record_of(struct record_text *texts, size_t limit)
{
    size_t size = record_fit(texts, RECORD_TEXTS, limit);
    struct rollcall_event *record = malloc(size);

    assert_non_null(record);
    assert_true(size <= limit);
    record_write(&base, texts, RECORD_TEXTS, record);
    assert_true(record->size <= size);
    assert_true(rollcall_event_valid(record, record->size));
    assert_int_equal(record->pid, 7);
    return record;
}

static struct rollcall_string text_of(const struct rollcall_event *record,
                                      enum rollcall_text_field field)
{
    struct rollcall_string text;

    assert_true(rollcall_event_text(record, field, &text));
    return text;
}

struct texts {
    uint16_t exe[4];
    uint16_t command[LONGEST];
    struct record_text list[RECORD_TEXTS];
};

static struct texts *texts_new(uint16_t unit, size_t count)
{
    struct texts *texts = calloc(1, sizeof(*texts));

    assert_non_null(texts);
    fill(texts->exe, COUNT(texts->exe), 'e');
    fill(texts->command, count, unit);
    texts->list[0] = (struct record_text){
        .field = ROLLCALL_USER, .bytes = "S-1-5-18", .full_size = strlen("S-1-5-18")};
    texts->list[1] = (struct record_text){.field = ROLLCALL_EXE,
                                          .flags = ROLLCALL_TEXT_INEXACT,
                                          .units = texts->exe,
                                          .count = COUNT(texts->exe)};
    texts->list[2] =
        (struct record_text){.field = ROLLCALL_COMMAND, .units = texts->command, .count = count};
    return texts;
}

static void test_whole_records(void **state)
{
    static const size_t counts[] = {0, 1, 7, 8, LONGEST - 1, LONGEST};

    (void)state;
    for (size_t i = 0; i < COUNT(counts); i++) {
        struct texts *texts = texts_new(0x20ac, counts[i]);
        struct rollcall_event *record = record_of(texts->list, SIZE_MAX);
        struct rollcall_string command = text_of(record, ROLLCALL_COMMAND);

        assert_int_equal(command.size, 3 * counts[i]);
        assert_int_equal(command.full_size, 3 * counts[i]);
        assert_int_equal(command.flags, 0);
        assert_int_equal(text_of(record, ROLLCALL_EXE).flags, ROLLCALL_TEXT_INEXACT);
        assert_memory_equal(text_of(record, ROLLCALL_USER).data, "S-1-5-18", 8);
        free(record);
        free(texts);
    }
}

static void test_cut_records(void **state)
{
    (void)state;
    for (size_t limit = RECORD_LEAST; limit < 1024; limit++) {
        struct texts *texts = texts_new(0x20ac, 300);
        struct rollcall_event *record = record_of(texts->list, limit);
        struct rollcall_string command = text_of(record, ROLLCALL_COMMAND);

        /* The long one pays first, and no character is cut in two. */
        assert_int_equal(command.full_size, 900);
        assert_int_equal(command.size % 3, 0);
        assert_int_equal(command.flags, ROLLCALL_TEXT_CUT);
        if (command.size > 8)
            assert_int_equal(text_of(record, ROLLCALL_EXE).flags, ROLLCALL_TEXT_INEXACT);
        if (limit >= RECORD_LEAST + 64)
            assert_true(limit - record->size < 16);
        free(record);
        free(texts);
    }
}

static void test_nothing_but_heads(void **state)
{
    struct texts *texts = texts_new('c', LONGEST);
    struct rollcall_event *record = record_of(texts->list, RECORD_LEAST);

    (void)state;
    assert_int_equal(record->size, RECORD_LEAST);
    assert_int_equal(text_of(record, ROLLCALL_COMMAND).size, 0);
    assert_int_equal(text_of(record, ROLLCALL_COMMAND).full_size, LONGEST);
    assert_int_equal(text_of(record, ROLLCALL_USER).full_size, 8);
    assert_int_equal(text_of(record, ROLLCALL_USER).flags, ROLLCALL_TEXT_CUT);
    free(record);
    free(texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_character),   cmocka_unit_test(test_known_bytes),
        cmocka_unit_test(test_a_half_at_the_end), cmocka_unit_test(test_sids),
        cmocka_unit_test(test_the_longest_sid),   cmocka_unit_test(test_whole_records),
        cmocka_unit_test(test_cut_records),       cmocka_unit_test(test_nothing_but_heads)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
