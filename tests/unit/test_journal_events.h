/* SPDX-License-Identifier: MIT */
/* What the tests of the journal share: a directory for it, and events to put in. */
#ifndef TEST_JOURNAL_EVENTS_H
#define TEST_JOURNAL_EVENTS_H

#include "journal/journal.h"

#include <stddef.h>

#define EPOCH       1790000000000000u
#define WALL_OFFSET INT64_C(1789999000000000000)

/* A journal in a directory of its own. */
struct place {
    char directory[64];
    char path[96];
};

void place_make(struct place *place);
void place_remove(const struct place *place);

/* Opens, and fails the test if that is not possible. */
struct journal *open_journal(const struct place *place, const struct journal_options *opts);

/* Fails the test unless the last error's text has this part. */
void expect_error(const char *part);

/* Fails the test unless it ends with `err`, and a text with this part. */
void expect_open_fails(const struct place *place, bool read_only, int err, const char *part);

void expect_append(struct journal *journal, const struct rollcall_batch *batch, int err);

/* Events one after another, with numbers from first_seq on. */
struct events {
    struct rollcall_batch batch;
    char *data;
    size_t space;
    size_t last;       /* where the last one begins */
    uint64_t began_ns; /* the first of them: added to mono_ns */
};

void events_init(struct events *events, uint64_t epoch, uint64_t first_seq);
void events_free(struct events *events);

/* Adds one; its seq, version and size are set. The result is valid until the next is added. */
struct rollcall_event *add_event(struct events *events, const struct rollcall_event *event);
struct rollcall_event *add_simple(struct events *events, unsigned type, uint32_t pid);

/* Adds a string to the last event. */
void add_text(struct events *events, enum rollcall_text_field field, const void *bytes, size_t size,
              unsigned flags, uint64_t full_size);

/* The part of a batch from event number `from` up to before `to`. */
struct rollcall_batch part_of(const struct events *events, size_t from, size_t to);

/* One process after another: create, exec with texts, exit. */
void add_processes(struct events *events, uint32_t first_pid, unsigned count);

/* Fails the test unless the journal holds exactly these events, byte for byte. */
void expect_events(struct journal *journal, const struct events *events);

/* A journal that is open, and events for it, for cmocka_unit_test_setup_teardown(). */
struct journal_fixture {
    struct place place;
    struct journal *journal;
    struct events events;
};

int journal_setup(void **state);
/* The same without opening the journal. */
int journal_setup_closed(void **state);
int journal_teardown(void **state);

/* The first column of the first row as a number. */
int64_t sql_number(struct journal *journal, const char *sql);

#endif
