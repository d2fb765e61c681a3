/* SPDX-License-Identifier: MIT */
/* Events out of the journal, as they were delivered. */
#include "journal/state.h"
#include "lib/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- what all readers share ---- */

static int give_event(const struct journal *journal, struct row *row, sqlite3_stmt *statement,
                      sqlite3_stmt *details, journal_each *each, void *context)
{
    struct journal_event event = {0};
    int rc = row_read(row, statement, details);
    int err;

    if (rc != SQLITE_OK)
        return journal_fail(journal, rc);
    err = row_to_event(row, &event.event);
    if (err < 0)
        return err;
    event.epoch = row->epoch;
    event.wall_offset_ns = (int64_t)((uint64_t)row->time - event.event->mono_ns);
    return each(&event, context);
}

/* The row is the reader's own: each() may append to the journal. */
int journal_give_events(const struct journal *journal, sqlite3_stmt *statement, journal_each *each,
                        void *context)
{
    sqlite3_stmt *details = NULL;
    struct row row = {0};
    int rc = SQLITE_DONE;
    int err = journal_prepare(journal, ROW_SQL_DETAILS, &details);

    while (err == 0 && (rc = sqlite3_step(statement)) == SQLITE_ROW)
        err = give_event(journal, &row, statement, details, each, context);
    if (err == 0 && rc != SQLITE_DONE)
        err = journal_fail(journal, rc);
    sqlite3_finalize(details);
    row_destroy(&row);
    return err;
}

/* ---- by a filter ---- */

/* Only conditions that are set stand in the statement, so that SQLite can choose the index. */
#define MAX_CONDITIONS 10

struct query {
    sqlite3_str *sql;
    unsigned count;
    struct {
        const char *name;
        int64_t number;
        const char *text; /* NULL: the number counts */
    } values[MAX_CONDITIONS];
};

static void add(struct query *query, const char *condition, const char *name, int64_t number,
                const char *text)
{
    sqlite3_str_appendf(query->sql, "%s %s", query->count ? " AND" : " WHERE", condition);
    query->values[query->count].name = name;
    query->values[query->count].number = number;
    query->values[query->count].text = text;
    query->count++;
}

static void add_conditions(struct query *query, const struct journal_filter *filter)
{
    if (filter->since_ns)
        add(query, "time >= :since", ":since", filter->since_ns, NULL);
    if (filter->until_ns)
        add(query, "time < :until", ":until", filter->until_ns, NULL);
    if (filter->types)
        add(query, "(:types >> type & 1)", ":types", filter->types, NULL);
    if (filter->has_pid)
        add(query, "pid = :pid", ":pid", filter->pid, NULL);
    if (filter->has_ppid)
        add(query, "ppid = :ppid", ":ppid", filter->ppid, NULL);
    if (filter->has_uid)
        add(query, "uid = :uid", ":uid", filter->uid, NULL);
    if (filter->comm)
        add(query, "comm GLOB :comm", ":comm", 0, filter->comm);
    if (filter->exe)
        add(query,
            "(SELECT p.exe FROM events p WHERE p.pid = e.pid AND p.start_ns = e.start_ns"
            " AND p.epoch = e.epoch AND (p.exe IS NOT NULL OR p.type = 2) ORDER BY p.seq DESC "
            "LIMIT 1)"
            " GLOB :exe",
            ":exe", 0, filter->exe);
}

static void bind_values(const struct query *query, sqlite3_stmt *statement)
{
    for (unsigned i = 0; i < query->count; i++) {
        int at = sqlite3_bind_parameter_index(statement, query->values[i].name);

        if (query->values[i].text)
            sqlite3_bind_text(statement, at, query->values[i].text, -1, SQLITE_STATIC);
        else
            sqlite3_bind_int64(statement, at, query->values[i].number);
    }
}

static char *query_sql(struct query *query, const struct journal_filter *filter)
{
    const char *order = filter->last ? " DESC" : "";
    uint64_t limit = filter->limit > INT64_MAX ? INT64_MAX : filter->limit;

    query->sql = sqlite3_str_new(NULL);
    if (filter->last)
        sqlite3_str_appendall(query->sql, "SELECT " ROW_COLUMN_NAMES " FROM (");
    sqlite3_str_appendall(query->sql, "SELECT " ROW_COLUMN_NAMES " FROM events e");
    add_conditions(query, filter);
    sqlite3_str_appendf(query->sql, " ORDER BY epoch%s, seq%s", order, order);
    if (limit > 0)
        sqlite3_str_appendf(query->sql, " LIMIT %lld", (long long)limit);
    if (filter->last)
        sqlite3_str_appendall(query->sql, ") ORDER BY epoch, seq");
    return sqlite3_str_finish(query->sql);
}

int journal_query(struct journal *journal, const struct journal_filter *filter, journal_each *each,
                  void *context)
{
    struct query query = {0};
    sqlite3_stmt *statement = NULL;
    char *sql = query_sql(&query, filter);
    int err = sql ? journal_prepare(journal, sql, &statement) : journal_fail(journal, SQLITE_NOMEM);

    if (err == 0) {
        bind_values(&query, statement);
        err = journal_give_events(journal, statement, each, context);
    }
    sqlite3_finalize(statement);
    sqlite3_free(sql);
    return err;
}

/* ---- who was alive ---- */

/* In the newest epoch that had begun; an epoch ends all its processes for the journal. */
static const char alive_sql[] =
    "SELECT " ROW_COLUMN_NAMES " FROM events e"
    " WHERE epoch = (SELECT epoch FROM events WHERE +time <= ?1"
    "                ORDER BY epoch DESC, seq DESC LIMIT 1)"
    " AND +time <= ?1 AND type IN (1, 2, 4)"
    " AND (type <> 2 OR seq = (SELECT max(x.seq) FROM events x WHERE x.pid = e.pid"
    "      AND x.start_ns = e.start_ns AND x.type = 2 AND x.epoch = e.epoch AND +x.time <= ?1))"
    " AND NOT EXISTS (SELECT 1 FROM events d WHERE d.pid = e.pid AND d.start_ns = e.start_ns"
    "      AND d.type = 3 AND d.epoch = e.epoch AND +d.time <= ?1)"
    " ORDER BY epoch, seq";

int journal_alive(struct journal *journal, int64_t at_ns, journal_each *each, void *context)
{
    sqlite3_stmt *statement = NULL;
    int err = journal_prepare(journal, alive_sql, &statement);

    if (err == 0) {
        sqlite3_bind_int64(statement, 1, at_ns ? at_ns : INT64_MAX);
        err = journal_give_events(journal, statement, each, context);
    }
    sqlite3_finalize(statement);
    return err;
}

/* ---- by number ---- */

static const char read_sql[] =
    "SELECT " ROW_COLUMN_NAMES " FROM events WHERE epoch = ?1 AND seq <= ?3 AND seq >= coalesce("
    " (SELECT CASE WHEN type = 5 AND seq + lost > ?2 THEN seq END FROM events"
    "  WHERE epoch = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT 1), ?2) ORDER BY seq";

int journal_read(struct journal *journal, uint64_t epoch, uint64_t first_seq, uint64_t last_seq,
                 journal_each *each, void *context)
{
    sqlite3_stmt *statement = NULL;
    int err = journal_prepare(journal, read_sql, &statement);

    if (err == 0) {
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)epoch);
        sqlite3_bind_int64(statement, 2, (sqlite3_int64)first_seq);
        sqlite3_bind_int64(statement, 3, (sqlite3_int64)last_seq);
        err = journal_give_events(journal, statement, each, context);
    }
    sqlite3_finalize(statement);
    return err;
}

/* ---- how far it goes ---- */

/* Gets the one number that the statement finds about an epoch. */
static int number_of_epoch(struct journal *journal, const char *sql, uint64_t epoch,
                           uint64_t *value)
{
    sqlite3_stmt *statement = NULL;
    int rc;
    int err = journal_prepare(journal, sql, &statement);

    if (err < 0)
        return err;
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)epoch);
    rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        *value = (uint64_t)sqlite3_column_int64(statement, 0);
    else
        err = journal_fail(journal, rc);
    sqlite3_finalize(statement);
    return err;
}

int journal_begin_seq(struct journal *journal, uint64_t epoch, uint64_t *seq)
{
    return number_of_epoch(journal,
                           "SELECT coalesce((SELECT seq FROM pruned WHERE epoch = ?1),"
                           " (SELECT min(seq) - 1 FROM events WHERE epoch = ?1), 0)",
                           epoch, seq);
}

int journal_next_epoch(struct journal *journal, uint64_t epoch, uint64_t *next)
{
    return number_of_epoch(journal,
                           "SELECT coalesce((SELECT min(epoch) FROM events WHERE epoch > ?1), 0)",
                           epoch, next);
}

/* Of a gap the last missing number; what was removed had been stored. */
static const char last_sql[] =
    "SELECT max(coalesce((SELECT seq + max(coalesce(lost, 1), 1) - 1 FROM events"
    "                     WHERE epoch = ?1 ORDER BY seq DESC LIMIT 1), 0),"
    "           coalesce((SELECT seq FROM pruned WHERE epoch = ?1), 0))";

int journal_last_seq(struct journal *journal, uint64_t epoch, uint64_t *seq)
{
    return number_of_epoch(journal, last_sql, epoch, seq);
}

/* What retention has removed was there too. */
static const char newest_sql[] =
    "SELECT epoch, seq, time FROM"
    " (SELECT epoch, seq, time FROM events ORDER BY epoch DESC, seq DESC LIMIT 1)"
    " UNION ALL SELECT epoch, seq, time FROM pruned ORDER BY 1 DESC, 2 DESC LIMIT 1";

int journal_newest(struct journal *journal, uint64_t *epoch, int64_t *time_ns)
{
    sqlite3_stmt *statement = NULL;
    int err = journal_prepare(journal, newest_sql, &statement);
    int rc;

    if (err < 0)
        return err;
    rc = sqlite3_step(statement);
    *epoch = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    *time_ns = rc == SQLITE_ROW ? sqlite3_column_int64(statement, 2) : 0;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = journal_fail(journal, rc);
    sqlite3_finalize(statement);
    return err;
}
