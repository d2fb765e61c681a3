/* SPDX-License-Identifier: MIT */
/* Other people's SQL: one statement that can only read. */
#include "journal/state.h"
#include "lib/error.h"

#include <errno.h>
#include <stdlib.h>

/* Refuses all but reading while a statement is compiled: also what SQLite calls read-only
 * because it changes no row, such as ATTACH, BEGIN and most pragmas. */
static int only_reads(void *context, int action, const char *a, const char *b, const char *c,
                      const char *d)
{
    (void)context, (void)a, (void)c, (void)d;
    if (action == SQLITE_FUNCTION)
        return b && sqlite3_stricmp(b, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    return action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_RECURSIVE
               ? SQLITE_OK
               : SQLITE_DENY;
}

static int wrong(const struct journal *journal)
{
    return rollcall_fail(-EINVAL, "the SQL statement is wrong: %s", sqlite3_errmsg(journal->db));
}

static int compile_failed(const struct journal *journal, int rc)
{
    if (rc == SQLITE_AUTH)
        return rollcall_fail(-EINVAL, "only a statement that reads is allowed, such as SELECT");
    return rc == SQLITE_ERROR ? wrong(journal) : journal_fail(journal, rc);
}

/* Comments and blanks may follow the statement, another statement may not. */
static int check_rest(const struct journal *journal, const char *rest)
{
    sqlite3_stmt *second = NULL;
    int rc = sqlite3_prepare_v2(journal->db, rest, -1, &second, NULL);

    if (rc == SQLITE_OK && !second)
        return 0;
    sqlite3_finalize(second);
    return rollcall_fail(-EINVAL, "only one SQL statement at a time is allowed");
}

static int compile(const struct journal *journal, const char *sql, sqlite3_stmt **statement)
{
    const char *rest = "";
    int rc = sqlite3_prepare_v2(journal->db, sql, -1, statement, &rest);

    if (rc != SQLITE_OK)
        return compile_failed(journal, rc);
    if (!*statement)
        return rollcall_fail(-EINVAL, "there is no SQL statement");
    if (!sqlite3_stmt_readonly(*statement))
        return compile_failed(journal, SQLITE_AUTH);
    return check_rest(journal, rest);
}

static int fill_names(const struct journal *journal, sqlite3_stmt *statement, int columns,
                      const char **names)
{
    for (int i = 0; i < columns; i++) {
        names[i] = sqlite3_column_name(statement, i);
        if (!names[i])
            return journal_fail(journal, SQLITE_NOMEM);
    }
    return 0;
}

static int fill_values(const struct journal *journal, sqlite3_stmt *statement, int columns,
                       const char **values, size_t *sizes, int *types)
{
    for (int i = 0; i < columns; i++) {
        types[i] = sqlite3_column_type(statement, i);
        values[i] = types[i] == SQLITE_BLOB ? sqlite3_column_blob(statement, i)
                                            : (const char *)sqlite3_column_text(statement, i);
        sizes[i] = (size_t)sqlite3_column_bytes(statement, i);
        if (types[i] == SQLITE_NULL)
            continue;
        if (!values[i] && sqlite3_errcode(journal->db) == SQLITE_NOMEM)
            return journal_fail(journal, SQLITE_NOMEM);
        if (!values[i])
            values[i] = "";
    }
    return 0;
}

static int give_rows(const struct journal *journal, sqlite3_stmt *statement,
                     int (*each)(const struct journal_row *row, void *context), void *context)
{
    int columns = sqlite3_column_count(statement);
    size_t count = (size_t)columns;
    const char **names = calloc(count, sizeof(*names));
    const char **values = calloc(count, sizeof(*values));
    size_t *sizes = calloc(count, sizeof(*sizes));
    int *types = calloc(count, sizeof(*types));
    struct journal_row row = {columns, names, values, sizes, types};
    int rc = SQLITE_DONE;
    int err = -ENOMEM;

    if (!names || !values || !sizes || !types) {
        rollcall_fail(-ENOMEM, "no memory for a row of %d columns", columns);
        goto free_row;
    }
    err = fill_names(journal, statement, columns, names);
    while (err == 0 && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
        err = fill_values(journal, statement, columns, values, sizes, types);
        if (err == 0)
            err = each(&row, context);
    }
    if (err == 0 && rc != SQLITE_DONE)
        err = rc == SQLITE_ERROR ? wrong(journal) : journal_fail(journal, rc);

free_row:
    free(types);
    free(sizes);
    free(values);
    free(names);
    return err;
}

/* Their first use declares them like tables, which only_reads() would refuse. */
static void declare_json(const struct journal *journal)
{
    sqlite3_exec(journal->db, "SELECT 1 FROM json_each('[]'), json_tree('[]')", NULL, NULL, NULL);
}

int journal_sql(struct journal *journal, const char *sql,
                int (*each)(const struct journal_row *row, void *context), void *context)
{
    sqlite3_stmt *statement = NULL;
    int err;

    declare_json(journal);
    sqlite3_set_authorizer(journal->db, only_reads, NULL);
    err = compile(journal, sql, &statement);
    sqlite3_set_authorizer(journal->db, NULL, NULL);
    if (err == 0)
        err = give_rows(journal, statement, each, context);
    sqlite3_finalize(statement);
    return err;
}
