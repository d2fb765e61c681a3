/* SPDX-License-Identifier: MIT */
/* Opening and closing. */
#include "journal/journal.h"

#include "journal/file.h"
#include "journal/lock.h"
#include "journal/state.h"
#include "lib/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_SIZE 4096
#define CACHE_KIB 16384
#define WAL_MAX   (16u << 20)
#define WAL_MIN   (256u << 10)

#define TEXT_OF(macro)  TEXT_OF_(macro)
#define TEXT_OF_(value) #value

/* *version: 0 if the database has nothing in it yet. */
static int check_version(const struct journal *journal, int64_t *version)
{
    int64_t id = 0;
    int64_t tables = 0;
    int err = journal_number(journal, "PRAGMA application_id", &id);

    if (err == 0)
        err = journal_number(journal, "PRAGMA user_version", version);
    if (err == 0)
        err = journal_number(journal, "SELECT count(*) FROM sqlite_schema", &tables);
    if (err < 0)
        return err;
    if (id == 0 && *version == 0 && tables == 0 && !journal->opts.read_only)
        return 0;
    if (id != JOURNAL_ID)
        return journal_fail(journal, SQLITE_NOTADB);
    if (*version < JOURNAL_VERSION_READABLE || *version > JOURNAL_VERSION)
        return rollcall_fail(-EPROTO,
                             "the journal '%s' has version %lld, and this rollcall knows version "
                             "%d: use the rollcall that wrote it, or a newer one",
                             journal->path, (long long)*version, JOURNAL_VERSION);
    return 0;
}

/* Makes the tables that a journal of this version lacks, 0: all. The new version is written with them, so
 * that half a journal is never taken for one. */
static int make_tables(const struct journal *journal, int64_t version)
{
    char pragmas[128];
    int err = journal_begin(journal);

    if (err < 0)
        return err;
    if (version == 0)
        err = journal_run(journal, journal_schema);
    if (err == 0)
        err = journal_run(journal, journal_schema_living);
    if (err == 0) {
        sqlite3_snprintf(sizeof(pragmas), pragmas,
                         "PRAGMA application_id = %d; PRAGMA user_version = %d", JOURNAL_ID,
                         JOURNAL_VERSION);
        err = journal_run(journal, pragmas);
    }
    return journal_end(journal, err);
}

/* A journal that must stay small gets a small WAL. */
uint64_t journal_wal_limit(const struct journal_options *opts)
{
    uint64_t limit = WAL_MAX;

    if (opts->keep_bytes > 0 && opts->keep_bytes / 8 < limit)
        limit = opts->keep_bytes / 8;
    return limit < WAL_MIN ? WAL_MIN : limit;
}

static int limit_wal(const struct journal *journal)
{
    uint64_t limit = journal_wal_limit(&journal->opts);
    char pragma[64];

    sqlite3_wal_autocheckpoint(journal->db, (int)(limit / PAGE_SIZE / 2));
    sqlite3_snprintf(sizeof(pragma), pragma, "PRAGMA journal_size_limit = %lld", (long long)limit);
    return journal_run(journal, pragma);
}

int journal_keep(struct journal *journal, uint64_t bytes, uint64_t seconds)
{
    journal->opts.keep_bytes = bytes;
    journal->opts.keep_seconds = seconds;
    return limit_wal(journal);
}

static int prepare_writer(struct journal *journal, int64_t version)
{
    /* The size of pages and the vacuum only take effect before the first table. */
    static const char settings[] = "PRAGMA page_size = " TEXT_OF(
        PAGE_SIZE) "; PRAGMA auto_vacuum = INCREMENTAL;"
                   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                   "PRAGMA secure_delete = OFF;"
                   "PRAGMA cache_size = -" TEXT_OF(CACHE_KIB);
    int persist = 1;
    int err = journal_run(journal, settings);

    /* With the WAL in place, whoever may only read the directory can still read the journal. */
    sqlite3_file_control(journal->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
    if (err == 0)
        err = limit_wal(journal);
    if (err == 0 && version < JOURNAL_VERSION)
        err = make_tables(journal, version);
    if (err == 0)
        journal_forget_dead(journal);
    if (err == 0)
        err = journal_prepare(journal, ROW_SQL_INSERT, &journal->insert);
    if (err == 0)
        err = journal_prepare(journal, ROW_SQL_INSERT_DETAIL, &journal->insert_detail);
    return err;
}

static uint64_t size_of(const struct journal *journal, const char *suffix)
{
    char *name = NULL;
    uint64_t size;

    if (asprintf(&name, "%s%s", journal->path, suffix) < 0)
        return 0;
    size = file_size(name);
    free(name);
    return size;
}

static int connect_by(struct journal *journal, const char *name, int flags)
{
    int rc = sqlite3_open_v2(name, &journal->db, flags | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc != SQLITE_OK)
        return journal_fail(journal, rc);
    sqlite3_extended_result_codes(journal->db, 1);
    sqlite3_busy_timeout(journal->db, JOURNAL_BUSY_MS);
    return 0;
}

/* The name as a URI, with all escaped that could mean something in one. NULL: no memory. */
static char *immutable_uri(const char *path)
{
    sqlite3_str *uri = sqlite3_str_new(NULL);

    sqlite3_str_appendall(uri, "file:");
    for (const unsigned char *c = (const unsigned char *)path; *c; c++) {
        if (*c == '%' || *c == '?' || *c == '#')
            sqlite3_str_appendf(uri, "%%%02x", *c);
        else
            sqlite3_str_appendchar(uri, 1, (char)*c);
    }
    sqlite3_str_appendall(uri, "?immutable=1");
    return sqlite3_str_finish(uri);
}

/* SQLite wants to make the files beside the journal even for reading. Where that is not possible
 * and there is no WAL, as on a read-only file system, the journal is read as it stands. */
static int reopen_as_it_stands(struct journal *journal, int64_t *version)
{
    char *uri = immutable_uri(journal->path);
    int err;

    if (!uri)
        return journal_fail(journal, SQLITE_NOMEM);
    sqlite3_close(journal->db);
    err = connect_by(journal, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
    sqlite3_free(uri);
    return err < 0 ? err : check_version(journal, version);
}

static bool stands_alone(const struct journal *journal)
{
    return (sqlite3_errcode(journal->db) & 0xff) == SQLITE_CANTOPEN &&
           size_of(journal, "-wal") == 0;
}

static int open_database(struct journal *journal)
{
    bool reading = journal->opts.read_only;
    int64_t version = 0;
    int err =
        connect_by(journal, journal->path, reading ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);

    if (err < 0)
        return err;
    err = check_version(journal, &version);
    if (err < 0 && reading && stands_alone(journal))
        err = reopen_as_it_stands(journal, &version);
    if (err < 0 || reading)
        return err;
    /* Only now it is sure that the file is ours, so that nothing is left beside other people's;
     * somebody may have made the tables meanwhile. */
    err = lock_take(journal->path, &journal->lock);
    /* Who had the lock may have removed what is open here: see journal_discard(). */
    if (err == 0 && (err = file_usable(journal->path, true)) < 0)
        journal_file_failed(journal->path, err);
    if (err == 0)
        err = check_version(journal, &version);
    return err < 0 ? err : prepare_writer(journal, version);
}

/* ---- the file ---- */

/* By whatever name it is opened, the journal's lock and WAL are beside the file itself. */
static int find_file(struct journal *journal, const char *path)
{
    bool reading = journal->opts.read_only;
    int err = reading ? 0 : file_make(path, &journal->made);

    if (err == 0)
        err = file_find(path, &journal->path);
    if (err == 0)
        err = file_usable(journal->path, !reading);
    return err < 0 ? journal_file_failed(path, err) : 0;
}

int journal_open(const char *path, const struct journal_options *opts, struct journal **out)
{
    struct journal *journal = calloc(1, sizeof(*journal));
    int err;

    if (!journal)
        return rollcall_fail(-ENOMEM, "no memory to open the journal '%s'", path);
    if (opts)
        journal->opts = *opts;
    journal->lock = LOCK_NONE;
    err = find_file(journal, path);
    if (err == 0)
        err = open_database(journal);
    if (err < 0) {
        journal_discard(journal);
        return err;
    }
    *out = journal;
    return 0;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    sqlite3_finalize(journal->insert);
    sqlite3_finalize(journal->insert_detail);
    sqlite3_close(journal->db);
    lock_release(journal->lock);
    row_destroy(&journal->row);
    free(journal->path);
    free(journal);
}

/* Last the lock: whoever gets a new one finds the journal gone. */
static void remove_files(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        char *name = NULL;

        if (asprintf(&name, "%s%s", path, suffixes[i]) < 0)
            return;
        file_remove(name);
        free(name);
    }
}

void journal_discard(struct journal *journal)
{
    if (!journal)
        return;
    /* Without the lock it may be another writer's by now. */
    if (journal->made && journal->lock != LOCK_NONE) {
        sqlite3_finalize(journal->insert);
        sqlite3_finalize(journal->insert_detail);
        journal->insert = NULL;
        journal->insert_detail = NULL;
        sqlite3_close(journal->db);
        journal->db = NULL;
        remove_files(journal->path);
    }
    journal_close(journal);
}

int journal_size(struct journal *journal, uint64_t *bytes)
{
    *bytes = size_of(journal, "") + size_of(journal, "-wal") + size_of(journal, "-shm");
    return *bytes > 0 ? 0 : journal_file_failed(journal->path, -ENOENT);
}
