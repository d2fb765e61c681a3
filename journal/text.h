/* SPDX-License-Identifier: MIT */
/* Texts of any bytes as the valid UTF-8 that people and SQL's functions can read. */
#ifndef JOURNAL_TEXT_H
#define JOURNAL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of result for each byte of text, and beyond them, at the most. */
#define TEXT_GROWTH 6u
#define TEXT_EXTRA  4u

#define TEXT_FAILED ((size_t)-1)

/* Whether it is UTF-8 without NUL. */
bool text_plain(const char *text, size_t size);

/* Writes `text` with U+FFFD in place of each byte that is NUL or not UTF-8. Returns the size. */
size_t text_readable(char *out, const char *text, size_t size);

/* Writes arguments, each ended by NUL, as a JSON array of readable strings. *exact: whether
 * text_from_json() gets the same bytes back. Returns the size; TEXT_FAILED: no memory. */
size_t text_to_json(char *out, const char *args, size_t size, bool *exact);

/* The reverse; the result is never longer than the array. Returns the size; TEXT_FAILED: it is no
 * array of strings, or no memory. */
size_t text_from_json(char *out, const char *json, size_t size);

#endif
