/* SPDX-License-Identifier: MIT */
/* The journal: what goes in comes out, once, by whatever it is asked for. */
#include "tests/unit/test_journal_events.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void append_all(struct journal_fixture *f)
{
    int err = journal_append(f->journal, &f->events.batch);

    if (err < 0)
        fail_msg("journal_append: %d, %s", err, rollcall_error());
}

/* ---- round trip ---- */

static void add_full(struct events *events)
{
    struct rollcall_event event = {.type = ROLLCALL_CREATE,
                                   .flags = ROLLCALL_KERNEL_THREAD | ROLLCALL_LATE | 1u << 31,
                                   .present = 0xff,
                                   .mono_ns = UINT32_MAX,
                                   .start_ns = UINT64_MAX,
                                   .pid = UINT32_MAX,
                                   .ppid = UINT32_MAX - 1,
                                   .parent_start_ns = UINT64_MAX - 1,
                                   .creator_pid = UINT32_MAX - 2,
                                   .creator_tid = 7,
                                   .uid = UINT32_MAX - 3,
                                   .gid = 8,
                                   .session = 9,
                                   .tty = 10,
                                   .ns_pid = 11,
                                   .pid_ns = UINT32_MAX - 4,
                                   .cgroup = UINT64_MAX - 5,
                                   .status = UINT32_MAX - 6,
                                   .comm = "fifteen letters"};

    add_event(events, &event);
}

/* Each bit of `present` alone, with values 0. */
static void add_absent(struct events *events)
{
    for (unsigned bit = 0; bit < 9; bit++) {
        struct rollcall_event event = {
            .type = ROLLCALL_EXISTS, .present = 1u << bit, .pid = 5 + bit, .start_ns = 6};

        add_event(events, &event);
    }
}

static void add_marks(struct events *events)
{
    struct rollcall_event gap = {.type = ROLLCALL_GAP,
                                 .flags = ROLLCALL_AT_MOST,
                                 .reason = ROLLCALL_LOST_SKIPPED,
                                 .lost = 1000};
    struct rollcall_event uncounted = {.type = ROLLCALL_GAP,
                                       .flags = ROLLCALL_UNCOUNTED,
                                       .reason = ROLLCALL_LOST_INTERRUPTED,
                                       .lost = 1};

    add_event(events, &gap);
    add_event(events, &uncounted);
    add_event(events, &(struct rollcall_event){.type = ROLLCALL_SYNCED});
}

static void add_exec(struct events *events, const char *args, size_t size, unsigned flags,
                     uint64_t full_size)
{
    add_simple(events, ROLLCALL_EXEC, 77);
    add_text(events, ROLLCALL_EXE, "/bin/sh", 7, 0, 7);
    add_text(events, ROLLCALL_CWD, "/root", 5, 0, 5);
    add_text(events, ROLLCALL_ARGS, args, size, flags, full_size);
}

static void add_texts(struct events *events)
{
    static char large[(128u << 10) + 1];

    memset(large, 'x', sizeof(large) - 1);
    add_exec(events, "", 0, 0, 0);
    add_exec(events, "\0", 1, 0, 1);
    add_exec(events, "sh\0\0\"-c\\\"\0\n\0", 12, 0, 12);
    add_exec(events, "sh\0-c", 5, ROLLCALL_TEXT_CUT, 5000);
    add_exec(events, "sh\0-c", 5, 0, 5);
    add_exec(events, "sh", 2, ROLLCALL_TEXT_CUT, 0);
    add_exec(events, "sh\0\0\0\0", 6, ROLLCALL_TEXT_UNREADABLE, 6);
    add_exec(events, "sh\0\xff\xfe\0\xc3\xa4\0", 9, 0, 9);
    add_exec(events, "sh\0", 3, 0, 4);
    add_exec(events, large, sizeof(large), 0, sizeof(large));
}

static void add_paths(struct events *events)
{
    add_simple(events, ROLLCALL_EXISTS, 78);
    add_text(events, ROLLCALL_EXE, "", 0, 0, 0);
    add_text(events, ROLLCALL_CWD, "/a\0b/\xff", 6, ROLLCALL_TEXT_CUT, 99);
    add_simple(events, ROLLCALL_CREATE, 79);
    add_text(events, ROLLCALL_EXE, "C:\\x.exe", 8, 0, 8);
    add_text(events, ROLLCALL_COMMAND, "x \xc3\xa4", 4, 0, 4);
    add_text(events, ROLLCALL_USER, "S-1-5-18", 8, 0, 8);
    memcpy(add_simple(events, ROLLCALL_CREATE, 80)->comm, "\xff\xfe\xfd", 3);
}

/* What no column can say: it is kept all the same. */
static void add_strange(struct events *events)
{
    struct rollcall_event *event = add_simple(events, ROLLCALL_CREATE, 81);

    memcpy(event->comm, "a\0b", 3);
    add_simple(events, 99, 82)->present = 1u << 20;
    add_simple(events, ROLLCALL_CREATE, 83)->reason = 5;
    add_simple(events, ROLLCALL_SYNCED, 84);
    add_simple(events, ROLLCALL_CREATE, 85)->ppid = 1;
    add_simple(events, ROLLCALL_EXEC, 86);
    add_text(events, ROLLCALL_ARGS, "a\0", 2, 0, 2);
    add_text(events, ROLLCALL_EXE, "/a", 2, 0, 2);
    add_text(events, ROLLCALL_EXE, "/b", 2, 0, 2);
    add_text(events, (enum rollcall_text_field)40, "?", 1, 0, 1);
    add_simple(events, ROLLCALL_EXEC, 87);
    add_text(events, ROLLCALL_EXE, "/a", 2, 0, 2);
    events->data[events->batch.size - 1] = 1; /* padding */
}

static void round_trip(void **state)
{
    struct journal_fixture *f = *state;

    add_full(&f->events);
    add_absent(&f->events);
    add_marks(&f->events);
    add_texts(&f->events);
    add_paths(&f->events);
    add_strange(&f->events);
    append_all(f);
    expect_events(f->journal, &f->events);
    assert_int_equal(sql_number(f->journal, "SELECT count(*) FROM text_details "
                                            "WHERE field = 'record'"),
                     7);
}

static void columns(void **state)
{
    struct journal_fixture *f = *state;

    add_exec(&f->events, "sh\0\xff\0\"\0", 7, ROLLCALL_TEXT_CUT, 70);
    add_event(&f->events, &(struct rollcall_event){.type = ROLLCALL_SYNCED});
    append_all(f);
    assert_int_equal(sql_number(f->journal, "SELECT args ->> 2 = '\"' FROM events WHERE seq = 1"),
                     1);
    assert_int_equal(sql_number(f->journal, "SELECT hex(raw_args) = '736800FF002200' AND args_cut "
                                            "AND args_full_size = 70 FROM exact_texts"),
                     1);
    assert_int_equal(sql_number(f->journal, "SELECT count(*) FROM events WHERE ppid IS NULL AND "
                                            "uid IS NULL AND cgroup IS NULL AND lost IS NULL"),
                     2);
    assert_int_equal(sql_number(f->journal, "SELECT count(*) FROM events WHERE pid IS NULL"), 1);
    assert_int_equal(sql_number(f->journal, "SELECT time - mono_ns FROM events WHERE seq = 1"),
                     WALL_OFFSET);
}

/* ---- exactly once ---- */

static void again_in_every_split(void **state)
{
    struct journal_fixture *f = *state;
    size_t count;

    add_processes(&f->events, 100, 3);
    add_marks(&f->events);
    add_strange(&f->events);
    count = f->events.batch.count;
    for (size_t from = 0; from < count; from++) {
        struct rollcall_batch head = part_of(&f->events, 0, from + 1);
        struct rollcall_batch tail = part_of(&f->events, from, count);

        place_remove(&f->place);
        journal_close(f->journal);
        place_make(&f->place);
        f->journal = open_journal(&f->place, NULL);
        assert_int_equal(journal_append(f->journal, &head), 0);
        assert_int_equal(journal_append(f->journal, &tail), 0);
        assert_int_equal(journal_append(f->journal, &head), 0);
        expect_events(f->journal, &f->events);
    }
}

static void last_seq(void **state)
{
    struct journal_fixture *f = *state;
    uint64_t epoch = 1;
    int64_t time = 1;
    uint64_t seq = 1;

    assert_int_equal(journal_last_seq(f->journal, EPOCH, &seq), 0);
    assert_int_equal(seq, 0);
    assert_int_equal(journal_newest(f->journal, &epoch, &time), 0);
    assert_int_equal(epoch, 0);
    assert_int_equal(time, 0);
    add_processes(&f->events, 100, 1);
    add_event(&f->events, &(struct rollcall_event){.type = ROLLCALL_GAP, .lost = 50});
    append_all(f);
    assert_int_equal(journal_last_seq(f->journal, EPOCH, &seq), 0);
    assert_int_equal(seq, 53);
    assert_int_equal(journal_last_seq(f->journal, EPOCH + 1, &seq), 0);
    assert_int_equal(seq, 0);
    assert_int_equal(journal_newest(f->journal, &epoch, &time), 0);
    assert_int_equal(epoch, EPOCH);
    assert_int_equal(time, f->events.batch.wall_offset_ns + 4000);
}

static void what_is_no_event(void **state)
{
    struct journal_fixture *f = *state;
    struct rollcall_event *event;

    add_processes(&f->events, 100, 2);
    event = (struct rollcall_event *)(void *)(f->events.data + f->events.last);
    event->size = 4096;
    assert_int_equal(journal_append(f->journal, &f->events.batch), -EINVAL);
    event->size = sizeof(*event);
    event->seq = UINT64_MAX;
    assert_int_equal(journal_append(f->journal, &f->events.batch), -EINVAL);
    assert_int_equal(sql_number(f->journal, "SELECT count(*) FROM events"), 0);
    event->seq = 6;
    append_all(f);
    expect_events(f->journal, &f->events);
}

/* ---- asking ---- */

struct answer {
    size_t count;
    uint64_t seqs[64];
};

static int note(const struct journal_event *event, void *context)
{
    struct answer *answer = context;

    assert_true(answer->count < 64);
    answer->seqs[answer->count++] = event->event->seq;
    return 0;
}

static void expect_seqs(struct journal_fixture *f, const struct journal_filter *filter,
                        const char *want)
{
    struct answer answer = {0};
    char text[512] = "";
    int err = journal_query(f->journal, filter, note, &answer);

    if (err < 0)
        fail_msg("journal_query: %s", rollcall_error());
    for (size_t i = 0; i < answer.count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%llu", i ? " " : "",
                 (unsigned long long)answer.seqs[i]);
    assert_string_equal(text, want);
}

/* pids 100 (1 2 3) and 101 (4 5 6) run /bin/true; 200 (7 8) is a child of 101 and runs sh. */
static void add_for_filters(struct events *events)
{
    struct rollcall_event *event;

    add_processes(events, 100, 2);
    event = add_simple(events, ROLLCALL_CREATE, 200);
    event->present = ROLLCALL_HAS_PARENT | ROLLCALL_HAS_USER;
    event->ppid = 101;
    event->uid = 1000;
    memcpy(event->comm, "child", 6);
    add_simple(events, ROLLCALL_EXEC, 200);
    add_text(events, ROLLCALL_EXE, "/bin/sh", 7, 0, 7);
}

static void filters(void **state)
{
    struct journal_fixture *f = *state;

    add_for_filters(&f->events);
    append_all(f);
    expect_seqs(f, &(struct journal_filter){.has_pid = true, .pid = 101}, "4 5 6");
    expect_seqs(f, &(struct journal_filter){.has_pid = true}, "");
    expect_seqs(f, &(struct journal_filter){.has_ppid = true, .ppid = 101}, "7");
    expect_seqs(f, &(struct journal_filter){.has_uid = true, .uid = 1000}, "7");
    expect_seqs(f, &(struct journal_filter){.types = 1u << ROLLCALL_EXIT}, "3 6");
    expect_seqs(f, &(struct journal_filter){.comm = "ch*"}, "7");
    expect_seqs(f, &(struct journal_filter){.exe = "*/sh"}, "7 8");
    expect_seqs(f, &(struct journal_filter){.exe = "*true", .types = 1u << ROLLCALL_CREATE}, "1 4");
    expect_seqs(f, &(struct journal_filter){.since_ns = WALL_OFFSET + 7000}, "7 8");
    expect_seqs(f, &(struct journal_filter){.until_ns = WALL_OFFSET + 2000}, "1");
    expect_seqs(f, &(struct journal_filter){.limit = 2}, "1 2");
    expect_seqs(f, &(struct journal_filter){.limit = 2, .last = true}, "7 8");
}

static int stop(const struct journal_event *event, void *context)
{
    (*(int *)context)++;
    return event->event->seq == 2 ? 42 : 0;
}

static void ended_by_the_caller(void **state)
{
    struct journal_fixture *f = *state;
    int calls = 0;

    add_processes(&f->events, 100, 2);
    append_all(f);
    assert_int_equal(journal_query(f->journal, &(struct journal_filter){0}, stop, &calls), 42);
    assert_int_equal(calls, 2);
}

static void expect_alive(struct journal_fixture *f, int64_t at_ns, size_t count,
                         const uint64_t *seqs)
{
    struct answer answer = {0};

    assert_int_equal(journal_alive(f->journal, at_ns, note, &answer), 0);
    assert_int_equal(answer.count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(answer.seqs[i], seqs[i]);
}

static void alive(void **state)
{
    struct journal_fixture *f = *state;
    struct events later;

    add_simple(&f->events, ROLLCALL_EXISTS, 1);   /* 1 */
    add_simple(&f->events, ROLLCALL_CREATE, 100); /* 2 */
    add_simple(&f->events, ROLLCALL_EXEC, 100);   /* 3 */
    add_simple(&f->events, ROLLCALL_EXEC, 100);   /* 4 */
    add_simple(&f->events, ROLLCALL_CREATE, 101); /* 5 */
    add_simple(&f->events, ROLLCALL_EXIT, 100);   /* 6 */
    append_all(f);
    expect_alive(f, 0, 2, (uint64_t[]){1, 5});
    expect_alive(f, WALL_OFFSET + 5000, 4, (uint64_t[]){1, 2, 4, 5});
    expect_alive(f, WALL_OFFSET + 3000, 3, (uint64_t[]){1, 2, 3});
    expect_alive(f, WALL_OFFSET, 0, NULL);
    events_init(&later, EPOCH + 1, 1);
    add_event(&later, &(struct rollcall_event){
                          .type = ROLLCALL_EXISTS, .pid = 1, .start_ns = 9, .mono_ns = 90000});
    assert_int_equal(journal_append(f->journal, &later.batch), 0);
    expect_alive(f, 0, 1, (uint64_t[]){1});
    expect_alive(f, WALL_OFFSET + 6000, 2, (uint64_t[]){1, 5});
    events_free(&later);
}

/* ---- more than one ---- */

static void second_writer(void **state)
{
    struct journal_fixture *f = *state;
    struct journal *second = NULL;
    char pid[32];

    snprintf(pid, sizeof(pid), "process %d ", (int)getpid());
    assert_int_equal(journal_open(f->place.path, NULL, &second), -EBUSY);
    assert_non_null(strstr(rollcall_error(), pid));
    journal_close(f->journal);
    f->journal = NULL;
    assert_int_equal(journal_open(f->place.path, NULL, &second), 0);
    journal_close(second);
}

static void read_while_writing(void **state)
{
    struct journal_fixture *f = *state;
    struct journal *reader = open_journal(&f->place, &(struct journal_options){.read_only = true});

    add_processes(&f->events, 100, 100);
    for (size_t i = 0; i < 100; i++) {
        struct rollcall_batch part = part_of(&f->events, 3 * i, 3 * i + 3);

        assert_int_equal(journal_append(f->journal, &part), 0);
        assert_int_equal(sql_number(reader, "SELECT count(*) FROM events"), 3 * i + 3);
    }
    expect_events(reader, &f->events);
    assert_int_equal(journal_append(reader, &f->events.batch), -EROFS);
    assert_int_equal(journal_retain(reader), -EROFS);
    journal_close(reader);
}

struct feed {
    struct journal_fixture *f;
    size_t seen;
};

static int append_in_between(const struct journal_event *event, void *context)
{
    struct feed *feed = context;
    struct events *events = &feed->f->events;

    assert_int_equal(event->event->seq, ++feed->seen);
    if (feed->seen == 1)
        assert_int_equal(journal_append(feed->f->journal, &events->batch), 0);
    return 0;
}

/* The same journal is asked and written to by turns. */
static void append_while_asking(void **state)
{
    struct journal_fixture *f = *state;
    struct feed feed = {f, 0};
    struct rollcall_batch head;

    add_processes(&f->events, 100, 4);
    head = part_of(&f->events, 0, 6);
    assert_int_equal(journal_append(f->journal, &head), 0);
    assert_int_equal(
        journal_query(f->journal, &(struct journal_filter){0}, append_in_between, &feed), 0);
    assert_true(feed.seen >= 6);
    expect_events(f->journal, &f->events);
}

static void opened_again(void **state)
{
    struct journal_fixture *f = *state;
    struct stat status;
    uint64_t bytes = 0;

    add_processes(&f->events, 100, 10);
    append_all(f);
    journal_close(f->journal);
    f->journal = open_journal(&f->place, &(struct journal_options){.read_only = true});
    expect_events(f->journal, &f->events);
    assert_int_equal(journal_size(f->journal, &bytes), 0);
    assert_int_equal(stat(f->place.path, &status), 0);
    assert_true(bytes >= (uint64_t)status.st_size);
    assert_int_equal(status.st_mode & 0777, 0600);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, journal_setup, journal_teardown)
    const struct CMUnitTest tests[] = {
        TEST(round_trip),           TEST(columns),
        TEST(again_in_every_split), TEST(last_seq),
        TEST(what_is_no_event),     TEST(filters),
        TEST(ended_by_the_caller),  TEST(alive),
        TEST(second_writer),        TEST(read_while_writing),
        TEST(append_while_asking),  TEST(opened_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
