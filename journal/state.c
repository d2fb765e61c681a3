/* SPDX-License-Identifier: MIT */
#include "journal/state.h"

#include "journal/file.h"
#include "lib/error.h"

#include <errno.h>
#include <string.h>

/* ---- errors ---- */

int journal_file_failed(const char *path, int error)
{
    switch (error) {
    case -ENOENT:
        return rollcall_fail(error, "there is no '%s': check the name, and make the directory",
                             path);
    case -EACCES:
    case -EPERM:
        return rollcall_fail(-EACCES,
                             "'%s' may not be opened by this user: change the rights of the file "
                             "and its directory, or use another user",
                             path);
    case -EROFS:
        return rollcall_fail(error, "'%s' is on a read-only file system: name another place", path);
    case -ENOSPC:
    case -EDQUOT:
        return rollcall_fail(-ENOSPC,
                             "no space for the journal '%s': free some on its file system, or let "
                             "the journal keep less",
                             path);
    case -EISDIR:
        return rollcall_fail(-EACCES, "'%s' is a directory: name a file", path);
    default:
        return rollcall_fail(error, "'%s' cannot be used: %s", path, strerror(-error));
    }
}

static int damaged(const struct journal *journal)
{
    return rollcall_fail(-EBADMSG,
                         "the journal '%s' is damaged (%s): move it away together with its -wal "
                         "file and begin a new one; `sqlite3 FILE .recover` saves what is readable",
                         journal->path, sqlite3_errmsg(journal->db));
}

static int locked(const struct journal *journal)
{
    return rollcall_fail(-EBUSY,
                         "the journal '%s' is locked by another program: end the transaction that "
                         "it has open",
                         journal->path);
}

/* What the system said, for SQLite's codes that say no more than that it failed. */
static int system_error(const struct journal *journal, int error)
{
    int cause = file_error(sqlite3_system_errno(journal->db));

    return journal_file_failed(journal->path, cause > 0 ? -cause : error);
}

static int io_failed(const struct journal *journal, int rc)
{
    int cause = file_error(sqlite3_system_errno(journal->db));

    if (rc == SQLITE_IOERR_NOMEM)
        return rollcall_fail(-ENOMEM, "no memory for the journal '%s'", journal->path);
    if (rc == SQLITE_IOERR_CORRUPTFS || rc == SQLITE_IOERR_DATA)
        return damaged(journal);
    if (cause == ENOSPC || cause == EDQUOT || cause == EROFS)
        return journal_file_failed(journal->path, -cause);
    return rollcall_fail(-EIO,
                         "the journal '%s' cannot be read or written (%s, %s): check the disk and "
                         "the kernel's log",
                         journal->path, sqlite3_errmsg(journal->db),
                         cause > 0 ? strerror(cause) : "no cause given");
}

int journal_fail(const struct journal *journal, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return rollcall_fail(-ENOMEM, "no memory for the journal '%s'", journal->path);
    case SQLITE_FULL:
        return journal_file_failed(journal->path, -ENOSPC);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return locked(journal);
    case SQLITE_CORRUPT:
        return damaged(journal);
    case SQLITE_NOTADB:
        return rollcall_fail(-EPROTO,
                             "'%s' is not a journal of rollcall, and was left as it is: name "
                             "another file",
                             journal->path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return journal_file_failed(journal->path, -EACCES);
    case SQLITE_CANTOPEN:
        return system_error(journal, -EACCES);
    case SQLITE_IOERR:
        return io_failed(journal, rc);
    default:
        return rollcall_fail(-EIO, "the journal '%s' failed: %s", journal->path,
                             sqlite3_errmsg(journal->db));
    }
}

/* ---- statements ---- */

int journal_prepare(const struct journal *journal, const char *sql, sqlite3_stmt **statement)
{
    int rc = sqlite3_prepare_v3(journal->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);

    return rc == SQLITE_OK ? 0 : journal_fail(journal, rc);
}

int journal_run(const struct journal *journal, const char *sql)
{
    int rc = sqlite3_exec(journal->db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : journal_fail(journal, rc);
}

int journal_number(const struct journal *journal, const char *sql, int64_t *value)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(journal->db, sql, -1, &statement, NULL);
    int err;

    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        *value = sqlite3_column_int64(statement, 0);
    err = rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : journal_fail(journal, rc);
    sqlite3_finalize(statement);
    return err;
}

int journal_begin(const struct journal *journal)
{
    return journal_run(journal, "BEGIN IMMEDIATE");
}

int journal_end(const struct journal *journal, int err)
{
    if (err >= 0) {
        int committed = journal_run(journal, "COMMIT");

        err = committed < 0 ? committed : err;
    }
    /* Some errors have ended the transaction already. The text of `err` must stay. */
    if (err < 0 && !sqlite3_get_autocommit(journal->db))
        sqlite3_exec(journal->db, "ROLLBACK", NULL, NULL, NULL);
    return err;
}
