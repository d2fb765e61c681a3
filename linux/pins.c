/* SPDX-License-Identifier: MIT */
#include "linux/pins.h"

#include "lib/error.h"

#include <bpf/bpf.h>
#include <linux/magic.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#define BPFFS "/sys/fs/bpf"
#define BASE  BPFFS "/rollcall"

/* A look at the lock by pins_locked() holds it for an instant: that is not a reader. */
#define LOCK_TRIES   10
#define LOCK_WAIT_NS 2000000

void pins_path(char path[PINS_PATH_MAX], const char *name, const char *pin)
{
    snprintf(path, PINS_PATH_MAX, BASE "/%s%s%s", name, *pin ? "/" : "", pin);
}

static bool is_bpffs(void)
{
    struct statfs fs;

    return statfs(BPFFS, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

static int mount_bpffs(void)
{
    if (is_bpffs())
        return 0;
    /* ENOSYS: a filter of system calls that says no. */
    if (mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME, "mode=0700") < 0)
        return rollcall_fail(errno == ENOSYS ? -EPERM : -errno,
                             "the BPF file system is not mounted on " BPFFS
                             ", and mounting it failed: %s; try `mount -t bpf bpf " BPFFS "`",
                             strerror(errno));
    return 0;
}

/* Nobody but the owner may get at the ring: it is trusted to hold what our programs wrote. */
static int check_directory(int fd, const char *path)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return rollcall_fail(-errno, "%s: %s", path, strerror(errno));
    if (st.st_uid != geteuid() || (st.st_mode & 0077))
        return rollcall_fail(-EPERM,
                             "%s belongs to user %u with mode %04o, and must be this user's with "
                             "mode 0700: remove it, or correct it",
                             path, st.st_uid, st.st_mode & 07777);
    return 0;
}

static int open_directory(const char *path, bool create)
{
    int fd;
    int err;

    if (create && mkdir(path, 0700) < 0 && errno != EEXIST)
        return rollcall_fail(-errno, "cannot make %s: %s%s", path, strerror(errno),
                             errno == EACCES || errno == EPERM ? "; this needs root" : "");
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return rollcall_fail(-errno, "cannot open %s: %s%s", path, strerror(errno),
                             errno == EACCES || errno == EPERM ? "; this needs root" : "");
    err = check_directory(fd, path);
    if (err < 0) {
        close(fd);
        return err;
    }
    return fd;
}

static int take_lock(int fd, const char *name)
{
    const struct timespec pause = {.tv_nsec = LOCK_WAIT_NS};

    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK)
            return rollcall_fail(-errno, "cannot lock consumer '%s': %s", name, strerror(errno));
        nanosleep(&pause, NULL);
    }
    return rollcall_fail(-EBUSY, "consumer '%s' is in use by another process", name);
}

/* Whether `fd` is still what the path leads to, and not a directory that was removed. */
static bool is_current(int fd, const char *path)
{
    struct stat a;
    struct stat b;

    return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

int pins_lock(const char *name, bool create)
{
    char path[PINS_PATH_MAX];
    int err;
    int fd;

    pins_path(path, name, "");
    if (create) {
        err = mount_bpffs();
        if (err < 0)
            return err;
        fd = open_directory(BASE, true);
        if (fd < 0)
            return fd;
        close(fd);
    } else if (access(path, F_OK) < 0 && errno == ENOENT) {
        return rollcall_fail(-ENOENT, "there is no consumer '%s'; `rollcall stats` lists them",
                             name);
    }
    for (;;) {
        fd = open_directory(path, create);
        if (fd < 0)
            return fd;
        err = take_lock(fd, name);
        if (err == 0 && is_current(fd, path))
            return fd;
        close(fd);
        if (err < 0)
            return err;
    }
}

bool pins_lock_is_current(int lease, const char *name)
{
    char path[PINS_PATH_MAX];

    pins_path(path, name, "");
    return is_current(lease, path);
}

bool pins_locked(const char *name)
{
    char path[PINS_PATH_MAX];
    bool locked;
    int fd;

    pins_path(path, name, "");
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    locked = flock(fd, LOCK_SH | LOCK_NB) < 0;
    close(fd);
    return locked;
}

bool pins_has(const char *name, const char *pin)
{
    char path[PINS_PATH_MAX];

    pins_path(path, name, pin);
    return access(path, F_OK) == 0;
}

int pins_open(const char *name, const char *pin)
{
    char path[PINS_PATH_MAX];
    int fd;

    pins_path(path, name, pin);
    fd = bpf_obj_get(path);
    return fd < 0 ? -errno : fd;
}

int pins_program_of(int link)
{
    struct bpf_link_info info = {0};
    uint32_t size = sizeof(info);
    int fd;

    if (bpf_obj_get_info_by_fd(link, &info, &size) < 0)
        return -errno;
    fd = bpf_prog_get_fd_by_id(info.prog_id);
    return fd < 0 ? -errno : fd;
}

int pins_replace(const char *name, const char *pin, int fd)
{
    char path[PINS_PATH_MAX];
    char new_path[PINS_PATH_MAX];

    pins_path(path, name, pin);
    pins_path(new_path, name, "new");
    if (unlink(new_path) < 0 && errno != ENOENT)
        return -errno;
    if (bpf_obj_pin(fd, new_path) < 0)
        return -errno;
    return rename(new_path, path) < 0 ? -errno : 0;
}

void pins_remove_one(const char *name, const char *pin)
{
    char path[PINS_PATH_MAX];

    pins_path(path, name, pin);
    unlink(path);
}

int pins_remove(const char *name, bool directory)
{
    char path[PINS_PATH_MAX];
    struct dirent *entry;
    int err = 0;
    DIR *dir;

    pins_path(path, name, "");
    dir = opendir(path);
    if (!dir)
        return -errno;
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.' && unlinkat(dirfd(dir), entry->d_name, 0) < 0)
            err = -errno;
    closedir(dir);
    if (err == 0 && directory && rmdir(path) < 0)
        err = -errno;
    return err;
}

int pins_names(int (*each)(const char *name, void *context), void *context)
{
    struct dirent *entry;
    int result = 0;
    DIR *dir = opendir(BASE);

    if (!dir) {
        if (errno == ENOENT)
            return 0;
        return rollcall_fail(-errno, "cannot read " BASE ": %s%s", strerror(errno),
                             errno == EACCES ? "; this needs root" : "");
    }
    while (result == 0 && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            result = each(entry->d_name, context);
    closedir(dir);
    return result;
}
