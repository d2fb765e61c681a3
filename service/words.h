/* SPDX-License-Identifier: MIT */
/*
 * A command as it is written in a handler's file, without any shell. Words are separated by spaces
 * and tabs; '...' and "..." keep what is between them together, and the quotes are left out. No
 * other character means anything: not $, not *, not a backslash.
 */
#ifndef SERVICE_WORDS_H
#define SERVICE_WORDS_H

/* The words, NULL after the last, to be freed by words_free(). NULL: rollcall_error() says what is
 * wrong with them. */
char **words_split(const char *text);

/* NULL is allowed. */
void words_free(char **words);

#endif
