/* SPDX-License-Identifier: MIT */
/*
 * A disk that fails, under a program that is started with this library before all others. For each file
 * FILE that ends in "journal" or "-wal", FILE.disk is what the disk has: what is written comes there when
 * it is synchronised. While a file "broken" lies beside it that fails with EIO, and
 * as Linux has it, what was to be written then counts as written: it never comes to the disk
 * unless it is written again. While there is a file "dead", nothing can be written at all.
 *
 * A program that ends, and FILE.disk in place of FILE: that is a power failure.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define EXPORT    __attribute__((visibility("default")))
#define DIRTY_MAX 65536u

struct range {
    off_t at;
    size_t size;
};

struct file {
    char path[PATH_MAX];
    struct range dirty[DIRTY_MAX];
    unsigned count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file files[2]; /* the journal and its log */

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (!function)
        abort();
    return function;
}

static bool ends_in(const char *text, const char *end)
{
    size_t size = strlen(text);

    return size >= strlen(end) && strcmp(text + size - strlen(end), end) == 0;
}

/* NULL: none of ours. The lock is held. */
static struct file *file_of(int fd)
{
    char name[32];
    char path[PATH_MAX];
    struct file *file;
    ssize_t size;

    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    size = readlink(name, path, sizeof(path) - 1);
    if (size < 0)
        return NULL;
    path[size] = '\0';
    if (!ends_in(path, "journal") && !ends_in(path, "-wal"))
        return NULL;
    file = &files[ends_in(path, "-wal")];
    memcpy(file->path, path, (size_t)size + 1);
    return file;
}

static bool is_there(const struct file *file, const char *beside)
{
    char path[PATH_MAX + 16];

    snprintf(path, sizeof(path), "%s", file->path);
    snprintf(strrchr(path, '/') + 1, 16, "%s", beside);
    return access(path, F_OK) == 0;
}

static void copy(int from, int to, const struct range *range)
{
    ssize_t (*write_at)(int, const void *, size_t, off_t) = real("pwrite64");
    char *bytes = malloc(range->size);
    ssize_t size = bytes ? pread(from, bytes, range->size, range->at) : -1;

    /* What was cut off meanwhile is not there. */
    if (size < 0 || write_at(to, bytes, (size_t)size, range->at) != size)
        abort();
    free(bytes);
}

static void bring_to_disk(struct file *file)
{
    int (*cut)(int, off_t) = real("ftruncate64");
    char path[PATH_MAX + 8];
    int from = open(file->path, O_RDONLY | O_CLOEXEC);
    int to;

    snprintf(path, sizeof(path), "%s.disk", file->path);
    to = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (from < 0 || to < 0)
        abort();
    for (unsigned i = 0; i < file->count; i++)
        copy(from, to, &file->dirty[i]);
    if (cut(to, lseek(from, 0, SEEK_END)) < 0)
        abort();
    close(to);
    close(from);
}

static int sync_file(int fd, const char *name)
{
    int (*next)(int) = real(name);
    struct file *file;
    bool fails;

    pthread_mutex_lock(&lock);
    file = file_of(fd);
    fails = file && (is_there(file, "broken") || is_there(file, "dead"));
    if (file && !fails)
        bring_to_disk(file);
    if (file)
        file->count = 0;
    pthread_mutex_unlock(&lock);
    if (!fails)
        return next(fd);
    errno = EIO;
    return -1;
}

static ssize_t write_file(int fd, const void *bytes, size_t size, off_t at)
{
    ssize_t (*next)(int, const void *, size_t, off_t) = real("pwrite64");
    struct file *file;
    ssize_t written;

    pthread_mutex_lock(&lock);
    file = file_of(fd);
    if (file && is_there(file, "dead")) {
        written = -1;
        errno = EIO;
    } else {
        written = next(fd, bytes, size, at);
    }
    if (file && written > 0) {
        if (file->count == DIRTY_MAX)
            abort();
        file->dirty[file->count++] = (struct range){at, (size_t)written};
    }
    pthread_mutex_unlock(&lock);
    return written;
}

/* The parameters of the C library have names that are its own. */
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)

EXPORT int fdatasync(int fd)
{
    return sync_file(fd, "fdatasync");
}

EXPORT int fsync(int fd)
{
    return sync_file(fd, "fsync");
}

EXPORT ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    return write_file(fd, bytes, size, at);
}

EXPORT ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t at)
{
    return write_file(fd, bytes, size, at);
}

// NOLINTEND(readability-inconsistent-declaration-parameter-name)
