/* SPDX-License-Identifier: MIT */
/*
 * Files of lines, one for each user if the path says so: written, and on the disk when they are
 * synced. When a file would become larger than wanted it becomes FILE.1, that FILE.2, and so on. Who
 * else renames or removes a file gets a new one made.
 *
 * Functions that return int return 0 or a negative errno value (rollcall_error()).
 */
#ifndef SERVICE_LOG_FILE_H
#define SERVICE_LOG_FILE_H

#include <stddef.h>
#include <stdint.h>

struct log_files;

/* path: %u stands for the user, %% for %; not copied. rotate_size: 0: never. NULL: no memory. */
struct log_files *log_files_new(const char *path, uint64_t rotate_size, unsigned rotate_keep);

/* What was not synced may be lost. NULL is allowed. */
void log_files_free(struct log_files *files);

/* Puts a line with its end into the user's file. It is collected until the file is synced. */
int log_files_add(struct log_files *files, const char *user, const char *line, size_t size);

/* Writes what was collected; all of it is on the disk afterwards. After an error no file has a part
 * of what was collected, but some may have all. */
int log_files_sync(struct log_files *files);

/* The path with the user's name in it, to be freed; a name that is not plain is written
 * so that it cannot lead anywhere else. NULL: no memory. */
char *log_file_path(const char *pattern, const char *user);

#endif
