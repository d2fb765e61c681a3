/* SPDX-License-Identifier: MIT */
/* Events for a person: columns that line up, and nothing that steers the terminal. */
#include "cli/lines.h"
#include "events/text.h"
#include "lib/utf8.h"
#include "tests/unit/sample_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define WALL_OFFSET INT64_C(1795442709000000000)
#define NO_USER     4000000000u
#define WIDTH_FROM  90u
#define WIDTH_TO    200u

static const struct rollcall_event usual = {.type = ROLLCALL_CREATE,
                                            .present = ROLLCALL_HAS_PARENT | ROLLCALL_HAS_USER,
                                            .mono_ns = 123000000,
                                            .pid = 17,
                                            .ppid = 5,
                                            .uid = 0,
                                            .comm = "name"};

struct screen {
    struct written written;
    struct output output;
    struct lines lines;
};

static int setup(void **state)
{
    struct screen *screen = calloc(1, sizeof(*screen));

    written_begin(&screen->written);
    screen->output.text = screen->written.file;
    screen->lines.output = &screen->output;
    setenv("TZ", "UTC0", 1);
    tzset();
    *state = screen;
    return 0;
}

static int teardown(void **state)
{
    struct screen *screen = *state;

    if (screen->written.file)
        written_end(&screen->written);
    written_free(&screen->written);
    free(screen);
    return 0;
}

static void show_made(struct screen *screen, const struct made_event *made)
{
    lines_event(&screen->lines, (const void *)made->bytes, WALL_OFFSET, 0);
}

static void show(struct screen *screen, const struct rollcall_event *event)
{
    struct made_event made;

    make_event(&made, event);
    show_made(screen, &made);
}

/* All that was shown. */
static const char *shown(struct screen *screen)
{
    fflush(screen->written.file);
    return screen->written.text;
}

static void expect_shown(struct screen *screen, const char *part)
{
    if (!strstr(shown(screen), part))
        fail_msg("'%s' is not in\n%s", part, shown(screen));
}

/* Where the last line's `part` begins, in columns. */
static size_t column_of(struct screen *screen, const char *line_with, const char *part)
{
    char *text = strdup(shown(screen));
    char *line = strstr(text, line_with);
    size_t column;
    char *at;

    assert_non_null(line);
    while (line > text && line[-1] != '\n')
        line--;
    at = strstr(line, part);
    assert_non_null(at);
    *at = '\0';
    column = text_columns(line);
    free(text);
    return column;
}

/* ---- columns ---- */

static void test_one_line(void **state)
{
    struct screen *screen = *state;

    show(screen, &usual);
    assert_string_equal(shown(screen),
                        "TIME         EVENT      PID    PPID USER       COMM            WHAT\n"
                        "14:05:09.123 create      17       5 root       name            \n");
}

static void test_date(void **state)
{
    struct screen *screen = *state;

    screen->lines.full_date = true;
    show(screen, &usual);
    expect_shown(screen, "\n2026-11-23 14:05:09.123 create ");
    assert_int_equal(column_of(screen, "TIME", "EVENT"), column_of(screen, "name", "create"));
}

static void test_columns_line_up(void **state)
{
    static const struct {
        uint32_t pid;
        uint32_t uid;
        const char *comm;
    } cases[] = {{1, 0, "a"},
                 {4194304, NO_USER, "a-name-of-fifte"},
                 {22, 0, "gr\xc3\xbc\xc3\x9f"},
                 {33, 0, "a b"},
                 {44, 0, "x\ny"}};
    struct screen *screen = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rollcall_event event = usual;
        struct made_event made;
        char mark[16];

        event.type = ROLLCALL_EXEC;
        event.pid = event.ppid = cases[i].pid;
        event.uid = cases[i].uid;
        snprintf(event.comm, sizeof(event.comm), "%s", cases[i].comm);
        make_event(&made, &event);
        snprintf(mark, sizeof(mark), "mark%zu", i);
        make_string(&made, ROLLCALL_EXE, mark);
        show_made(screen, &made);
        assert_int_equal(column_of(screen, mark, mark), column_of(screen, "TIME", "WHAT"));
    }
}

static void test_absent_fields(void **state)
{
    struct rollcall_event event = usual;

    event.present = 0;
    show(*state, &event);
    expect_shown(*state, " create      17       - -          name ");
}

static void test_head_comes_once(void **state)
{
    const char *head;

    show(*state, &usual);
    show(*state, &usual);
    head = strstr(shown(*state), "TIME");
    assert_non_null(head);
    assert_null(strstr(head + 1, "TIME"));
}

static void test_indent(void **state)
{
    struct screen *screen = *state;
    struct rollcall_event event = usual;
    struct made_event made;
    size_t flat;

    event.type = ROLLCALL_EXEC;
    make_event(&made, &event);
    make_string(&made, ROLLCALL_EXE, "flat");
    show_made(screen, &made);
    flat = column_of(screen, "flat", "flat");
    make_event(&made, &event);
    make_string(&made, ROLLCALL_EXE, "deep");
    lines_event(&screen->lines, (const void *)made.bytes, WALL_OFFSET, 3);
    assert_int_equal(column_of(screen, "deep", "deep"), flat + 6);
    make_event(&made, &event);
    make_string(&made, ROLLCALL_EXE, "abyss");
    lines_event(&screen->lines, (const void *)made.bytes, WALL_OFFSET, 1000);
    assert_true(column_of(screen, "abyss", "abyss") <= flat + 40);
}

/* ---- what happened ---- */

static void test_creator(void **state)
{
    struct rollcall_event event = usual;

    event.present |= ROLLCALL_HAS_CREATOR;
    event.creator_pid = event.creator_tid = 5;
    show(*state, &event);
    assert_null(strstr(shown(*state), "by "));
    event.creator_tid = 6;
    show(*state, &event);
    expect_shown(*state, " by thread 6\n");
    event.creator_pid = event.creator_tid = 9;
    show(*state, &event);
    expect_shown(*state, " by 9\n");
    event.creator_tid = 10;
    show(*state, &event);
    expect_shown(*state, " by 9 by thread 10\n");
}

static void test_command(void **state)
{
    struct rollcall_event event = usual;
    struct made_event made;

    event.type = ROLLCALL_EXEC;
    make_event(&made, &event);
    make_string(&made, ROLLCALL_EXE, "/bin/ls");
    make_text(&made, ROLLCALL_ARGS, "ls\0two words\0", 13, 0, 13);
    show_made(*state, &made);
    expect_shown(*state, " ls 'two words'\n");
    make_event(&made, &event);
    make_text(&made, ROLLCALL_ARGS, "a", 1, ROLLCALL_TEXT_CUT | ROLLCALL_TEXT_UNREADABLE, 7000);
    show_made(*state, &made);
    expect_shown(*state, " a (of 7000 bytes) (partly unreadable)\n");
    make_event(&made, &event);
    make_text(&made, ROLLCALL_ARGS, "b", 1, ROLLCALL_TEXT_CUT, 0);
    show_made(*state, &made);
    expect_shown(*state, " b (cut)\n");
}

static void test_exit(void **state)
{
    struct rollcall_event event = usual;

    event.type = ROLLCALL_EXIT;
    show(*state, &event);
    expect_shown(*state, " ended\n");
    event.present |= ROLLCALL_HAS_STATUS;
    event.status = 3 << 8;
    event.start_ns = event.mono_ns - 5000;
    show(*state, &event);
    expect_shown(*state, " status 3 after 5 us\n");
    event.status = 11 | 0x80;
    event.flags = ROLLCALL_CORE_DUMPED | ROLLCALL_LATE;
    show(*state, &event);
    expect_shown(*state, " SIGSEGV (core dumped) after 5 us (noticed late)\n");
    event.status = 7;
    event.flags = ROLLCALL_NTSTATUS;
    show(*state, &event);
    expect_shown(*state, " status 7 after 5 us\n");
    event.status = 0xc0000005;
    show(*state, &event);
    expect_shown(*state, " NTSTATUS 0xc0000005 after 5 us\n");
}

static void test_windows(void **state)
{
    struct made_event made;
    struct rollcall_event event = usual;

    event.type = ROLLCALL_CREATE;
    event.present = ROLLCALL_HAS_PARENT | ROLLCALL_HAS_CREATOR;
    event.ppid = 4;
    event.creator_pid = 4;
    event.creator_tid = 8;
    make_event(&made, &event);
    make_string(&made, ROLLCALL_EXE, "\\Device\\x\\cmd.exe");
    make_string(&made, ROLLCALL_COMMAND, "\"C:\\cmd.exe\" /c \033[2J");
    make_string(&made, ROLLCALL_USER, "S-1-5-21-1004336348-1177238915-1001");
    show_made(*state, &made);
    expect_shown(*state, " *8915-1001 ");
    expect_shown(*state, " \"C:\\cmd.exe\" /c \\e[2J\n");
}

static void test_gaps(void **state)
{
    struct rollcall_event event = {.type = ROLLCALL_GAP, .lost = 1};

    show(*state, &event);
    expect_shown(*state, " 1 event is missing here: the ring was full\n");
    event.lost = 7;
    event.reason = ROLLCALL_LOST_SKIPPED;
    event.flags = ROLLCALL_AT_MOST;
    show(*state, &event);
    expect_shown(*state, " at most 7 events are missing here: the kernel skipped");
    event.flags = ROLLCALL_UNCOUNTED;
    event.reason = ROLLCALL_REASONS;
    show(*state, &event);
    expect_shown(*state, " an unknown number of events is missing here: unknown reason\n");
}

static void test_synced(void **state)
{
    const struct rollcall_event event = {.type = ROLLCALL_SYNCED};

    show(*state, &event);
    expect_shown(*state, " synced these were there before");
}

/* ---- the terminal ---- */

/* Nothing but lines of printable characters. */
static void expect_harmless(struct screen *screen)
{
    const char *text = shown(screen);
    size_t size = strlen(text);

    assert_int_equal(size, screen->written.size);
    assert_true(utf8_valid(text, size));
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];

        assert_true(c == '\n' || (c >= 0x20 && c != 0x7f));
        assert_false(c == 0xc2 && (unsigned char)text[i + 1] < 0xa0);
    }
}

static void test_nothing_steers(void **state)
{
    static const char attack[] = "\033[2J\xc2\x9b\x9b\x7f\r\n\a\0\033]0;x";
    struct screen *screen = *state;
    struct rollcall_event event = usual;
    struct made_event made;
    size_t lines = 0;

    event.type = ROLLCALL_EXEC;
    memcpy(event.comm, attack, 11);
    for (unsigned width = 0; width < 200; width++) {
        screen->output.width = width;
        make_event(&made, &event);
        make_text(&made, ROLLCALL_EXE, attack, sizeof(attack), 0, 0);
        show_made(screen, &made);
        make_text(&made, ROLLCALL_ARGS, attack, sizeof(attack), 0, 0);
        show_made(screen, &made);
    }
    expect_harmless(screen);
    for (const char *at = shown(screen); (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 401);
}

static void test_width(void **state)
{
    struct screen *screen = *state;
    struct rollcall_event event = usual;
    struct made_event made;
    const char *line;

    event.type = ROLLCALL_EXEC;
    for (unsigned width = WIDTH_FROM; width < WIDTH_TO; width++) {
        char args[2000];
        size_t size = 0;

        for (unsigned i = 1; size + 100 < sizeof(args); i++)
            size += (size_t)snprintf(args + size, 100, "%0*u", (int)(i * width % 50 + 1), i) + 1;
        screen->output.width = width;
        make_event(&made, &event);
        make_text(&made, ROLLCALL_ARGS, args, size, 0, 0);
        show_made(screen, &made);
    }
    expect_shown(screen, "...");
    line = strchr(shown(screen), '\n') + 1;
    for (unsigned width = WIDTH_FROM; width < WIDTH_TO; width++) {
        const char *end = strchr(line, '\n');

        assert_non_null(end);
        if (end - line > width || end - line + 60 < width)
            fail_msg("%td columns on a terminal that has %u", end - line, width);
        line = end + 1;
    }
}

static void test_args(void **state)
{
    static const char args[] = "one\0two\0three\0four";
    static const struct {
        size_t room;
        const char *expected;
    } cases[] = {{100, "one two three four"},
                 {18, "one two three four"},
                 {17, "one two three ..."},
                 {13, "one two ..."}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct written out;

        written_begin(&out);
        lines_args(out.file, args, sizeof(args), cases[i].room);
        written_end(&out);
        assert_true(out.size <= cases[i].room);
        assert_string_equal(out.text, cases[i].expected);
        written_free(&out);
    }
}

static void test_colour(void **state)
{
    struct screen *screen = *state;

    show(screen, &usual);
    assert_null(strchr(shown(screen), '\033'));
    screen->output.colour = true;
    show(screen, &usual);
    expect_shown(screen, "\033[32mcreate ");
    assert_string_equal(shown(screen) + screen->written.size - 5, "\033[0m\n");
}

/* ---- words ---- */

static void test_durations(void **state)
{
    (void)state;
    assert_string_equal(lines_duration(0), "0 us");
    assert_string_equal(lines_duration(999999), "999 us");
    assert_string_equal(lines_duration(1500000), "1.5 ms");
    assert_string_equal(lines_duration(1500000000), "1.50 s");
    assert_string_equal(lines_duration(61000000000), "1 min 1 s");
    assert_string_equal(lines_duration(3660000000000), "1 h 1 min");
    assert_string_equal(lines_duration(90000000000000), "1 d 1 h");
    assert_string_equal(lines_duration(UINT64_MAX), "213503 d 23 h");
}

static void test_signals(void **state)
{
    (void)state;
    assert_string_equal(lines_signal(9), "SIGKILL");
    assert_string_equal(lines_signal(35), "signal 35");
    assert_string_equal(lines_signal(127), "signal 127");
}

static void test_users(void **state)
{
    (void)state;
    assert_string_equal(lines_user(0), "root");
    assert_string_equal(lines_user(NO_USER), "4000000000");
    assert_string_equal(lines_user(NO_USER + 64), "4000000064");
    assert_string_equal(lines_user(0), "root");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_date, setup, teardown),
        cmocka_unit_test_setup_teardown(test_columns_line_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_absent_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(test_head_comes_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_indent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_creator, setup, teardown),
        cmocka_unit_test_setup_teardown(test_command, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_windows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gaps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_synced, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_steers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_width, setup, teardown),
        cmocka_unit_test(test_args),
        cmocka_unit_test_setup_teardown(test_colour, setup, teardown),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_users),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
