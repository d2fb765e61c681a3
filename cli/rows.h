/* SPDX-License-Identifier: MIT */
/* Rows of an SQL statement, as a table with aligned columns or as JSON. */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include "journal/journal.h"

#include <stdio.h>

/* The first rows decide how wide the columns are; later ones that are wider stick out. */
#define ROWS_MEASURED 200

struct rows {
    int columns;
    unsigned *widths;
    char **cells; /* of the rows that wait until the widths are known, names first */
    size_t count; /* rows that wait, the names too */
    bool flowing; /* the widths are known */
};

/* 0, or -ENOMEM (rollcall_fail). */
int rows_add(struct rows *rows, FILE *to, const struct journal_row *row);

/* Writes what still waits. */
int rows_end(struct rows *rows, FILE *to);
void rows_close(struct rows *rows);

/* One object, by the names of the columns; blobs in hexadecimal. 0 or -ENOMEM. */
int rows_json(FILE *to, const struct journal_row *row);

#endif
