/* SPDX-License-Identifier: MIT */
#include "tests/unit/test_journal_events.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the place ---- */

void place_make(struct place *place)
{
    snprintf(place->directory, sizeof(place->directory), "/tmp/rollcall-journal-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->path, sizeof(place->path), "%s/journal", place->directory);
}

void place_remove(const struct place *place)
{
    DIR *directory = opendir(place->directory);
    const struct dirent *entry;

    assert_non_null(directory);
    while ((entry = readdir(directory)))
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
    assert_int_equal(rmdir(place->directory), 0);
}

struct journal *open_journal(const struct place *place, const struct journal_options *opts)
{
    struct journal *journal = NULL;
    int err = journal_open(place->path, opts, &journal);

    if (err < 0)
        fail_msg("journal_open: %d, %s", err, rollcall_error());
    return journal;
}

/* ---- errors ---- */

void expect_error(const char *part)
{
    if (!strstr(rollcall_error(), part))
        fail_msg("'%s' is not in: %s", part, rollcall_error());
}

void expect_open_fails(const struct place *place, bool read_only, int err, const char *part)
{
    struct journal *journal = NULL;
    int got =
        journal_open(place->path, &(struct journal_options){.read_only = read_only}, &journal);

    if (got != err)
        fail_msg("journal_open: %d instead of %d, %s", got, err, rollcall_error());
    expect_error(part);
}

void expect_append(struct journal *journal, const struct rollcall_batch *batch, int err)
{
    int got = journal_append(journal, batch);

    if (got != err)
        fail_msg("journal_append: %d instead of %d, %s", got, err, rollcall_error());
}

/* ---- the events ---- */

void events_init(struct events *events, uint64_t epoch, uint64_t first_seq)
{
    memset(events, 0, sizeof(*events));
    events->batch.epoch = epoch;
    events->batch.first_seq = first_seq;
    events->batch.last_seq = first_seq - 1;
    events->batch.wall_offset_ns = WALL_OFFSET;
}

void events_free(struct events *events)
{
    free(events->data);
}

static void *grow(struct events *events, size_t size)
{
    size_t used = events->batch.size;

    if (used + size > events->space) {
        events->space = 2 * (used + size);
        events->data = realloc(events->data, events->space);
        assert_non_null(events->data);
    }
    events->batch.first = (const struct rollcall_event *)(const void *)events->data;
    events->batch.size += size;
    return memset(events->data + used, 0, size);
}

struct rollcall_event *add_event(struct events *events, const struct rollcall_event *event)
{
    struct rollcall_event *to = grow(events, sizeof(*to));

    events->last = (size_t)((char *)to - events->data);
    *to = *event;
    to->size = sizeof(*to);
    to->version = ROLLCALL_EVENT_VERSION;
    to->seq = events->batch.last_seq + 1;
    if (to->mono_ns == 0)
        to->mono_ns = events->began_ns + to->seq * 1000;
    events->batch.last_seq = rollcall_event_last_seq(to);
    events->batch.count++;
    return to;
}

struct rollcall_event *add_simple(struct events *events, unsigned type, uint32_t pid)
{
    struct rollcall_event event = {.type = (uint16_t)type, .pid = pid, .start_ns = 1000u + pid};

    if (type == ROLLCALL_EXIT)
        event.present = ROLLCALL_HAS_STATUS;
    event.comm[0] = 't';
    return add_event(events, &event);
}

void add_text(struct events *events, enum rollcall_text_field field, const void *bytes, size_t size,
              unsigned flags, uint64_t full_size)
{
    struct rollcall_text head = {.field = (uint16_t)field,
                                 .flags = (uint16_t)flags,
                                 .size = (uint32_t)size,
                                 .full_size = full_size};
    char *to = grow(events, sizeof(head) + ROLLCALL_ALIGN(size));
    struct rollcall_event *event;

    memcpy(to, &head, sizeof(head));
    if (size > 0)
        memcpy(to + sizeof(head), bytes, size);
    event = (struct rollcall_event *)(void *)(events->data + events->last);
    event->size += (uint32_t)(sizeof(head) + ROLLCALL_ALIGN(size));
}

struct rollcall_batch part_of(const struct events *events, size_t from, size_t to)
{
    struct rollcall_batch part = events->batch;
    const struct rollcall_event *event = NULL;
    const char *begin = events->data;
    const char *end = events->data + events->batch.size;
    size_t i = 0;

    while ((event = rollcall_batch_next(&events->batch, event))) {
        if (i == from)
            begin = (const char *)event;
        if (i++ == to)
            end = (const char *)event;
    }
    part.first = (const struct rollcall_event *)(const void *)begin;
    part.size = (size_t)(end - begin);
    part.count = to - from;
    return part;
}

void add_processes(struct events *events, uint32_t first_pid, unsigned count)
{
    for (uint32_t pid = first_pid; pid < first_pid + count; pid++) {
        add_simple(events, ROLLCALL_CREATE, pid);
        add_simple(events, ROLLCALL_EXEC, pid);
        add_text(events, ROLLCALL_EXE, "/bin/true", 9, 0, 9);
        add_text(events, ROLLCALL_ARGS, "true\0-v", 8, 0, 8);
        add_simple(events, ROLLCALL_EXIT, pid);
    }
}

/* ---- what is in a journal ---- */

struct expected {
    const struct events *events;
    const struct rollcall_event *next;
};

static int compare(const struct journal_event *got, void *context)
{
    struct expected *expected = context;

    assert_non_null(expected->next);
    assert_int_equal(got->epoch, expected->events->batch.epoch);
    assert_int_equal(got->wall_offset_ns, expected->events->batch.wall_offset_ns);
    assert_int_equal(got->event->seq, expected->next->seq);
    assert_int_equal(got->event->size, expected->next->size);
    assert_true(rollcall_event_valid(got->event, got->event->size));
    assert_memory_equal(got->event, expected->next, expected->next->size);
    expected->next = rollcall_batch_next(&expected->events->batch, expected->next);
    return 0;
}

void expect_events(struct journal *journal, const struct events *events)
{
    struct expected expected = {events, rollcall_batch_next(&events->batch, NULL)};
    int err = journal_query(journal, &(struct journal_filter){0}, compare, &expected);

    if (err < 0)
        fail_msg("journal_query: %d, %s", err, rollcall_error());
    assert_null(expected.next);
}

static int take_number(const struct journal_row *row, void *context)
{
    *(int64_t *)context = row->values[0] ? strtoll(row->values[0], NULL, 10) : -1;
    return 1;
}

int64_t sql_number(struct journal *journal, const char *sql)
{
    int64_t number = -1;

    if (journal_sql(journal, sql, take_number, &number) < 0)
        fail_msg("%s: %s", sql, rollcall_error());
    return number;
}

int journal_setup_closed(void **state)
{
    struct journal_fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    place_make(&f->place);
    events_init(&f->events, EPOCH, 1);
    *state = f;
    return 0;
}

int journal_setup(void **state)
{
    int err = journal_setup_closed(state);
    struct journal_fixture *f = *state;

    f->journal = open_journal(&f->place, NULL);
    return err;
}

int journal_teardown(void **state)
{
    struct journal_fixture *f = *state;

    journal_close(f->journal);
    events_free(&f->events);
    place_remove(&f->place);
    free(f);
    return 0;
}
