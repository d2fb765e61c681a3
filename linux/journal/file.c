/* SPDX-License-Identifier: MIT */
#include "journal/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int file_make(const char *path, bool *made)
{
    int fd;

    if (access(path, F_OK) == 0)
        return 0;
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno != EEXIST)
        return -errno;
    *made = fd >= 0;
    if (fd >= 0)
        close(fd);
    return 0;
}

int file_find(const char *path, char **full)
{
    struct stat status;

    *full = realpath(path, NULL);
    if (!*full || stat(*full, &status) < 0)
        return -errno;
    return S_ISDIR(status.st_mode) ? -EISDIR : 0;
}

int file_usable(const char *path, bool write)
{
    return access(path, write ? R_OK | W_OK : R_OK) < 0 ? -errno : 0;
}

uint64_t file_size(const char *path)
{
    struct stat status;

    return stat(path, &status) < 0 ? 0 : (uint64_t)status.st_size;
}

void file_remove(const char *path)
{
    unlink(path);
}

int file_error(int code)
{
    return code;
}
