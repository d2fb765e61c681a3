/* SPDX-License-Identifier: MIT */
/* Events as JSON: parsed again they are what they were, and what is absent is absent. */
#include "events/json.h"
#include "tests/unit/sample_events.h"

#include <jansson.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EPOCH       1790000000000000ull
#define WALL_OFFSET INT64_C(1795442709000000000)
#define ALL_PRESENT 0xffu

static const struct rollcall_event full = {.type = ROLLCALL_CREATE,
                                           .present = ALL_PRESENT & ~(uint32_t)ROLLCALL_HAS_STATUS,
                                           .seq = 12,
                                           .mono_ns = 3000000042,
                                           .start_ns = 3000000000,
                                           .pid = 17,
                                           .ppid = 5,
                                           .parent_start_ns = 2000000000,
                                           .creator_pid = 6,
                                           .creator_tid = 7,
                                           .uid = 1000,
                                           .gid = 100,
                                           .session = 5,
                                           .tty = 34816,
                                           .ns_pid = 3,
                                           .pid_ns = 4026531836u,
                                           .cgroup = 77,
                                           .comm = "name"};

/* One line, parsed again. */
static json_t *parsed(const struct made_event *made)
{
    struct written out;
    json_error_t error;
    json_t *line;

    written_begin(&out);
    assert_int_equal(json_event(out.file, (const void *)made->bytes, EPOCH, WALL_OFFSET), 0);
    written_end(&out);
    assert_ptr_equal(strchr(out.text, '\n'), out.text + out.size - 1);
    line = json_loads(out.text, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    if (!line)
        fail_msg("%s: %s", error.text, out.text);
    written_free(&out);
    return line;
}

static json_t *parsed_event(const struct rollcall_event *event)
{
    struct made_event made;

    make_event(&made, event);
    return parsed(&made);
}

static void expect_number(const json_t *line, const char *name, uint64_t value)
{
    const json_t *number = json_object_get(line, name);

    if (!json_is_integer(number) || (uint64_t)json_integer_value(number) != value)
        fail_msg("%s is not %llu", name, (unsigned long long)value);
}

static void expect_bytes(const json_t *string, const char *bytes, size_t size)
{
    assert_true(json_is_string(string));
    assert_int_equal(json_string_length(string), size);
    assert_memory_equal(json_string_value(string), bytes, size);
}

static void expect_word(const json_t *line, const char *name, const char *value)
{
    expect_bytes(json_object_get(line, name), value, strlen(value));
}

static void expect_true(const json_t *line, const char *name)
{
    if (!json_is_true(json_object_get(line, name)))
        fail_msg("%s is not true", name);
}

/* The names of all members, each followed by a space, in their order. */
static void expect_members(json_t *line, const char *names)
{
    struct written found;
    const char *name;
    json_t *value;

    written_begin(&found);
    json_object_foreach(line, name, value) fprintf(found.file, "%s ", name);
    written_end(&found);
    assert_string_equal(found.text, names);
    written_free(&found);
}

/* ---- every type ---- */

static void test_create(void **state)
{
    json_t *line = parsed_event(&full);

    (void)state;
    expect_members(line,
                   "epoch seq type time mono_ns pid ppid start_ns parent_start_ns creator_pid "
                   "creator_tid uid gid session tty ns_pid pid_ns cgroup comm ");
    expect_number(line, "epoch", EPOCH);
    expect_number(line, "seq", 12);
    expect_word(line, "type", "create");
    expect_word(line, "time", "2026-11-23T14:05:12.000000042Z");
    expect_number(line, "mono_ns", 3000000042);
    expect_number(line, "pid", 17);
    expect_number(line, "ppid", 5);
    expect_number(line, "start_ns", 3000000000);
    expect_number(line, "parent_start_ns", 2000000000);
    expect_number(line, "creator_pid", 6);
    expect_number(line, "creator_tid", 7);
    expect_number(line, "uid", 1000);
    expect_number(line, "gid", 100);
    expect_number(line, "session", 5);
    expect_number(line, "tty", 34816);
    expect_number(line, "ns_pid", 3);
    expect_number(line, "pid_ns", 4026531836u);
    expect_number(line, "cgroup", 77);
    expect_word(line, "comm", "name");
    json_decref(line);
}

static void test_absent_fields(void **state)
{
    static const struct {
        uint32_t present;
        const char *names;
    } fields[] = {{ROLLCALL_HAS_PARENT, "ppid parent_start_ns "},
                  {ROLLCALL_HAS_CREATOR, "creator_pid creator_tid "},
                  {ROLLCALL_HAS_USER, "uid gid "},
                  {ROLLCALL_HAS_SESSION, "session "},
                  {ROLLCALL_HAS_TTY, "tty "},
                  {ROLLCALL_HAS_PID_NS, "ns_pid pid_ns "},
                  {ROLLCALL_HAS_CGROUP, "cgroup "},
                  {ROLLCALL_HAS_START_KEY, "start_key "}};
    struct rollcall_event event = full;
    json_t *line;

    (void)state;
    event.present = 0;
    line = parsed_event(&event);
    expect_members(line, "epoch seq type time mono_ns pid start_ns comm ");
    json_decref(line);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        char names[128];

        event.present = fields[i].present;
        line = parsed_event(&event);
        json_object_del(line, "start_ns"); /* it stands between two others */
        snprintf(names, sizeof(names), "epoch seq type time mono_ns pid %scomm ", fields[i].names);
        expect_members(line, names);
        json_decref(line);
    }
}

static void test_exec(void **state)
{
    struct rollcall_event event = full;
    struct made_event made;
    const json_t *args;
    json_t *line;

    (void)state;
    event.type = ROLLCALL_EXEC;
    event.present = 0;
    make_event(&made, &event);
    make_string(&made, ROLLCALL_EXE, "/bin/\xc3\xbc");
    make_text(&made, ROLLCALL_ARGS, "ls\0\0-l\0", 7, 0, 7);
    make_string(&made, ROLLCALL_CWD, "/a\"b\\c\n");
    line = parsed(&made);
    expect_members(line, "epoch seq type time mono_ns pid start_ns comm exe args cwd ");
    expect_word(line, "type", "exec");
    expect_word(line, "exe", "/bin/\xc3\xbc");
    expect_word(line, "cwd", "/a\"b\\c\n");
    args = json_object_get(line, "args");
    assert_int_equal(json_array_size(args), 3);
    expect_bytes(json_array_get(args, 0), "ls", 2);
    expect_bytes(json_array_get(args, 1), "", 0);
    expect_bytes(json_array_get(args, 2), "-l", 2);
    json_decref(line);
}

static void test_no_arguments(void **state)
{
    struct rollcall_event event = full;
    struct made_event made;
    json_t *line;

    (void)state;
    event.type = ROLLCALL_EXEC;
    make_event(&made, &event);
    make_text(&made, ROLLCALL_ARGS, "", 0, 0, 0);
    line = parsed(&made);
    assert_true(json_is_array(json_object_get(line, "args")));
    assert_int_equal(json_array_size(json_object_get(line, "args")), 0);
    json_decref(line);
}

static void test_exists(void **state)
{
    struct rollcall_event event = full;
    struct made_event made;
    json_t *line;

    (void)state;
    event.type = ROLLCALL_EXISTS;
    event.flags = ROLLCALL_KERNEL_THREAD;
    event.present = 0;
    make_event(&made, &event);
    make_string(&made, ROLLCALL_EXE, "/sbin/init");
    line = parsed(&made);
    expect_members(line, "epoch seq type time mono_ns pid start_ns comm kernel_thread exe ");
    expect_word(line, "type", "exists");
    expect_true(line, "kernel_thread");
    json_decref(line);
}

static void test_windows_texts(void **state)
{
    struct made_event made;
    json_t *line;

    (void)state;
    make_event(&made, &full);
    make_string(&made, ROLLCALL_COMMAND, "a.exe /b");
    make_string(&made, ROLLCALL_USER, "S-1-5-18");
    line = parsed(&made);
    expect_word(line, "command", "a.exe /b");
    expect_word(line, "user", "S-1-5-18");
    json_decref(line);
}

static json_t *parsed_exit(uint32_t status, uint32_t flags, uint32_t present)
{
    struct rollcall_event event = full;

    event.type = ROLLCALL_EXIT;
    event.status = status;
    event.flags = flags;
    event.present = present;
    return parsed_event(&event);
}

static void test_exit(void **state)
{
    json_t *line = parsed_exit(0x10700, 0, ROLLCALL_HAS_STATUS);

    (void)state;
    expect_members(line, "epoch seq type time mono_ns pid start_ns comm exit_code lived_ns ");
    expect_word(line, "type", "exit");
    expect_number(line, "exit_code", 7);
    expect_number(line, "lived_ns", 42);
    json_decref(line);
    line = parsed_exit(11 | 0x80, ROLLCALL_CORE_DUMPED | ROLLCALL_LATE, ROLLCALL_HAS_STATUS);
    expect_members(
        line, "epoch seq type time mono_ns pid start_ns comm late signal core_dumped lived_ns ");
    expect_number(line, "signal", 11);
    expect_true(line, "core_dumped");
    expect_true(line, "late");
    json_decref(line);
    line = parsed_exit(0xc0000005, ROLLCALL_NTSTATUS, ROLLCALL_HAS_STATUS);
    expect_members(line, "epoch seq type time mono_ns pid start_ns comm exit_code lived_ns ");
    expect_number(line, "exit_code", 0xc0000005);
    json_decref(line);
    line = parsed_exit(0, 0, 0);
    expect_members(line, "epoch seq type time mono_ns pid start_ns comm lived_ns ");
    json_decref(line);
}

static void test_life_of_unknown_length(void **state)
{
    struct rollcall_event event = full;
    json_t *line;

    (void)state;
    event.type = ROLLCALL_EXIT;
    event.start_ns = 0;
    line = parsed_event(&event);
    assert_null(json_object_get(line, "lived_ns"));
    json_decref(line);
    event.start_ns = event.mono_ns + 1;
    line = parsed_event(&event);
    assert_null(json_object_get(line, "lived_ns"));
    json_decref(line);
}

static void test_gap(void **state)
{
    struct rollcall_event event = {
        .type = ROLLCALL_GAP, .seq = 5, .mono_ns = 9, .lost = 10, .reason = ROLLCALL_LOST_FULL};
    json_t *line = parsed_event(&event);

    (void)state;
    expect_members(line, "epoch seq type time mono_ns lost first_seq last_seq reason ");
    expect_word(line, "type", "gap");
    expect_number(line, "lost", 10);
    expect_number(line, "first_seq", 5);
    expect_number(line, "last_seq", 14);
    expect_word(line, "reason", "full");
    json_decref(line);
    event.flags = ROLLCALL_AT_MOST;
    event.reason = ROLLCALL_LOST_SKIPPED;
    line = parsed_event(&event);
    expect_members(line, "epoch seq type time mono_ns lost first_seq last_seq reason at_most ");
    expect_true(line, "at_most");
    expect_word(line, "reason", "skipped");
    json_decref(line);
    event.flags = ROLLCALL_UNCOUNTED;
    event.reason = 99;
    line = parsed_event(&event);
    expect_true(line, "uncounted");
    expect_word(line, "reason", "unknown");
    json_decref(line);
}

static void test_synced(void **state)
{
    const struct rollcall_event event = {.type = ROLLCALL_SYNCED, .seq = 3, .mono_ns = 1};
    json_t *line = parsed_event(&event);

    (void)state;
    expect_members(line, "epoch seq type time mono_ns ");
    expect_word(line, "type", "synced");
    json_decref(line);
}

/* ---- texts that are not whole, or not UTF-8 ---- */

static void expect_hex(const json_t *string, const char *bytes, size_t size)
{
    const char *text = json_string_value(string);

    assert_non_null(text);
    assert_int_equal(json_string_length(string), 2 * size);
    for (size_t i = 0; i < size; i++) {
        char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
        char *end;

        assert_int_equal(strtoul(digits, &end, 16), (unsigned char)bytes[i]);
        assert_ptr_equal(end, digits + 2);
    }
}

static void test_raw_bytes(void **state)
{
    static const char args[] = "ok\0b\xff\xfe"
                               "d\0\xe2\x82";
    struct made_event made;
    struct rollcall_event event = full;
    const json_t *raw;
    json_t *line;

    (void)state;
    event.type = ROLLCALL_EXEC;
    memcpy(event.comm, "\x80name", 6);
    make_event(&made, &event);
    make_text(&made, ROLLCALL_EXE, "/\xc3", 2, 0, 2);
    make_text(&made, ROLLCALL_ARGS, args, sizeof(args), 0, sizeof(args));
    make_string(&made, ROLLCALL_CWD, "/");
    line = parsed(&made);
    expect_word(line, "comm", "\xef\xbf\xbdname");
    expect_word(line, "exe", "/\xef\xbf\xbd");
    expect_bytes(json_array_get(json_object_get(line, "args"), 0), "ok", 2);
    expect_bytes(json_array_get(json_object_get(line, "args"), 1),
                 "b\xef\xbf\xbd\xef\xbf\xbd"
                 "d",
                 8);
    raw = json_object_get(line, "raw");
    assert_int_equal(json_object_size(raw), 3);
    expect_hex(json_object_get(raw, "comm"), "\x80name", 5);
    expect_hex(json_object_get(raw, "exe"), "/\xc3", 2);
    assert_int_equal(json_array_size(json_object_get(raw, "args")), 3);
    expect_hex(json_array_get(json_object_get(raw, "args"), 0), "ok", 2);
    expect_hex(json_array_get(json_object_get(raw, "args"), 1), args + 3, 4);
    expect_hex(json_array_get(json_object_get(raw, "args"), 2), "\xe2\x82", 2);
    json_decref(line);
}

static void test_every_byte_comes_back(void **state)
{
    char bytes[255];
    struct made_event made;
    json_t *line;

    (void)state;
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i + 1);
    make_event(&made, &full);
    make_text(&made, ROLLCALL_ARGS, bytes, sizeof(bytes), 0, sizeof(bytes));
    line = parsed(&made);
    expect_hex(json_array_get(json_object_get(json_object_get(line, "raw"), "args"), 0), bytes,
               sizeof(bytes));
    json_decref(line);
}

static void test_cut_texts(void **state)
{
    struct made_event made;
    const json_t *names;
    json_t *line;

    (void)state;
    make_event(&made, &full);
    make_text(&made, ROLLCALL_EXE, "/a\0b", 4, ROLLCALL_TEXT_UNREADABLE, 4);
    make_text(&made, ROLLCALL_ARGS, "x", 1, ROLLCALL_TEXT_CUT, 70000);
    make_text(&made, ROLLCALL_CWD, "b/c", 3, ROLLCALL_TEXT_CUT, 0);
    line = parsed(&made);
    expect_bytes(json_object_get(line, "exe"), "/a\0b", 4);
    names = json_object_get(line, "truncated");
    assert_int_equal(json_array_size(names), 2);
    expect_bytes(json_array_get(names, 0), "args", 4);
    expect_bytes(json_array_get(names, 1), "cwd", 3);
    assert_int_equal(json_object_size(json_object_get(line, "full_size")), 1);
    expect_number(json_object_get(line, "full_size"), "args", 70000);
    names = json_object_get(line, "unreadable");
    assert_int_equal(json_array_size(names), 1);
    expect_bytes(json_array_get(names, 0), "exe", 3);
    assert_null(json_object_get(line, "raw"));
    assert_null(json_object_get(line, "inexact"));
    json_decref(line);
    make_event(&made, &full);
    make_text(&made, ROLLCALL_EXE, "b.exe", 5, ROLLCALL_TEXT_INEXACT, 5);
    line = parsed(&made);
    expect_bytes(json_array_get(json_object_get(line, "inexact"), 0), "exe", 3);
    json_decref(line);
}

static void test_full_comm(void **state)
{
    struct rollcall_event event = full;
    json_t *line;

    (void)state;
    memcpy(event.comm, "0123456789abcdef", sizeof(event.comm));
    line = parsed_event(&event);
    expect_word(line, "comm", "0123456789abcdef");
    json_decref(line);
}

/* ---- times ---- */

static void expect_time(int64_t ns, const char *expected)
{
    char text[JSON_TIME_SIZE];

    json_time(text, ns);
    assert_string_equal(text, expected);
}

static void test_times(void **state)
{
    (void)state;
    expect_time(0, "1970-01-01T00:00:00.000000000Z");
    expect_time(1, "1970-01-01T00:00:00.000000001Z");
    expect_time(-1, "1969-12-31T23:59:59.999999999Z");
    expect_time(-1000000000, "1969-12-31T23:59:59.000000000Z");
    expect_time(INT64_C(1795442709123456789), "2026-11-23T14:05:09.123456789Z");
    expect_time(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
    expect_time(INT64_MIN, "1677-09-21T00:12:43.145224192Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),    cmocka_unit_test(test_absent_fields),
        cmocka_unit_test(test_exec),      cmocka_unit_test(test_no_arguments),
        cmocka_unit_test(test_exists),    cmocka_unit_test(test_windows_texts),
        cmocka_unit_test(test_exit),      cmocka_unit_test(test_life_of_unknown_length),
        cmocka_unit_test(test_gap),       cmocka_unit_test(test_synced),
        cmocka_unit_test(test_raw_bytes), cmocka_unit_test(test_every_byte_comes_back),
        cmocka_unit_test(test_cut_texts), cmocka_unit_test(test_full_comm),
        cmocka_unit_test(test_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
