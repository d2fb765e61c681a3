/* SPDX-License-Identifier: MIT */
/* Which bytes are UTF-8. NUL is a character like any other. */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character that begins at `text`; 0 if none does (size > 0). */
size_t utf8_character(const char *text, size_t size);

/* Whether all of it is UTF-8. */
bool utf8_valid(const char *text, size_t size);

/* Copies it with U+FFFD in place of each byte that belongs to no character. Returns the bytes
 * written: at most three times `size`. */
size_t utf8_repair(char *out, const char *text, size_t size);

#endif
