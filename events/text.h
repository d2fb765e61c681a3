/* SPDX-License-Identifier: MIT */
/* Text that comes from processes: any bytes, made fit for a terminal or for JSON. */
#ifndef EVENTS_TEXT_H
#define EVENTS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Writes it so that no byte of it can steer a terminal or pass for something else: as it is if
 * it is plain, else quoted as shells understand it: 'two words', $'bell \a'. At most `room`
 * columns, roughly, then "..."; returns the columns used. */
size_t text_quote(FILE *to, const char *text, size_t size, size_t room);

/* The same, but nothing is quoted: for text that is one line by itself. */
size_t text_line(FILE *to, const char *text, size_t size, size_t room);

/* A copy with control characters and bytes that are no UTF-8 as \n or \x7f, and nothing quoted; to
 * be freed. NULL: no memory. */
char *text_escaped(const char *text, size_t size);

/* Columns that a line of UTF-8 takes, one for each character. */
size_t text_columns(const char *text);

/* The pieces of `text` that end with NUL, one after the other; the last may lack it. Gets the
 * next piece and advances *offset; false after the last. */
bool text_next(const char *text, size_t size, size_t *offset, const char **piece,
               size_t *piece_size);

#endif
