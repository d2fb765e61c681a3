/* SPDX-License-Identifier: MIT */
#include "journal/lock.h"

#include "journal/state.h"
#include "lib/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int taken(const char *path, int fd)
{
    char pid[16] = "";
    ssize_t size = pread(fd, pid, sizeof(pid) - 1, 0);

    if (size <= 0)
        return rollcall_fail(-EBUSY, "another process writes the journal '%s': stop it first",
                             path);
    pid[strcspn(pid, "\n")] = '\0';
    return rollcall_fail(-EBUSY, "process %s writes the journal '%s': stop it first", pid, path);
}

/* The pid is for people only: without space for it the lock is as good. */
static void sign(int fd)
{
    char pid[16];
    int size = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());

    if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)size, 0) < 0)
        errno = 0;
}

int lock_take(const char *path, intptr_t *lock)
{
    char *name = NULL;
    int err = 0;
    int fd;

    if (asprintf(&name, "%s.lock", path) < 0)
        return rollcall_fail(-ENOMEM, "no memory to open the journal '%s'", path);
    fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        err = journal_file_failed(name, -errno);
        goto free_name;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        err = errno == EWOULDBLOCK ? taken(path, fd) : journal_file_failed(name, -errno);
        goto close_file;
    }
    sign(fd);
    *lock = fd;
    goto free_name;

close_file:
    close(fd);
free_name:
    free(name);
    return err;
}

void lock_release(intptr_t lock)
{
    if (lock != LOCK_NONE)
        close((int)lock);
}
