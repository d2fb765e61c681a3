/* SPDX-License-Identifier: MIT */
#include "cli/rows.h"

#include "events/text.h"
#include "lib/error.h"
#include "lib/utf8.h"

#include <jansson.h>
#include <sqlite3.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(void)
{
    return rollcall_fail(-ENOMEM, "out of memory");
}

static char *hexadecimal(const char *bytes, size_t size)
{
    char *text = malloc(2 * size + 1);

    for (size_t i = 0; text && i < size; i++)
        snprintf(text + 2 * i, 3, "%02x", (unsigned char)bytes[i]);
    if (text)
        text[2 * size] = '\0';
    return text;
}

/* Control characters must not steer the terminal, and would break the columns. */
static char *cell_text(const char *text, size_t size, int type)
{
    return type == SQLITE_BLOB ? hexadecimal(text, size) : text_escaped(text, size);
}

static void put_cell(const struct rows *rows, FILE *to, int column, const char *cell)
{
    bool last = column + 1 == rows->columns;
    size_t columns = text_columns(cell);

    fputs(cell, to);
    for (; !last && columns < rows->widths[column]; columns++)
        fputc(' ', to);
    fputs(last ? "\n" : "  ", to);
}

static void put_waiting(struct rows *rows, FILE *to)
{
    for (size_t row = 0; row < rows->count; row++) {
        for (int column = 0; column < rows->columns; column++) {
            char *cell = rows->cells[row * (size_t)rows->columns + (size_t)column];

            put_cell(rows, to, column, cell);
            free(cell);
        }
    }
    rows->count = 0;
    rows->flowing = true;
}

static int begin(struct rows *rows, int columns)
{
    size_t room = (size_t)columns * (ROWS_MEASURED + 1);

    rows->columns = columns;
    rows->widths = calloc((size_t)columns, sizeof(*rows->widths));
    rows->cells = calloc(room, sizeof(*rows->cells));
    return rows->widths && rows->cells ? 0 : no_memory();
}

static int keep(struct rows *rows, const char *const *values, const size_t *sizes, const int *types)
{
    size_t first = rows->count * (size_t)rows->columns;

    for (int i = 0; i < rows->columns; i++) {
        const char *value = values[i] ? values[i] : "";
        size_t size = !values[i] ? 0 : sizes ? sizes[i] : strlen(value);
        char *cell = cell_text(value, size, types ? types[i] : SQLITE_TEXT);

        if (!cell) {
            while (i-- > 0)
                free(rows->cells[first + (size_t)i]);
            return no_memory();
        }
        if (text_columns(cell) > rows->widths[i])
            rows->widths[i] = (unsigned)text_columns(cell);
        rows->cells[first + (size_t)i] = cell;
    }
    rows->count++;
    return 0;
}

int rows_add(struct rows *rows, FILE *to, const struct journal_row *row)
{
    int err = 0;

    if (!rows->widths) {
        err = begin(rows, row->columns);
        if (err == 0)
            err = keep(rows, row->names, NULL, NULL);
    }
    if (err == 0)
        err = keep(rows, row->values, row->sizes, row->types);
    if (err == 0 && (rows->flowing || rows->count > ROWS_MEASURED))
        put_waiting(rows, to);
    return err;
}

int rows_end(struct rows *rows, FILE *to)
{
    put_waiting(rows, to);
    return 0;
}

void rows_close(struct rows *rows)
{
    for (size_t i = 0; i < rows->count * (size_t)rows->columns; i++)
        free(rows->cells[i]);
    free(rows->cells);
    free(rows->widths);
}

static json_t *value_of(const struct journal_row *row, int i)
{
    char *cell;
    json_t *value;

    switch (row->types[i]) {
    case SQLITE_NULL:
        return json_null();
    case SQLITE_INTEGER:
        return json_integer((json_int_t)strtoll(row->values[i], NULL, 10));
    case SQLITE_FLOAT:
        value = json_real(strtod(row->values[i], NULL));
        return value ? value : json_null(); /* JSON knows no infinity */
    default:
        if (row->types[i] == SQLITE_TEXT && utf8_valid(row->values[i], row->sizes[i]))
            return json_stringn_nocheck(row->values[i], row->sizes[i]);
        cell = cell_text(row->values[i], row->sizes[i], SQLITE_BLOB);
        value = cell ? json_string_nocheck(cell) : NULL;
        free(cell);
        return value;
    }
}

int rows_json(FILE *to, const struct journal_row *row)
{
    json_t *object = json_object();
    int err = object ? 0 : -1;

    for (int i = 0; err == 0 && i < row->columns; i++)
        err = json_object_set_new(object, row->names[i], value_of(row, i));
    if (err == 0)
        err = json_dumpf(object, to, JSON_COMPACT);
    fputc('\n', to);
    json_decref(object);
    return err < 0 ? no_memory() : 0;
}
