/* SPDX-License-Identifier: MIT */
/* An open journal, and what its parts share. */
#ifndef JOURNAL_STATE_H
#define JOURNAL_STATE_H

#include "journal/journal.h"
#include "journal/row.h"

#include <sqlite3.h>

#define JOURNAL_ID      0x726f6c6c /* application_id: "roll" */
#define JOURNAL_VERSION 2          /* user_version: of the schema */

#define JOURNAL_BUSY_MS 1000 /* how long another program's lock is waited for */

struct journal {
    sqlite3 *db;
    char *path;
    struct journal_options opts;
    bool made;     /* the file was not there before */
    intptr_t lock; /* the writer's, LOCK_NONE: a reader */
    sqlite3_stmt *insert, *insert_detail;
    struct row row; /* its buffers are used again and again */
};

extern const char journal_schema[];

/* Turns SQLite's code into the negative errno value and the text for rollcall_error(). */
int journal_fail(const struct journal *journal, int rc);

/* The same of an error of the system with the file or its directory. */
int journal_file_failed(const char *path, int error);

int journal_prepare(const struct journal *journal, const char *sql, sqlite3_stmt **statement);

/* Runs statements that give nothing back. */
int journal_run(const struct journal *journal, const char *sql);

/* Gets the first column of the first row; *value stays if there is none. */
int journal_number(const struct journal *journal, const char *sql, int64_t *value);

/* Bytes that the WAL is cut back to. */
uint64_t journal_wal_limit(const struct journal_options *opts);

/* A transaction that writes. journal_end() commits it if `err` is not negative, else takes it
 * back, and returns `err` or why it could not be committed. */
int journal_begin(const struct journal *journal);
int journal_end(const struct journal *journal, int err);

#endif
