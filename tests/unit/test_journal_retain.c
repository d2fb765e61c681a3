/* SPDX-License-Identifier: MIT */
/* Retention: what is too old or too much goes, what is known of living processes stays. */
#include "journal/uptime.h"
#include "tests/unit/test_journal_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define HOUR_NS UINT64_C(3600000000000)
#define MIB     (UINT64_C(1) << 20)

/* Appends what was added, and begins anew with the next numbers. */
static void append(struct journal_fixture *f)
{
    uint64_t next = f->events.batch.last_seq + 1;
    uint64_t epoch = f->events.batch.epoch;
    int64_t offset = f->events.batch.wall_offset_ns;
    uint64_t began_ns = f->events.began_ns;

    expect_append(f->journal, &f->events.batch, 0);
    events_free(&f->events);
    events_init(&f->events, epoch, next);
    f->events.batch.wall_offset_ns = offset;
    f->events.began_ns = began_ns;
}

/* Retains to the end; returns how many calls it took. */
static int retain(struct journal_fixture *f)
{
    int calls = 0;
    int got;

    do {
        got = journal_retain(f->journal);
        if (got < 0)
            fail_msg("journal_retain: %s", rollcall_error());
        calls++;
        assert_true(calls < 100000);
    } while (got > 0);
    return calls;
}

static int write_seq(const struct journal_event *event, void *context)
{
    char *text = context;

    snprintf(text + strlen(text), 512 - strlen(text), " %llu",
             (unsigned long long)event->event->seq);
    return 0;
}

static void expect_left(struct journal_fixture *f, const char *want)
{
    char text[512] = "";

    assert_int_equal(journal_query(f->journal, &(struct journal_filter){0}, write_seq, text), 0);
    assert_string_equal(text, want);
}

static void from_now_on(struct journal_fixture *f)
{
    f->events.began_ns = uptime_ns() + HOUR_NS;
    f->events.batch.wall_offset_ns = (int64_t)time(NULL) * 1000000000 - (int64_t)uptime_ns();
}

/* The times of EPOCH are older than that by far. */
static void open_for_a_second(struct journal_fixture *f)
{
    f->journal = open_journal(&f->place, &(struct journal_options){.keep_seconds = 1});
}

static void by_age(void **state)
{
    struct journal_fixture *f = *state;

    open_for_a_second(f);
    add_simple(&f->events, ROLLCALL_EXISTS, 1); /* 1: lives */
    add_simple(&f->events, ROLLCALL_CREATE, 2); /* 2: lives */
    add_simple(&f->events, ROLLCALL_EXEC, 2);   /* 3 */
    add_simple(&f->events, ROLLCALL_EXEC, 2);   /* 4: its last */
    add_processes(&f->events, 100, 3);          /* 5 .. 13 */
    add_event(&f->events, &(struct rollcall_event){.type = ROLLCALL_GAP, .lost = 3}); /* .. 16 */
    append(f);
    from_now_on(f);
    add_processes(&f->events, 200, 1); /* 17 18 19 */
    append(f);
    retain(f);
    expect_left(f, " 1 2 4 17 18 19");
    assert_int_equal(sql_number(f->journal, "SELECT seq FROM pruned"), 16);
    assert_int_equal(sql_number(f->journal, "SELECT epoch FROM pruned"), EPOCH);
    assert_int_equal(sql_number(f->journal, "SELECT events FROM pruned"), 11);
    assert_int_equal(retain(f), 1);
    expect_left(f, " 1 2 4 17 18 19");
}

/* The place where retention has come to is behind them, but they go with their process. */
static void what_stayed_goes_later(void **state)
{
    struct journal_fixture *f = *state;

    open_for_a_second(f);
    add_simple(&f->events, ROLLCALL_CREATE, 1);
    add_simple(&f->events, ROLLCALL_EXEC, 1);
    add_text(&f->events, ROLLCALL_ARGS, "\xff", 1, 0, 1);
    add_simple(&f->events, ROLLCALL_CREATE, 2);
    append(f);
    retain(f);
    expect_left(f, " 1 2 3");
    add_simple(&f->events, ROLLCALL_EXEC, 1);
    append(f);
    retain(f);
    expect_left(f, " 1 3 4");
    add_simple(&f->events, ROLLCALL_EXIT, 1);
    append(f);
    retain(f);
    expect_left(f, " 3");
    assert_int_equal(sql_number(f->journal, "SELECT count(*) FROM text_details"), 0);
    assert_int_equal(sql_number(f->journal, "SELECT seq FROM pruned"), 5);
    assert_int_equal(sql_number(f->journal, "SELECT events FROM pruned"), 4);
}

static void older_epochs_go_altogether(void **state)
{
    struct journal_fixture *f = *state;
    uint64_t seq = 0;

    open_for_a_second(f);
    add_simple(&f->events, ROLLCALL_CREATE, 1);
    add_simple(&f->events, ROLLCALL_CREATE, 2);
    append(f);
    retain(f);
    expect_left(f, " 1 2");
    f->events.batch.epoch = EPOCH + 1;
    add_simple(&f->events, ROLLCALL_EXISTS, 3);
    append(f);
    retain(f);
    expect_left(f, " 3");
    assert_int_equal(journal_last_seq(f->journal, EPOCH + 1, &seq), 0);
    assert_int_equal(seq, 3);
}

static void all_removed_is_not_forgotten(void **state)
{
    struct journal_fixture *f = *state;
    uint64_t seq = 0;

    open_for_a_second(f);
    add_processes(&f->events, 1, 10);
    append(f);
    retain(f);
    expect_left(f, "");
    assert_int_equal(journal_last_seq(f->journal, EPOCH, &seq), 0);
    assert_int_equal(seq, 30);
}

/* Whatever the time of day was set to: of the newest epoch counts what the clock of events says. */
static void clock_was_set(void **state)
{
    struct journal_fixture *f = *state;

    open_for_a_second(f);
    /* Of long ago, which the time of day says is to come. */
    f->events.batch.wall_offset_ns = ((int64_t)time(NULL) + 3600) * 1000000000;
    add_processes(&f->events, 1, 1); /* 1 2 3 */
    append(f);
    /* Of now, with a time of long ago. */
    f->events.began_ns = uptime_ns() + HOUR_NS;
    f->events.batch.wall_offset_ns = 0;
    add_processes(&f->events, 2, 1); /* 4 5 6 */
    append(f);
    retain(f);
    expect_left(f, " 4 5 6");
}

static void a_piece_at_a_time(void **state)
{
    struct journal_fixture *f = *state;

    open_for_a_second(f);
    add_processes(&f->events, 1, 3000);
    append(f);
    assert_int_equal(journal_retain(f->journal), 1);
    assert_true(sql_number(f->journal, "SELECT count(*) FROM events") >= 6000);
    assert_in_range(retain(f), 3, 10);
    expect_left(f, "");
}

/* ---- by size ---- */

static void expect_size(struct journal_fixture *f, uint64_t most)
{
    uint64_t bytes = 0;

    assert_int_equal(journal_size(f->journal, &bytes), 0);
    if (bytes > most)
        fail_msg("%llu bytes", (unsigned long long)bytes);
}

static void stays_below_its_size(void **state)
{
    struct journal_fixture *f = *state;

    f->journal = open_journal(&f->place, &(struct journal_options){.keep_bytes = 4 * MIB});
    add_simple(&f->events, ROLLCALL_EXISTS, 1);
    append(f);
    for (uint32_t i = 0; i < 100; i++) {
        add_processes(&f->events, 1000 + 500 * i, 500);
        append(f);
        retain(f);
        expect_size(f, 4 * MIB);
    }
    assert_true(sql_number(f->journal, "SELECT count(*) FROM events") > 5000);
    assert_int_equal(sql_number(f->journal, "SELECT pid FROM events ORDER BY epoch, seq"), 1);
    assert_int_equal(sql_number(f->journal, "SELECT count(*) FROM events") +
                         sql_number(f->journal, "SELECT events FROM pruned"),
                     1 + 100 * 1500);
    assert_int_equal(sql_number(f->journal, "SELECT max(seq) FROM events"), 1 + 100 * 1500);
    assert_int_equal(sql_number(f->journal,
                                "SELECT max(seq) - min(seq) + 1 - count(*) FROM events WHERE "
                                "seq > (SELECT seq FROM pruned)"),
                     0);
}

static void shrinks(void **state)
{
    struct journal_fixture *f = *state;
    uint64_t before = 0;

    f->journal = open_journal(&f->place, NULL);
    for (uint32_t i = 0; i < 40; i++) {
        add_processes(&f->events, 1000 + 500 * i, 500);
        append(f);
    }
    assert_int_equal(journal_size(f->journal, &before), 0);
    assert_true(before > 6 * MIB);
    journal_close(f->journal);
    f->journal = open_journal(&f->place, &(struct journal_options){.keep_bytes = 3 * MIB});
    retain(f);
    expect_size(f, 3 * MIB);
    assert_true(sql_number(f->journal, "SELECT count(*) FROM events") > 3000);
}

struct reading {
    struct journal_fixture *f;
    bool done;
};

static int retain_meanwhile(const struct journal_event *event, void *context)
{
    struct reading *reading = context;

    (void)event;
    if (!reading->done)
        retain(reading->f);
    reading->done = true;
    return 0;
}

/* Who reads holds the WAL: retention ends, and does the rest when the reader has gone. */
static void while_somebody_reads(void **state)
{
    struct journal_fixture *f = *state;
    struct reading reading = {f, false};
    struct journal *reader;

    f->journal = open_journal(&f->place, &(struct journal_options){.keep_bytes = 2 * MIB});
    for (uint32_t i = 0; i < 40; i++) {
        add_processes(&f->events, 1000 + 500 * i, 500);
        append(f);
    }
    reader = open_journal(&f->place, &(struct journal_options){.read_only = true});
    assert_int_equal(journal_query(reader, &(struct journal_filter){0}, retain_meanwhile, &reading),
                     0);
    journal_close(reader);
    assert_true(sql_number(f->journal, "SELECT count(*) FROM events") > 1000);
    retain(f);
    append(f);
    retain(f);
    expect_size(f, 2 * MIB);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, journal_setup_closed, journal_teardown)
    const struct CMUnitTest tests[] = {
        TEST(by_age),
        TEST(what_stayed_goes_later),
        TEST(older_epochs_go_altogether),
        TEST(all_removed_is_not_forgotten),
        TEST(clock_was_set),
        TEST(a_piece_at_a_time),
        TEST(stays_below_its_size),
        TEST(shrinks),
        TEST(while_somebody_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
