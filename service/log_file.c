/* SPDX-License-Identifier: MIT */
#include "service/log_file.h"

#include "lib/error.h"
#include "service/files.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_MAX_FILES 32u
#define COLLECTED_MAX  (1u << 20) /* bytes of a file that wait at most */

struct log_file {
    char *path; /* NULL: this one is free */
    char *user;
    intptr_t file;
    uint64_t size;
    uint64_t used; /* when it was last */
    char *lines;   /* what was collected */
    size_t lines_size;
    size_t lines_room;
};

struct log_files {
    const char *pattern;
    uint64_t rotate_size;
    unsigned rotate_keep;
    uint64_t uses;
    struct log_file all[OPEN_MAX_FILES];
};

/* ---- names ---- */

/* Letters of any language are bytes from 128 on. A point in front would hide the file, or be `..`. */
static bool is_plain(const char *name, const char *at)
{
    return isalnum((unsigned char)*at) || (unsigned char)*at >= 128 || *at == '_' || *at == '-' ||
           *at == '+' || (*at == '.' && at > name);
}

static size_t put_name(char *to, const char *name)
{
    size_t size = 0;

    for (const char *at = name; *at; at++) {
        if (is_plain(name, at))
            to[size++] = *at;
        else
            size += (size_t)sprintf(to + size, "%%%02x", (unsigned char)*at);
    }
    return size;
}

char *log_file_path(const char *pattern, const char *user)
{
    size_t users = 0;
    size_t size = 0;
    char *path;

    for (const char *at = pattern; *at; at++)
        users += *at == '%';
    path = malloc(strlen(pattern) + users * 3 * strlen(user) + 1);
    if (!path)
        return NULL;
    for (const char *at = pattern; *at; at++) {
        if (*at == '%' && *++at == 'u')
            size += put_name(path + size, user);
        else
            path[size++] = *at;
    }
    path[size] = '\0';
    return path;
}

/* ---- one file ---- */

static int failed(const struct log_file *file, int err)
{
    const char *what = strerror(-err);

    if (err == -ELOOP)
        what = "it is a link, which is not followed: give the path it leads to";
    if (err == -EINVAL)
        what = "it is no plain file";
    return rollcall_fail(err, "cannot write '%s': %s", file->path, what);
}

static int open_file(struct log_file *file)
{
    int err = files_append(file->path, &file->file, &file->size);

    if (err < 0)
        file->file = FILES_NONE;
    return err < 0 ? failed(file, err) : 0;
}

static void close_file(struct log_file *file)
{
    files_close(file->file);
    file->file = FILES_NONE;
}

static void forget(struct log_file *file)
{
    if (!file->path)
        return;
    close_file(file);
    free(file->path);
    free(file->user);
    free(file->lines);
    *file = (struct log_file){.file = FILES_NONE};
}

/* FILE.3 becomes FILE.4 and so on, until FILE has become FILE.1. */
static int rotate(const struct log_files *files, struct log_file *file)
{
    size_t room = strlen(file->path) + 16;
    char *from = malloc(room);
    char *to = malloc(room);
    int err = from && to ? 0 : rollcall_fail(-ENOMEM, "out of memory");

    close_file(file);
    for (unsigned i = files->rotate_keep; err == 0 && i > 0; i--) {
        snprintf(to, room, "%s.%u", file->path, i);
        snprintf(from, room, i > 1 ? "%s.%u" : "%s", file->path, i - 1);
        err = files_rename(from, to);
        if (err == -ENOENT)
            err = 0;
        if (err < 0)
            failed(file, err);
    }
    if (err == 0 && files->rotate_keep == 0)
        files_remove(file->path);
    free(from);
    free(to);
    return err < 0 ? err : open_file(file);
}

static int write_file(const struct log_files *files, struct log_file *file)
{
    int err = 0;

    if (file->file != FILES_NONE && !files_is_at(file->file, file->path))
        close_file(file);
    if (file->file == FILES_NONE)
        err = open_file(file);
    if (err == 0 && files->rotate_size && file->size > 0 &&
        file->size + file->lines_size > files->rotate_size)
        err = rotate(files, file);
    if (err < 0)
        return err;
    err = files_write(file->file, file->lines, file->lines_size, file->size);
    if (err == 0)
        err = files_sync(file->file);
    if (err < 0)
        return failed(file, err);
    file->size += file->lines_size;
    file->lines_size = 0;
    return 0;
}

/* ---- all ---- */

struct log_files *log_files_new(const char *path, uint64_t rotate_size, unsigned rotate_keep)
{
    struct log_files *files = calloc(1, sizeof(*files));

    if (!files)
        return NULL;
    files->pattern = path;
    files->rotate_size = rotate_size;
    files->rotate_keep = rotate_keep;
    for (unsigned i = 0; i < OPEN_MAX_FILES; i++)
        files->all[i].file = FILES_NONE;
    return files;
}

void log_files_free(struct log_files *files)
{
    for (unsigned i = 0; files && i < OPEN_MAX_FILES; i++)
        forget(&files->all[i]);
    free(files);
}

int log_files_sync(struct log_files *files)
{
    int err = 0;

    for (unsigned i = 0; err == 0 && i < OPEN_MAX_FILES; i++)
        if (files->all[i].lines_size > 0)
            err = write_file(files, &files->all[i]);
    return err;
}

/* The user's, or the one that was not used for longest. NULL: it could not be given up. */
static struct log_file *find(struct log_files *files, const char *user)
{
    struct log_file *oldest = &files->all[0];

    for (unsigned i = 0; i < OPEN_MAX_FILES; i++) {
        struct log_file *file = &files->all[i];

        if (file->path && strcmp(file->user, user) == 0)
            return file;
        if (file->used < oldest->used)
            oldest = file;
    }
    if (oldest->lines_size > 0 && write_file(files, oldest) < 0)
        return NULL;
    forget(oldest);
    oldest->path = log_file_path(files->pattern, user);
    oldest->user = strdup(user);
    if (oldest->path && oldest->user)
        return oldest;
    free(oldest->path);
    free(oldest->user);
    oldest->path = oldest->user = NULL;
    rollcall_fail(-ENOMEM, "out of memory");
    return NULL;
}

int log_files_add(struct log_files *files, const char *user, const char *line, size_t size)
{
    struct log_file *file = find(files, user);
    int err = 0;

    if (!file)
        return -EIO;
    file->used = ++files->uses;
    if (file->lines_size > 0 &&
        (file->lines_size + size > COLLECTED_MAX ||
         (files->rotate_size && file->size + file->lines_size + size > files->rotate_size)))
        err = write_file(files, file);
    if (err < 0)
        return err;
    if (file->lines_size + size > file->lines_room) {
        size_t room = file->lines_size + 2 * size;
        char *lines = realloc(file->lines, room);

        if (!lines)
            return rollcall_fail(-ENOMEM, "out of memory");
        file->lines = lines;
        file->lines_room = room;
    }
    memcpy(file->lines + file->lines_size, line, size);
    file->lines_size += size;
    return 0;
}
