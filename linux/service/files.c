/* SPDX-License-Identifier: MIT */
#include "service/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool files_is_absolute(const char *path)
{
    return *path == '/';
}

bool files_is_trusted(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && (st.st_uid == 0 || st.st_uid == geteuid()) &&
           (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

FILE *files_read(const char *path, int *err)
{
    FILE *file = fopen(path, "re");

    *err = file ? 0 : -errno;
    return file;
}

/* ---- names ---- */

/* The length without the ending; 0: it has another. Hidden files are not meant. */
static size_t stem(const char *name, const char *ending)
{
    size_t size = strlen(name);
    size_t tail = strlen(ending);

    if (*name == '.' || size <= tail || strcmp(name + size - tail, ending) != 0)
        return 0;
    return size - tail;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(char ***names, size_t *count, const char *name, size_t size)
{
    char **more = realloc(*names, (*count + 2) * sizeof(*more));

    if (!more)
        return -ENOMEM;
    *names = more;
    more[*count] = strndup(name, size);
    more[*count + 1] = NULL;
    return more[(*count)++] ? 0 : -ENOMEM;
}

static int read_names(DIR *dir, const char *ending, char ***names, size_t *count)
{
    const struct dirent *entry;
    int err = 0;

    while (err == 0 && (entry = readdir(dir))) {
        size_t size = stem(entry->d_name, ending);

        if (size > 0)
            err = add_name(names, count, entry->d_name, size);
    }
    return err;
}

char **files_names(const char *directory, const char *ending, int *err)
{
    char **names = calloc(1, sizeof(*names));
    DIR *dir = opendir(directory);
    size_t count = 0;

    if (dir)
        *err = names ? read_names(dir, ending, &names, &count) : -ENOMEM;
    else
        *err = -errno;
    if (dir)
        closedir(dir);
    if (!dir || *err < 0) {
        files_names_free(names);
        return NULL;
    }
    if (count > 1)
        qsort(names, count, sizeof(*names), compare);
    return names;
}

void files_names_free(char **names)
{
    for (size_t i = 0; names && names[i]; i++)
        free(names[i]);
    free(names);
}

/* ---- small files ---- */

int files_make_directory(const char *path)
{
    struct stat st;

    if (mkdir(path, 0700) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    if (stat(path, &st) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

int files_replace(const char *path, const char *text, size_t size)
{
    char *part;
    int err;
    int fd;

    if (asprintf(&part, "%s.part", path) < 0)
        return -ENOMEM;
    fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    err = fd < 0 ? -errno : write_all(fd, text, size);
    if (err == 0 && fsync(fd) < 0)
        err = -errno;
    if (fd >= 0)
        close(fd);
    if (err == 0 && rename(part, path) < 0)
        err = -errno;
    free(part);
    return err;
}

void files_remove(const char *path)
{
    unlink(path);
}

int files_rename(const char *from, const char *to)
{
    return rename(from, to) < 0 ? -errno : 0;
}

/* ---- files of lines ---- */

/* Where the last whole line ends. */
static int64_t end_of_lines(int fd, int64_t size)
{
    char piece[4096];

    while (size > 0) {
        size_t want = size < (int64_t)sizeof(piece) ? (size_t)size : sizeof(piece);
        ssize_t n = pread(fd, piece, want, size - (int64_t)want);
        const char *end;

        if (n != (ssize_t)want)
            return n < 0 ? -errno : -EIO;
        end = memrchr(piece, '\n', want);
        if (end)
            return size - (int64_t)want + (end - piece) + 1;
        size -= (int64_t)want;
    }
    return 0;
}

static int take_file(int fd, uint64_t *size)
{
    struct stat st;
    int64_t end;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    end = end_of_lines(fd, st.st_size);
    if (end < 0)
        return (int)end;
    if (end < st.st_size && ftruncate(fd, end) < 0)
        return -errno;
    *size = (uint64_t)end;
    return 0;
}

/* Without waiting: what stands there may be a pipe. */
int files_append(const char *path, intptr_t *file, uint64_t *size)
{
    int fd = open(
        path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
    int err = fd < 0 ? -errno : take_file(fd, size);

    if (err < 0) {
        if (fd >= 0)
            close(fd);
        return err;
    }
    *file = fd;
    return 0;
}

int files_write(intptr_t file, const char *data, size_t count, uint64_t size)
{
    int err = write_all((int)file, data, count);

    if (err < 0 && ftruncate((int)file, (off_t)size) < 0)
        return -errno;
    return err;
}

int files_sync(intptr_t file)
{
    return fdatasync((int)file) < 0 ? -errno : 0;
}

void files_close(intptr_t file)
{
    if (file != FILES_NONE)
        close((int)file);
}

bool files_is_at(intptr_t file, const char *path)
{
    struct stat here;
    struct stat there;

    return fstat((int)file, &here) == 0 && lstat(path, &there) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}
