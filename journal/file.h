/* SPDX-License-Identifier: MIT */
/* The files of a journal, as far as it does not leave them to SQLite. Each platform has one
 * implementation. Functions that return int return 0 or a negative errno value; they set no text
 * for rollcall_error(). */
#ifndef JOURNAL_FILE_H
#define JOURNAL_FILE_H

#include <stdbool.h>
#include <stdint.h>

/* Makes the file, for its owner only as command lines can hold secrets, unless it is there. *made:
 * whether it was made. An existing file is not opened: closing it would drop the locks that SQLite
 * holds on it elsewhere in this process. */
int file_make(const char *path, bool *made);

/* Gets the file's one full name, to be freed, by whatever name it is called. -EISDIR. */
int file_find(const char *path, char **full);

/* Whether this process may read it, and write it. */
int file_usable(const char *path, bool write);

/* Bytes; 0: it is not there. */
uint64_t file_size(const char *path);

void file_remove(const char *path);

/* The errno value (positive) of what sqlite3_system_errno() gives; 0 of 0. */
int file_error(int code);

#endif
