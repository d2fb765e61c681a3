/* SPDX-License-Identifier: MIT */
/*
 * An event as the columns of a row of `events` and rows of `text_details`, and back. What the
 * columns cannot say exactly is kept whole as the detail `record`, so that an event is always
 * read as it was delivered, byte for byte.
 */
#ifndef JOURNAL_ROW_H
#define JOURNAL_ROW_H

#include <rollcall/rollcall.h>

#include <sqlite3.h>

#include <stdbool.h>
#include <stdint.h>

/* The columns of `events` in the order in which they are bound and read. */
enum row_column {
    ROW_EPOCH,
    ROW_SEQ,
    ROW_TYPE,
    ROW_TIME,
    ROW_MONO_NS,
    ROW_NUMBERS,                  /* the fields of the base that are only numbers ... */
    ROW_TEXTS = ROW_NUMBERS + 18, /* comm, and the strings in the order of their numbers */
    ROW_DETAILS = ROW_TEXTS + 6,  /* how many rows of text_details there are */
    ROW_COLUMNS = ROW_DETAILS + 1
};

#define ROW_COLUMN_NAMES                                                                           \
    "epoch, seq, type, time, mono_ns, pid, start_ns, flags, ppid, parent_start_ns, creator_pid, "  \
    "creator_tid, uid, gid, session, tty, ns_pid, pid_ns, cgroup, start_key, status, reason, "     \
    "lost, comm, exe, cwd, args, command, user, details"

#define ROW_SQL_INSERT                                                                             \
    "INSERT OR IGNORE INTO events (" ROW_COLUMN_NAMES ") VALUES "                                  \
    "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
#define ROW_SQL_INSERT_DETAIL                                                                      \
    "INSERT OR IGNORE INTO text_details (epoch, seq, field, flags, full_size, raw) "               \
    "VALUES (?,?,?,?,?,?)"
#define ROW_SQL_DETAILS                                                                            \
    "SELECT field, flags, full_size, raw FROM text_details WHERE epoch = ?1 AND seq = ?2"

#define ROW_STRINGS 6 /* comm is number 0, then enum rollcall_text_field */

struct row_buffer {
    char *data;
    size_t space;
};

struct row_text {
    const char *text; /* readable; NULL: there is none */
    size_t size;
    const void *raw; /* the exact bytes, if the readable text does not have them, else NULL */
    size_t raw_size;
    bool detailed; /* the readable text does not say all: raw, flags and full_size do */
    uint32_t flags;
    uint64_t full_size;
    struct row_buffer kept; /* what `raw` points to when the row was read */
};

struct row {
    uint64_t epoch;
    int64_t time;
    struct rollcall_event base; /* fields as they are, absent ones 0 */
    uint32_t there;             /* which of the columns of ROW_NUMBERS are not NULL */
    struct row_text texts[ROW_STRINGS];
    struct row_text record;     /* raw: the whole event, if the columns do not have it exactly */
    struct row_buffer readable; /* what the texts of row_from_event() point to */
    struct row_buffer event;    /* what row_to_event() makes */
};

int row_reserve(struct row_buffer *buffer, size_t size);
void row_clear(struct row *row);
void row_destroy(struct row *row);

/* A number of the base by its place in the columns of ROW_NUMBERS. */
int64_t row_number(const struct row *row, unsigned i);
void row_set_number(struct row *row, unsigned i, int64_t value);

/* Gets the columns of an event that is valid. The row points into the event. -ENOMEM. */
int row_from_event(struct row *row, const struct rollcall_event *event, uint64_t epoch,
                   int64_t wall_offset_ns);

/* Gets the event of the columns; it is the row's. -ENOMEM, -EBADMSG the columns make none. */
int row_to_event(struct row *row, const struct rollcall_event **event);

/* Returns SQLite's code, SQLITE_DONE when all is well. */
int row_insert(const struct row *row, sqlite3_stmt *insert, sqlite3_stmt *insert_detail);

/* Gets the columns that a statement stands on, its first being ROW_COLUMN_NAMES; `details` is
 * ROW_SQL_DETAILS. The row points to what the statement holds. Returns SQLite's code. */
int row_read(struct row *row, sqlite3_stmt *statement, sqlite3_stmt *details);

#endif
