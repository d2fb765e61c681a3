/* SPDX-License-Identifier: MIT */
/* Who is alive at the end of the journal. The table is kept by triggers, in the transaction of the
 * events themselves, so that it always tells of exactly those that are stored. */
#include "journal/state.h"

/* Boots end all processes. Nobody asks for those of older epochs, so if it cannot be done now it is
 * done when the journal is opened the next time. */
void journal_forget_dead(const struct journal *journal)
{
    int64_t dead = 0;

    if (journal_number(journal,
                       "SELECT count(*) FROM living WHERE epoch < (SELECT max(epoch) FROM events)",
                       &dead) == 0 &&
        dead > 0)
        journal_run(journal, "DELETE FROM living WHERE epoch < (SELECT max(epoch) FROM events)");
}

static int give_numbers(const struct journal *journal, sqlite3_stmt *statement,
                        int (*each)(uint64_t seq, void *context), void *context)
{
    int rc;
    int err = 0;

    while ((rc = sqlite3_step(statement)) == SQLITE_ROW && err == 0)
        err = each((uint64_t)sqlite3_column_int64(statement, 0), context);
    return err == 0 && rc != SQLITE_DONE ? journal_fail(journal, rc) : err;
}

int journal_living(struct journal *journal, uint64_t epoch, uint64_t *last_seq,
                   int (*each)(uint64_t seq, void *context), void *context)
{
    sqlite3_stmt *statement = NULL;
    /* Both are read as of one moment. */
    int err = journal_run(journal, "BEGIN");

    if (err < 0)
        return err;
    err = journal_last_seq(journal, epoch, last_seq);
    if (err == 0)
        err = journal_prepare(journal, "SELECT seq FROM living WHERE epoch = ?1 ORDER BY seq",
                              &statement);
    if (err == 0) {
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)epoch);
        err = give_numbers(journal, statement, each, context);
    }
    sqlite3_finalize(statement);
    return journal_end(journal, err);
}

/* Its last exec up to ?3, else what announced it. */
static const char known_sql[] =
    "SELECT " ROW_COLUMN_NAMES " FROM events WHERE epoch = ?1 AND seq = coalesce("
    " (SELECT max(x.seq) FROM events a JOIN events x ON x.pid = a.pid AND x.start_ns = a.start_ns"
    "   AND x.type = 2 AND x.epoch = a.epoch AND x.seq <= ?3 WHERE a.epoch = ?1 AND a.seq = ?2),"
    " ?2)";

int journal_known(struct journal *journal, uint64_t epoch, uint64_t seq, uint64_t last_seq,
                  journal_each *each, void *context)
{
    sqlite3_stmt *statement = NULL;
    int err = journal_prepare(journal, known_sql, &statement);

    if (err == 0) {
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)epoch);
        sqlite3_bind_int64(statement, 2, (sqlite3_int64)seq);
        sqlite3_bind_int64(statement, 3, (sqlite3_int64)last_seq);
        err = journal_give_events(journal, statement, each, context);
    }
    sqlite3_finalize(statement);
    return err;
}
