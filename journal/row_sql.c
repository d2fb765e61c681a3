/* SPDX-License-Identifier: MIT */
/* Rows to and from SQLite's statements. */
#include "journal/row.h"

#include "lib/error.h"

#include <errno.h>
#include <string.h>

#define RECORD ROW_STRINGS /* beyond the texts: the whole event */

/* Names of the details; the texts' are those of their columns. */
static const char *const detail_names[ROW_STRINGS + 1] = {"comm",    "exe",  "args",  "cwd",
                                                          "command", "user", "record"};

/* The columns of texts stand in the order in which the strings stand in a record. */
static const unsigned column_texts[ROW_STRINGS] = {
    0, ROLLCALL_EXE, ROLLCALL_CWD, ROLLCALL_ARGS, ROLLCALL_COMMAND, ROLLCALL_USER};

static const struct row_text *detail(const struct row *row, unsigned i)
{
    return i == RECORD ? &row->record : &row->texts[i];
}

/* ---- writing ---- */

static int step(sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement);

    sqlite3_reset(statement);
    return rc;
}

static void bind_text(sqlite3_stmt *insert, int at, const struct row_text *text)
{
    if (text->text)
        sqlite3_bind_text64(insert, at, text->text, text->size, SQLITE_STATIC, SQLITE_UTF8);
    else
        sqlite3_bind_null(insert, at);
}

static void bind_numbers(const struct row *row, sqlite3_stmt *insert)
{
    sqlite3_bind_int64(insert, ROW_EPOCH + 1, (sqlite3_int64)row->epoch);
    sqlite3_bind_int64(insert, ROW_SEQ + 1, (sqlite3_int64)row->base.seq);
    sqlite3_bind_int64(insert, ROW_TYPE + 1, row->base.type);
    sqlite3_bind_int64(insert, ROW_TIME + 1, row->time);
    sqlite3_bind_int64(insert, ROW_MONO_NS + 1, (sqlite3_int64)row->base.mono_ns);
    for (int i = 0; i < ROW_TEXTS - ROW_NUMBERS; i++) {
        if (row->there & 1u << i)
            sqlite3_bind_int64(insert, ROW_NUMBERS + i + 1, row_number(row, (unsigned)i));
        else
            sqlite3_bind_null(insert, ROW_NUMBERS + i + 1);
    }
}

static int insert_details(const struct row *row, sqlite3_stmt *insert)
{
    int rc = SQLITE_DONE;

    for (unsigned i = 0; i <= RECORD && rc == SQLITE_DONE; i++) {
        const struct row_text *text = detail(row, i);

        if (!text->detailed)
            continue;
        sqlite3_bind_int64(insert, 1, (sqlite3_int64)row->epoch);
        sqlite3_bind_int64(insert, 2, (sqlite3_int64)row->base.seq);
        sqlite3_bind_text(insert, 3, detail_names[i], -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 4, text->flags);
        sqlite3_bind_int64(insert, 5, (sqlite3_int64)text->full_size);
        if (text->raw)
            sqlite3_bind_blob64(insert, 6, text->raw, text->raw_size, SQLITE_STATIC);
        else
            sqlite3_bind_null(insert, 6);
        rc = step(insert);
    }
    return rc;
}

int row_insert(const struct row *row, sqlite3_stmt *insert, sqlite3_stmt *insert_detail)
{
    int details = 0;
    int rc;

    for (unsigned i = 0; i <= RECORD; i++)
        details += detail(row, i)->detailed;
    bind_numbers(row, insert);
    for (int i = 0; i < ROW_STRINGS; i++)
        bind_text(insert, ROW_TEXTS + i + 1, &row->texts[column_texts[i]]);
    if (details > 0)
        sqlite3_bind_int(insert, ROW_DETAILS + 1, details);
    else
        sqlite3_bind_null(insert, ROW_DETAILS + 1);
    rc = step(insert);
    return rc == SQLITE_DONE && details > 0 ? insert_details(row, insert_detail) : rc;
}

/* ---- reading ---- */

static void read_numbers(struct row *row, sqlite3_stmt *statement)
{
    row->epoch = (uint64_t)sqlite3_column_int64(statement, ROW_EPOCH);
    row->base.seq = (uint64_t)sqlite3_column_int64(statement, ROW_SEQ);
    row->base.type = (uint16_t)sqlite3_column_int64(statement, ROW_TYPE);
    row->time = sqlite3_column_int64(statement, ROW_TIME);
    row->base.mono_ns = (uint64_t)sqlite3_column_int64(statement, ROW_MONO_NS);
    row->there = 0;
    for (int i = 0; i < ROW_TEXTS - ROW_NUMBERS; i++)
        if (sqlite3_column_type(statement, ROW_NUMBERS + i) != SQLITE_NULL)
            row_set_number(row, (unsigned)i, sqlite3_column_int64(statement, ROW_NUMBERS + i));
}

static void read_text(struct row_text *text, sqlite3_stmt *statement, int column)
{
    text->text = (const char *)sqlite3_column_text(statement, column);
    text->size = (size_t)sqlite3_column_bytes(statement, column);
}

/* The next step of the statement takes its bytes away, so they are kept. */
static int read_detail(struct row_text *text, sqlite3_stmt *details)
{
    size_t size = (size_t)sqlite3_column_bytes(details, 3);
    const void *raw = sqlite3_column_blob(details, 3);

    text->detailed = true;
    text->flags = (uint32_t)sqlite3_column_int64(details, 1);
    text->full_size = (uint64_t)sqlite3_column_int64(details, 2);
    if (sqlite3_column_type(details, 3) == SQLITE_NULL)
        return SQLITE_OK;
    if (row_reserve(&text->kept, size + 1) < 0)
        return SQLITE_NOMEM;
    if (size > 0)
        memcpy(text->kept.data, raw, size);
    text->raw = text->kept.data;
    text->raw_size = size;
    return SQLITE_OK;
}

static int read_named_detail(struct row *row, sqlite3_stmt *details)
{
    const char *name = (const char *)sqlite3_column_text(details, 0);

    if (!name)
        return SQLITE_CORRUPT;
    for (unsigned i = 0; i < ROW_STRINGS; i++)
        if (strcmp(name, detail_names[i]) == 0)
            return read_detail(&row->texts[i], details);
    return strcmp(name, detail_names[RECORD]) == 0 ? read_detail(&row->record, details)
                                                   : SQLITE_CORRUPT;
}

static int read_details(struct row *row, sqlite3_stmt *details)
{
    int rc;

    sqlite3_bind_int64(details, 1, (sqlite3_int64)row->epoch);
    sqlite3_bind_int64(details, 2, (sqlite3_int64)row->base.seq);
    while ((rc = sqlite3_step(details)) == SQLITE_ROW) {
        rc = read_named_detail(row, details);
        if (rc != SQLITE_OK)
            break;
    }
    sqlite3_reset(details);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int row_read(struct row *row, sqlite3_stmt *statement, sqlite3_stmt *details)
{
    row_clear(row);
    read_numbers(row, statement);
    for (int i = 0; i < ROW_STRINGS; i++)
        read_text(&row->texts[column_texts[i]], statement, ROW_TEXTS + i);
    if (sqlite3_column_type(statement, ROW_DETAILS) == SQLITE_NULL)
        return SQLITE_OK;
    return read_details(row, details);
}
