/* SPDX-License-Identifier: MIT */
/* SQL from outside: it only reads, the views say what they promise, the document's queries run. */
#include "tests/unit/test_journal_events.h"

#include <errno.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct place place;
    struct journal *journal;
};

/* pid 1 was there; 100 and 101 ran and ended; 102 was killed; 103 lives; then a gap. */
static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct events events;
    struct rollcall_event *event;

    assert_non_null(f);
    place_make(&f->place);
    f->journal = open_journal(&f->place, NULL);
    events_init(&events, EPOCH, 1);
    add_simple(&events, ROLLCALL_EXISTS, 1);
    add_processes(&events, 100, 2);
    event = add_simple(&events, ROLLCALL_EXIT, 102);
    event->status = 9;
    event = add_simple(&events, ROLLCALL_CREATE, 103);
    event->present = ROLLCALL_HAS_PARENT;
    event->ppid = 1;
    event->parent_start_ns = 1001;
    add_event(&events, &(struct rollcall_event){.type = ROLLCALL_GAP, .lost = 10});
    add_event(&events, &(struct rollcall_event){.type = ROLLCALL_SYNCED});
    expect_append(f->journal, &events.batch, 0);
    events_free(&events);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    journal_close(f->journal);
    place_remove(&f->place);
    free(f);
    return 0;
}

static int count_rows(const struct journal_row *row, void *context)
{
    assert_true(row->columns > 0);
    (*(int *)context)++;
    return 0;
}

static int rows_of(struct fixture *f, const char *sql)
{
    int count = 0;

    if (journal_sql(f->journal, sql, count_rows, &count) < 0)
        fail_msg("%s: %s", sql, rollcall_error());
    return count;
}

static void expect_refused(struct fixture *f, const char *sql)
{
    int count = 0;
    int err = journal_sql(f->journal, sql, count_rows, &count);

    if (err != -EINVAL)
        fail_msg("%s: %d", sql, err);
    assert_int_equal(count, 0);
}

static void only_reading(void **state)
{
    struct fixture *f = *state;
    char attach[160];

    snprintf(attach, sizeof(attach), "ATTACH '%s/other' AS other", f->place.directory);
    expect_refused(f, attach);
    expect_refused(f, "DELETE FROM events");
    expect_refused(f, "INSERT INTO pruned VALUES (1, 1, 1, 1, 1)");
    expect_refused(f, "DROP VIEW gaps");
    expect_refused(f, "CREATE TEMP TABLE t (a)");
    expect_refused(f, "BEGIN");
    expect_refused(f, "PRAGMA synchronous = OFF");
    expect_refused(f, "PRAGMA wal_checkpoint");
    expect_refused(f, "VACUUM");
    expect_refused(f, "SELECT load_extension('x')");
    expect_refused(f, "SELECT 1; SELECT 2");
    expect_refused(f, "SELECT 1; DELETE FROM events");
    expect_refused(f, "SELECT 1; nonsense");
    expect_refused(f, "SELECT nothing FROM events");
    expect_refused(f, "SELEC 1");
    expect_refused(f, "");
    expect_refused(f, " -- nothing");
    assert_int_equal(rows_of(f, "SELECT 1; -- that was all\n "), 1);
    assert_int_equal(rows_of(f, "SELECT * FROM events"), 11);
}

static int look(const struct journal_row *row, void *context)
{
    assert_int_equal(row->columns, 5);
    assert_string_equal(row->names[0], "a");
    assert_int_equal(row->types[0], SQLITE_INTEGER);
    assert_string_equal(row->values[0], "1");
    assert_int_equal(row->types[1], SQLITE_NULL);
    assert_null(row->values[1]);
    assert_int_equal(row->types[2], SQLITE_BLOB);
    assert_int_equal(row->sizes[2], 3);
    assert_memory_equal(row->values[2], "\0\1\2", 3);
    assert_int_equal(row->types[3], SQLITE_FLOAT);
    assert_int_equal(row->types[4], SQLITE_TEXT);
    assert_int_equal(row->sizes[4], 0);
    (*(int *)context)++;
    return 7;
}

static void values(void **state)
{
    struct fixture *f = *state;
    int count = 0;

    assert_int_equal(journal_sql(f->journal,
                                 "SELECT 1 AS a, NULL, x'000102', 1.5, '' UNION ALL "
                                 "SELECT 1, NULL, x'000102', 1.5, ''",
                                 look, &count),
                     7);
    assert_int_equal(count, 1);
}

static void windows_status(void **state)
{
    struct fixture *f = *state;
    struct events events;

    events_init(&events, 8, 1);
    add_event(&events, &(struct rollcall_event){.type = ROLLCALL_CREATE,
                                                .present = ROLLCALL_HAS_START_KEY,
                                                .pid = 7,
                                                .start_ns = 1,
                                                .start_key = 1ull << 48 | 9});
    add_event(&events, &(struct rollcall_event){.type = ROLLCALL_EXIT,
                                                .flags = ROLLCALL_NTSTATUS,
                                                .present = ROLLCALL_HAS_STATUS,
                                                .pid = 7,
                                                .start_ns = 1,
                                                .status = 0xc0000005});
    expect_append(f->journal, &events.batch, 0);
    events_free(&events);
    assert_int_equal(rows_of(f, "SELECT * FROM processes WHERE epoch = 8 AND "
                                "exit_code = 3221225477 AND signal IS NULL"),
                     1);
    assert_int_equal(rows_of(f, "SELECT * FROM events WHERE epoch = 8 AND details IS NULL AND "
                                "start_key = 281474976710665 AND cgroup IS NULL"),
                     1);
    assert_int_equal(rows_of(f, "SELECT * FROM event_log WHERE epoch = 8 AND "
                                "exit_code = 3221225477 AND signal IS NULL"),
                     1);
}

static void views(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(rows_of(f, "SELECT * FROM processes"), 5);
    assert_int_equal(rows_of(f, "SELECT * FROM processes WHERE pid = 100 AND exe = '/bin/true' AND "
                                "args ->> 1 = '-v' AND exit_code = 0 AND signal IS NULL"),
                     1);
    assert_int_equal(rows_of(f, "SELECT * FROM processes WHERE signal = 9 AND pid = 102"), 1);
    assert_int_equal(rows_of(f, "SELECT * FROM processes WHERE ended IS NULL"), 2);
    assert_int_equal(rows_of(f, "SELECT * FROM processes WHERE was_there"), 1);
    assert_int_equal(rows_of(f, "SELECT * FROM gaps WHERE lost = 10 AND first_seq = 10 AND "
                                "last_seq = 19 AND reason = 'full'"),
                     1);
    assert_int_equal(rows_of(f, "SELECT * FROM event_log WHERE event = 'exit'"), 3);
    assert_int_equal(rows_of(f, "SELECT * FROM event_log WHERE "
                                "at = '2026-09-21T13:56:40.000001000Z'"),
                     1);
    assert_int_equal(rows_of(f, "SELECT * FROM epochs WHERE events = 11 AND last_seq = 20"), 1);
}

struct plan {
    bool index;
    bool whole;
};

static int read_plan(const struct journal_row *row, void *context)
{
    struct plan *plan = context;
    const char *detail = row->values[3];

    plan->index |= strstr(detail, "events_of_process (pid=?") != NULL;
    plan->whole |= strncmp(detail, "SCAN", 4) == 0 || strstr(detail, "(epoch=?)") != NULL;
    return 0;
}

/* One process is found by the index, however many events there are. */
static void one_process_is_found_at_once(void **state)
{
    static const char *const queries[] = {
        "EXPLAIN QUERY PLAN SELECT * FROM processes WHERE pid = 100",
        "EXPLAIN QUERY PLAN SELECT * FROM processes WHERE epoch = 1 AND pid = 100",
        "EXPLAIN QUERY PLAN SELECT * FROM event_log WHERE pid = 100 ORDER BY epoch, seq"};
    struct fixture *f = *state;

    for (unsigned i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        struct plan plan = {0};

        assert_int_equal(journal_sql(f->journal, queries[i], read_plan, &plan), 0);
        assert_true(plan.index);
        assert_false(plan.whole);
    }
}

static char *read_document(void)
{
    FILE *file = fopen(DOCUMENT, "r");
    char *text = calloc(1, 65536);

    assert_non_null(file);
    assert_non_null(text);
    assert_in_range(fread(text, 1, 65535, file), 1000, 65534);
    fclose(file);
    return text;
}

static void queries_of_the_document(void **state)
{
    struct fixture *f = *state;
    char *text = read_document();
    int count = 0;

    for (char *at = text; (at = strstr(at, "```sql\n"));) {
        char *end = strstr(at + 7, "```");

        assert_non_null(end);
        *end = '\0';
        rows_of(f, at + 7);
        at = end + 3;
        count++;
    }
    assert_true(count >= 10);
    free(text);
    assert_int_equal(sql_number(f->journal, "SELECT count(*) FROM pruned"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(only_reading),
        TEST(values),
        TEST(views),
        TEST(windows_status),
        TEST(one_process_is_found_at_once),
        TEST(queries_of_the_document),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
