/* SPDX-License-Identifier: MIT */
/*
 * Retention: from the oldest event on, a piece at a time. What is known of living processes stays
 * behind the place where it has come to (table `pruned`), and goes when their end is removed.
 */
#include "journal/state.h"
#include "journal/uptime.h"
#include "lib/error.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define PIECE_EVENTS 2000
#define PIECE_PAGES  "500"

/* Some events, after `from` up to and including `to`. */
struct piece {
    int64_t newest; /* epoch; only its processes can be alive */
    int64_t from_epoch, from_seq;
    int64_t to_epoch, to_seq;
    int64_t time; /* of the last one */
    int64_t removed;
    bool more; /* events follow it that are due as well */
};

/* What is removed: what is older than this. */
struct limit {
    int64_t mono_ns; /* of any epoch */
    int64_t time;    /* or, of an epoch that has ended, this */
};

/* Processes of older epochs have ended with it: there everything goes, from the beginning. */
static const char start_sql[] =
    "SELECT n.newest, CASE WHEN p.epoch = n.newest THEN p.epoch ELSE -1 END,"
    " CASE WHEN p.epoch = n.newest THEN p.seq ELSE 0 END"
    " FROM (SELECT max(epoch) AS newest FROM events) n LEFT JOIN pruned p"
    " WHERE n.newest IS NOT NULL";

static const char piece_sql[] =
    "SELECT epoch, seq + max(coalesce(lost, 1), 1) - 1, time, mono_ns FROM events"
    " WHERE (epoch, seq) > (:from_epoch, :from_seq) ORDER BY epoch, seq";

/* Of a process that has ended what was left of it before, and execs that are not its last. */
static const char remove_left_sql[] =
    "DELETE FROM events WHERE (epoch, seq) IN"
    " (SELECT l.epoch, l.seq FROM events p CROSS JOIN events l ON l.pid = p.pid"
    "   AND l.start_ns = p.start_ns AND l.epoch = p.epoch AND l.seq < p.seq"
    "  WHERE (p.epoch, p.seq) > (:from_epoch, :from_seq)"
    "   AND (p.epoch, p.seq) <= (:to_epoch, :to_seq)"
    "   AND p.epoch = :newest AND (p.type = 3 OR (p.type = 2 AND l.type = 2)))";

static const char remove_sql[] =
    "DELETE FROM events WHERE (epoch, seq) > (:from_epoch, :from_seq)"
    " AND (epoch, seq) <= (:to_epoch, :to_seq)"
    " AND NOT (epoch = :newest AND type IN (1, 2, 4)"
    "  AND NOT EXISTS (SELECT 1 FROM events d WHERE d.pid = events.pid"
    "   AND d.start_ns = events.start_ns AND d.type = 3 AND d.epoch = events.epoch)"
    "  AND NOT (type = 2 AND EXISTS (SELECT 1 FROM events x WHERE x.pid = events.pid"
    "   AND x.start_ns = events.start_ns AND x.type = 2 AND x.epoch = events.epoch"
    "   AND x.seq > events.seq)))";

/* The table has one row for good. */
static const char note_sql[] =
    "INSERT INTO pruned (id, epoch, seq, time, events)"
    " VALUES (1, :to_epoch, :to_seq, :time, :removed)"
    " ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq,"
    " time = excluded.time, events = events + excluded.events";

static void bind(const struct piece *piece, sqlite3_stmt *statement)
{
    const struct {
        const char *name;
        int64_t value;
    } values[] = {
        {":newest", piece->newest},     {":from_epoch", piece->from_epoch},
        {":from_seq", piece->from_seq}, {":to_epoch", piece->to_epoch},
        {":to_seq", piece->to_seq},     {":time", piece->time},
        {":removed", piece->removed},
    };

    for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        int at = sqlite3_bind_parameter_index(statement, values[i].name);

        if (at > 0)
            sqlite3_bind_int64(statement, at, values[i].value);
    }
}

/* *found: whether there are events at all. */
static int find_start(const struct journal *journal, struct piece *piece, bool *found)
{
    sqlite3_stmt *statement = NULL;
    int err = journal_prepare(journal, start_sql, &statement);
    int rc;

    if (err < 0)
        return err;
    rc = sqlite3_step(statement);
    *found = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW) {
        piece->newest = sqlite3_column_int64(statement, 0);
        piece->from_epoch = sqlite3_column_int64(statement, 1);
        piece->from_seq = sqlite3_column_int64(statement, 2);
    } else if (rc != SQLITE_DONE) {
        err = journal_fail(journal, rc);
    }
    sqlite3_finalize(statement);
    return err;
}

/*
 * The clock of events cannot be set, so those of the newest epoch are as old as it says. It has gone on
 * since, and began anew with each boot: an event of an older epoch is that old at least. If that
 * is not enough, the time of day is all there is to know its age by.
 */
static bool is_due(const struct piece *piece, const struct limit *limit, sqlite3_stmt *event)
{
    return sqlite3_column_int64(event, 3) < limit->mono_ns ||
           (sqlite3_column_int64(event, 0) != piece->newest &&
            sqlite3_column_int64(event, 2) < limit->time);
}

/* The longest piece whose events are all due. *found: whether it has any. */
static int find_end(const struct journal *journal, struct piece *piece, const struct limit *limit,
                    bool *found)
{
    sqlite3_stmt *statement = NULL;
    int err = journal_prepare(journal, piece_sql, &statement);
    int count = 0;
    int rc;

    if (err < 0)
        return err;
    bind(piece, statement);
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        piece->more = is_due(piece, limit, statement);
        if (!piece->more || count == PIECE_EVENTS)
            break;
        piece->to_epoch = sqlite3_column_int64(statement, 0);
        piece->to_seq = sqlite3_column_int64(statement, 1);
        piece->time = sqlite3_column_int64(statement, 2);
        count++;
    }
    piece->more &= rc == SQLITE_ROW;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = journal_fail(journal, rc);
    sqlite3_finalize(statement);
    *found = count > 0;
    return err;
}

static int change(const struct journal *journal, struct piece *piece, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int err = journal_prepare(journal, sql, &statement);
    int rc;

    if (err < 0)
        return err;
    bind(piece, statement);
    rc = sqlite3_step(statement);
    if (rc != SQLITE_DONE)
        err = journal_fail(journal, rc);
    piece->removed += sqlite3_changes(journal->db);
    sqlite3_finalize(statement);
    return err;
}

static int remove_piece(const struct journal *journal, struct piece *piece)
{
    int err = journal_begin(journal);

    if (err < 0)
        return err;
    err = change(journal, piece, remove_left_sql);
    if (err == 0)
        err = change(journal, piece, remove_sql);
    if (err == 0)
        err = change(journal, piece, note_sql);
    return journal_end(journal, err);
}

/* *removed: whether a piece was there. Returns 1 if another is due, else 0. */
static int remove_before(const struct journal *journal, const struct limit *limit, bool *removed)
{
    struct piece piece = {0};
    int err = find_start(journal, &piece, removed);

    if (err == 0 && *removed)
        err = find_end(journal, &piece, limit, removed);
    if (err == 0 && *removed)
        err = remove_piece(journal, &piece);
    return err < 0 ? err : piece.more;
}

static int remove_old(const struct journal *journal)
{
    uint64_t keep = journal->opts.keep_seconds;
    struct limit limit = {0};
    struct timespec now;
    bool removed;

    clock_gettime(CLOCK_REALTIME, &now);
    if (keep == 0 || keep > (uint64_t)now.tv_sec)
        return 0;
    limit.mono_ns = (int64_t)uptime_ns() - (int64_t)keep * 1000000000;
    limit.time = (now.tv_sec - (int64_t)keep) * 1000000000 + now.tv_nsec;
    return remove_before(journal, &limit, &removed);
}

/* ---- by size ---- */

struct pages {
    int64_t size;
    int64_t all;
    int64_t unused;
};

static int count_pages(const struct journal *journal, struct pages *pages)
{
    int err = journal_number(journal, "PRAGMA page_size", &pages->size);

    if (err == 0)
        err = journal_number(journal, "PRAGMA page_count", &pages->all);
    if (err == 0)
        err = journal_number(journal, "PRAGMA freelist_count", &pages->unused);
    return err;
}

/* What the tables may take, so that there is room for the WAL at its largest. */
static int64_t room(const struct journal *journal)
{
    uint64_t wal = 2 * journal_wal_limit(&journal->opts);
    uint64_t keep = journal->opts.keep_bytes;

    if (keep > INT64_MAX)
        return INT64_MAX;
    return (int64_t)(keep > 2 * wal ? keep - wal : keep / 2);
}

/* Writes the WAL back and empties it. A reader that is in the way is not waited for. */
static void empty_wal(const struct journal *journal)
{
    sqlite3_busy_timeout(journal->db, 0);
    sqlite3_wal_checkpoint_v2(journal->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(journal->db, JOURNAL_BUSY_MS);
}

/* Gives free pages back to the file system. */
static int shrink(const struct journal *journal)
{
    int err = journal_run(journal, "PRAGMA incremental_vacuum(" PIECE_PAGES ")");

    if (err == 0)
        empty_wal(journal);
    return err;
}

static int remove_too_much(const struct journal *journal)
{
    const struct limit all = {.mono_ns = INT64_MAX};
    struct pages pages = {0};
    bool removed = false;
    int err = count_pages(journal, &pages);

    /* A little below, so that what comes next finds free pages, and the file need not shrink. */
    if (err == 0 && (pages.all - pages.unused) * pages.size > room(journal) / 16 * 15)
        err = remove_before(journal, &all, &removed);
    if (err >= 0)
        err = count_pages(journal, &pages);
    if (err < 0 || pages.all * pages.size <= room(journal))
        return err;
    if (pages.unused > 0)
        err = shrink(journal);
    return err < 0 ? err : removed || pages.unused > 0;
}

/* A reader may have kept the WAL from being written back for a long time. */
static int cut_wal(struct journal *journal)
{
    uint64_t bytes = 0;
    int err = journal_size(journal, &bytes);

    if (err == 0 && bytes > journal->opts.keep_bytes)
        empty_wal(journal);
    return err;
}

int journal_retain(struct journal *journal)
{
    int old;
    int large;

    if (journal->opts.read_only)
        return rollcall_fail(-EROFS, "the journal '%s' was opened for reading only", journal->path);
    old = remove_old(journal);
    if (old < 0 || journal->opts.keep_bytes == 0)
        return old;
    large = remove_too_much(journal);
    if (large == 0)
        large = cut_wal(journal);
    return large < 0 ? large : old || large;
}
