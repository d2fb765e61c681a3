/* SPDX-License-Identifier: MIT */
/* Who is alive at the end of the journal, and what is known of them as of there. */
#include "tests/unit/test_journal_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sqlite3.h>

/* Stores what was added, and goes on with the next number. */
static void store(struct journal_fixture *f)
{
    uint64_t next = f->events.batch.last_seq + 1;

    expect_append(f->journal, &f->events.batch, 0);
    /* Given again, they change nothing. */
    expect_append(f->journal, &f->events.batch, 0);
    events_free(&f->events);
    events_init(&f->events, EPOCH, next);
}

/* ---- expectations ---- */

struct numbers {
    uint64_t seqs[8];
    size_t count;
};

static int note_number(uint64_t seq, void *context)
{
    struct numbers *numbers = context;

    assert_true(numbers->count < 8);
    numbers->seqs[numbers->count++] = seq;
    return 0;
}

static int note_event(const struct journal_event *event, void *context)
{
    return note_number(event->event->seq, context);
}

static void expect_living(struct journal_fixture *f, uint64_t epoch, uint64_t last_seq,
                          size_t count, const uint64_t *seqs)
{
    struct numbers numbers = {.count = 0};
    uint64_t last = 0;

    assert_int_equal(journal_living(f->journal, epoch, &last, note_number, &numbers), 0);
    assert_int_equal(last, last_seq);
    assert_int_equal(numbers.count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(numbers.seqs[i], seqs[i]);
}

/* known: 0: nothing. */
static void expect_known(struct journal_fixture *f, uint64_t seq, uint64_t last_seq, uint64_t known)
{
    struct numbers numbers = {.count = 0};

    assert_int_equal(journal_known(f->journal, EPOCH, seq, last_seq, note_event, &numbers), 0);
    assert_int_equal(numbers.count, known > 0);
    if (known > 0)
        assert_int_equal(numbers.seqs[0], known);
}

/* ---- tests ---- */

static void lives_and_ends(void **state)
{
    struct journal_fixture *f = *state;

    expect_living(f, EPOCH, 0, 0, NULL);
    add_simple(&f->events, ROLLCALL_EXISTS, 1);   /* 1 */
    add_simple(&f->events, ROLLCALL_CREATE, 100); /* 2 */
    add_simple(&f->events, ROLLCALL_EXEC, 100);   /* 3 */
    add_simple(&f->events, ROLLCALL_CREATE, 101); /* 4 */
    store(f);
    expect_living(f, EPOCH, 4, 3, (uint64_t[]){1, 2, 4});
    add_simple(&f->events, ROLLCALL_EXEC, 100); /* 5 */
    add_simple(&f->events, ROLLCALL_EXIT, 100); /* 6 */
    store(f);
    expect_living(f, EPOCH, 6, 2, (uint64_t[]){1, 4});
    /* It is known as of an earlier end, too. */
    expect_known(f, 2, 4, 3);
    expect_known(f, 2, 6, 5);
    expect_known(f, 2, 2, 2);
    expect_known(f, 4, 6, 4);
    expect_known(f, 99, 6, 0);
}

/* The exit of the first one is missing. */
static void pid_again(void **state)
{
    struct journal_fixture *f = *state;

    add_event(&f->events, &(struct rollcall_event){
                              .type = ROLLCALL_CREATE, .pid = 7, .start_ns = 10, .mono_ns = 10});
    add_event(&f->events, &(struct rollcall_event){
                              .type = ROLLCALL_CREATE, .pid = 7, .start_ns = 20, .mono_ns = 20});
    store(f);
    expect_living(f, EPOCH, 2, 1, (uint64_t[]){2});
    add_event(&f->events, &(struct rollcall_event){
                              .type = ROLLCALL_EXIT, .pid = 7, .start_ns = 10, .mono_ns = 30});
    store(f);
    expect_living(f, EPOCH, 3, 1, (uint64_t[]){2});
}

static void next_epoch(void **state)
{
    struct journal_fixture *f = *state;
    struct events later;

    add_simple(&f->events, ROLLCALL_CREATE, 100);
    store(f);
    events_init(&later, EPOCH + 1, 1);
    add_simple(&later, ROLLCALL_EXISTS, 1);
    expect_append(f->journal, &later.batch, 0);
    events_free(&later);
    expect_living(f, EPOCH + 1, 1, 1, (uint64_t[]){1});
    journal_close(f->journal);
    f->journal = open_journal(&f->place, NULL);
    assert_int_equal(sql_number(f->journal, "SELECT count(*) FROM living"), 1);
    expect_living(f, EPOCH + 1, 1, 1, (uint64_t[]){1});
}

/* Retention removes what was known of a process together with its exit, not before. */
static void retained(void **state)
{
    struct journal_fixture *f = *state;

    add_simple(&f->events, ROLLCALL_CREATE, 100); /* 1 */
    add_simple(&f->events, ROLLCALL_CREATE, 101); /* 2 */
    add_simple(&f->events, ROLLCALL_EXIT, 100);   /* 3 */
    store(f);
    journal_close(f->journal);
    f->journal = open_journal(&f->place, &(struct journal_options){.keep_seconds = 1});
    while (journal_retain(f->journal) > 0)
        continue;
    expect_living(f, EPOCH, 3, 1, (uint64_t[]){2});
    expect_known(f, 2, 3, 2);
    expect_known(f, 1, 3, 0);
}

/* ---- a journal of version 2 ---- */

static void make_version_2(const struct place *place)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "DROP TRIGGER living_begins; DROP TRIGGER living_ends;"
                                  "DROP TABLE living; PRAGMA user_version = 2",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void version_2(void **state)
{
    struct journal_fixture *f = *state;

    add_simple(&f->events, ROLLCALL_CREATE, 100); /* 1 */
    add_simple(&f->events, ROLLCALL_CREATE, 101); /* 2 */
    add_simple(&f->events, ROLLCALL_EXIT, 100);   /* 3 */
    store(f);
    journal_close(f->journal);
    make_version_2(&f->place);
    /* It can be read as it is. */
    f->journal = open_journal(&f->place, &(struct journal_options){.read_only = true});
    assert_int_equal(sql_number(f->journal, "SELECT count(*) FROM events"), 3);
    journal_close(f->journal);
    f->journal = open_journal(&f->place, NULL);
    expect_living(f, EPOCH, 3, 1, (uint64_t[]){2});
    add_simple(&f->events, ROLLCALL_EXIT, 101); /* 4 */
    store(f);
    expect_living(f, EPOCH, 4, 0, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, journal_setup, journal_teardown)
    const struct CMUnitTest tests[] = {
        TEST(lives_and_ends), TEST(pid_again), TEST(next_epoch), TEST(retained), TEST(version_2),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
