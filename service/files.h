/* SPDX-License-Identifier: MIT */
/* Files as handlers need them. Each platform has one implementation. Functions that return int return
 * 0 or a negative errno value unless they say something else, and set no text for rollcall_error(). */
#ifndef SERVICE_FILES_H
#define SERVICE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FILES_NONE ((intptr_t)-1)

bool files_is_absolute(const char *path);

/* Whether only we and the administrators can change it. */
bool files_is_trusted(const char *path);

/* An existing file to read. NULL: *err says why. */
FILE *files_read(const char *path, int *err);

/* The names in a directory that end so, without that ending, in their order, NULL after the last; to
 * be freed by files_names_free(). NULL: *err says why. */
char **files_names(const char *directory, const char *ending, int *err);
void files_names_free(char **names);

/* Makes a directory for its owner only, unless it is there. */
int files_make_directory(const char *path);

/* Writes a small file in the place of an old one: whoever reads has the one or the other whole, also
 * after a crash. */
int files_replace(const char *path, const char *text, size_t size);

void files_remove(const char *path);

/*
 * A file of lines to which others are appended, made for its owner and group (0640) unless it is there. A link is not
 * followed (-ELOOP), and what is no plain file is refused (-EINVAL). What stands behind the
 * last end of a line was not written whole and is taken away.
 */
int files_append(const char *path, intptr_t *file, uint64_t *size);

/* All of it or nothing, at the end: `size` is where that is. */
int files_write(intptr_t file, const char *data, size_t count, uint64_t size);

/* Until it is on the disk. */
int files_sync(intptr_t file);

/* FILES_NONE is allowed. */
void files_close(intptr_t file);

/* Whether the path still leads to this file. */
bool files_is_at(intptr_t file, const char *path);

/* Another name, in the place of what has that. -ENOENT: there is no such file. */
int files_rename(const char *from, const char *to);

#endif
