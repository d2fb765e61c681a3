/* SPDX-License-Identifier: MIT */
/* The journal when things go wrong: killed, locked, damaged, somebody else's file. */
#include "tests/unit/test_journal_events.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof(*place));

    assert_non_null(place);
    place_make(place);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    place_remove(*state);
    free(*state);
    return 0;
}

/* ---- killed ---- */

#define KILLS 50

/* Appends from a little before the last event on, and says after each batch how far it is. */
static void append_until_killed(const struct place *place, int out)
{
    struct journal *journal = NULL;
    uint64_t seq = 0;

    if (journal_open(place->path, NULL, &journal) < 0)
        _exit(1);
    journal_last_seq(journal, EPOCH, &seq);
    seq = seq > 6 ? seq - 6 : 0;
    for (;;) {
        struct events events;

        events_init(&events, EPOCH, seq + 1);
        add_processes(&events, (uint32_t)(1 + seq / 3), 20);
        if (journal_append(journal, &events.batch) < 0)
            _exit(2);
        seq = events.batch.last_seq;
        if (write(out, &seq, sizeof(seq)) != sizeof(seq))
            _exit(3);
        events_free(&events);
    }
}

/* Returns the last number that was acknowledged. */
static uint64_t kill_a_writer(const struct place *place, unsigned *seed)
{
    uint64_t seq = 0;
    int pipes[2];
    int status;
    pid_t pid;

    assert_int_equal(pipe(pipes), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(pipes[0]);
        append_until_killed(place, pipes[1]);
    }
    close(pipes[1]);
    for (int i = rand_r(seed) % 10; i >= 0; i--)
        assert_int_equal(read(pipes[0], &seq, sizeof(seq)), sizeof(seq));
    usleep((useconds_t)(rand_r(seed) % 3000));
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    while (read(pipes[0], &seq, sizeof(seq)) == sizeof(seq))
        ;
    close(pipes[0]);
    return seq;
}

static void killed_at_any_moment(void **state)
{
    const struct place *place = *state;
    unsigned seed = (unsigned)getpid();
    struct journal *journal;

    print_message("seed %u\n", seed);
    for (int i = 0; i < KILLS; i++) {
        uint64_t acknowledged = kill_a_writer(place, &seed);
        uint64_t seq = 0;

        journal = open_journal(place, NULL);
        assert_int_equal(journal_last_seq(journal, EPOCH, &seq), 0);
        assert_true(seq >= acknowledged);
        assert_int_equal(seq % 6, 0); /* whole batches */
        assert_int_equal(sql_number(journal, "SELECT count(*) FROM events"), (int64_t)seq);
        assert_int_equal(sql_number(journal, "SELECT min(seq) FROM events"), 1);
        journal_close(journal);
    }
    journal = open_journal(place, NULL);
    assert_int_equal(sql_number(journal, "SELECT count(*) FROM events WHERE type <> (seq - 1) % 3 "
                                         "+ 1 OR pid <> 1 + (seq - 1) / 3"),
                     0);
    journal_close(journal);
}

/* ---- locked ---- */

static void hold_lock(const struct place *place, int ready, int end)
{
    sqlite3 *db = NULL;
    char byte = 0;

    if (sqlite3_open(place->path, &db) != SQLITE_OK ||
        sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        _exit(1);
    if (write(ready, &byte, 1) != 1 || read(end, &byte, 1) != 0)
        _exit(2);
    _exit(0);
}

static void locked_by_another(void **state)
{
    const struct place *place = *state;
    struct journal *journal = open_journal(place, NULL);
    struct events events;
    int ready[2];
    int end[2];
    char byte;
    pid_t pid;

    events_init(&events, EPOCH, 1);
    add_processes(&events, 100, 10);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    assert_int_equal(pipe2(end, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(end[1]);
        hold_lock(place, ready[1], end[0]);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    expect_append(journal, &events.batch, -EBUSY);
    expect_error("locked by another program");
    close(end[1]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    expect_append(journal, &events.batch, 0);
    expect_events(journal, &events);
    close(end[0]);
    close(ready[0]);
    close(ready[1]);
    journal_close(journal);
    events_free(&events);
}

/* ---- damaged, or not ours ---- */

static void write_file(const struct place *place, const char *mode, long offset, const char *text,
                       size_t times)
{
    FILE *file = fopen(place->path, mode);

    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    while (times-- > 0)
        fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static int ignore(const struct journal_event *event, void *context)
{
    (void)event, (void)context;
    return 0;
}

static void make_journal(const struct place *place)
{
    struct journal *journal = open_journal(place, NULL);
    struct events events;

    events_init(&events, EPOCH, 1);
    add_processes(&events, 100, 1000);
    expect_append(journal, &events.batch, 0);
    journal_close(journal);
    events_free(&events);
}

static void damaged(void **state)
{
    const struct place *place = *state;
    struct journal_options reading = {.read_only = true};
    struct journal *journal = NULL;
    struct stat status;
    int err;

    make_journal(place);
    assert_int_equal(stat(place->path, &status), 0);
    write_file(place, "r+", 16384, "garbage!", (size_t)(status.st_size - 16384) / 8);
    err = journal_open(place->path, &reading, &journal);
    if (err == 0)
        err = journal_query(journal, &(struct journal_filter){0}, ignore, NULL);
    assert_int_equal(err, -EBADMSG);
    expect_error("damaged");
    journal_close(journal);
}

static void cut_off(void **state)
{
    const struct place *place = *state;

    make_journal(place);
    assert_int_equal(truncate(place->path, 10000), 0);
    expect_open_fails(place, true, -EBADMSG, "damaged");
}

static int files_in(const struct place *place)
{
    DIR *directory = opendir(place->directory);
    const struct dirent *entry;
    int count = 0;

    assert_non_null(directory);
    while ((entry = readdir(directory)))
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void not_a_database(void **state)
{
    const struct place *place = *state;
    struct stat status;

    write_file(place, "w", 0, "this is my diary\n", 100);
    expect_open_fails(place, false, -EPROTO, "not a journal");
    expect_open_fails(place, true, -EPROTO, "not a journal");
    assert_int_equal(stat(place->path, &status), 0);
    assert_int_equal(status.st_size, 1700);
    assert_int_equal(files_in(place), 1);
}

static void change(const struct place *place, const char *sql)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void database_of_others(void **state)
{
    const struct place *place = *state;

    change(place, "CREATE TABLE recipes (name TEXT)");
    expect_open_fails(place, false, -EPROTO, "not a journal");
}

static void later_version(void **state)
{
    const struct place *place = *state;

    make_journal(place);
    change(place, "PRAGMA user_version = 4");
    expect_open_fails(place, false, -EPROTO, "version 4");
    expect_open_fails(place, true, -EPROTO, "version 4");
}

static void no_such_place(void **state)
{
    const struct place *place = *state;
    struct place wrong = *place;

    expect_open_fails(place, true, -ENOENT, "there is no");
    snprintf(wrong.path, sizeof(wrong.path), "%s/missing/journal", place->directory);
    expect_open_fails(&wrong, false, -ENOENT, "make the directory");
    snprintf(wrong.path, sizeof(wrong.path), "%s", place->directory);
    expect_open_fails(&wrong, false, -EACCES, "is a directory");
    snprintf(wrong.path, sizeof(wrong.path), "%s.lock", place->directory);
    assert_int_equal(access(wrong.path, F_OK), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(killed_at_any_moment),
        TEST(locked_by_another),
        TEST(damaged),
        TEST(cut_off),
        TEST(not_a_database),
        TEST(database_of_others),
        TEST(later_version),
        TEST(no_such_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
