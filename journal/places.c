/* SPDX-License-Identifier: MIT */
/* Where the durable consumers of the daemon stand. */
#include "journal/state.h"

#include <stdio.h>

/* Not in every journal: only the daemon has places, and whoever reads the events need not know. */
static const char table_sql[] = "CREATE TABLE IF NOT EXISTS places (name TEXT PRIMARY KEY,"
                                " uid INTEGER NOT NULL, epoch INTEGER NOT NULL,"
                                " seq INTEGER NOT NULL) WITHOUT ROWID";

int journal_load_places(struct journal *journal,
                        int (*each)(const struct journal_place *place, void *context),
                        void *context)
{
    sqlite3_stmt *statement = NULL;
    int rc = SQLITE_DONE;
    int err = journal_run(journal, table_sql);

    if (err == 0)
        err = journal_prepare(journal, "SELECT name, uid, epoch, seq FROM places", &statement);
    while (err == 0 && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
        struct journal_place place = {.uid = (uint32_t)sqlite3_column_int64(statement, 1),
                                      .epoch = (uint64_t)sqlite3_column_int64(statement, 2),
                                      .seq = (uint64_t)sqlite3_column_int64(statement, 3)};
        const unsigned char *name = sqlite3_column_text(statement, 0);

        snprintf(place.name, sizeof(place.name), "%s", name ? (const char *)name : "");
        err = each(&place, context);
    }
    if (err == 0 && rc != SQLITE_DONE)
        err = journal_fail(journal, rc);
    sqlite3_finalize(statement);
    return err;
}

static int run(const struct journal *journal, sqlite3_stmt *statement,
               const struct journal_place *place)
{
    int rc;

    sqlite3_bind_text(statement, 1, place->name, -1, SQLITE_STATIC);
    if (place->epoch) {
        sqlite3_bind_int64(statement, 2, place->uid);
        sqlite3_bind_int64(statement, 3, (sqlite3_int64)place->epoch);
        sqlite3_bind_int64(statement, 4, (sqlite3_int64)place->seq);
    }
    rc = sqlite3_step(statement);
    sqlite3_reset(statement);
    return rc == SQLITE_DONE ? 0 : journal_fail(journal, rc);
}

int journal_store_places(struct journal *journal, const struct journal_place *places, size_t count)
{
    sqlite3_stmt *store = NULL;
    sqlite3_stmt *drop = NULL;
    int err = journal_begin(journal);

    if (err < 0)
        return err;
    err = journal_prepare(journal,
                          "INSERT OR REPLACE INTO places (name, uid, epoch, seq)"
                          " VALUES (?1, ?2, ?3, ?4)",
                          &store);
    if (err == 0)
        err = journal_prepare(journal, "DELETE FROM places WHERE name = ?1", &drop);
    for (size_t i = 0; err == 0 && i < count; i++)
        err = run(journal, places[i].epoch ? store : drop, &places[i]);
    sqlite3_finalize(store);
    sqlite3_finalize(drop);
    return journal_end(journal, err);
}
