/* SPDX-License-Identifier: MIT */
/* An open journal, and what its parts share. */
#ifndef JOURNAL_STATE_H
#define JOURNAL_STATE_H

#include "journal/journal.h"
#include "journal/row.h"

#include <sqlite3.h>

#define JOURNAL_ID               0x726f6c6c /* application_id: "roll" */
#define JOURNAL_VERSION          3          /* user_version: of the schema */
#define JOURNAL_VERSION_READABLE 2 /* the oldest one that can be read, and made into the newest */

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
extern const char journal_schema_living[]; /* what version 3 has more */

/* Turns SQLite's code into the negative errno value and the text for rollcall_error(). */
int journal_fail(const struct journal *journal, int rc);

/* The same of an error of the system with the file or its directory. */
int journal_file_failed(const char *path, int error);

int journal_prepare(const struct journal *journal, const char *sql, sqlite3_stmt **statement);

/* Runs statements that give nothing back. */
int journal_run(const struct journal *journal, const char *sql);

/* Gets the first column of the first row; *value stays if there is none. */
int journal_number(const struct journal *journal, const char *sql, int64_t *value);

/* Gives each event on which the statement stands, whose first columns are ROW_COLUMN_NAMES, until one
 * returns something other than 0. */
int journal_give_events(const struct journal *journal, sqlite3_stmt *statement, journal_each *each,
                        void *context);

/* Removes from `living` what is not of the newest epoch, if that can be done. */
void journal_forget_dead(const struct journal *journal);

/* Bytes that the WAL is cut back to. */
uint64_t journal_wal_limit(const struct journal_options *opts);

/* A transaction that writes. journal_end() commits it if `err` is not negative, else takes it
 * back, and returns `err` or why it could not be committed. */
int journal_begin(const struct journal *journal);
int journal_end(const struct journal *journal, int err);

#endif
