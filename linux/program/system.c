/* SPDX-License-Identifier: MIT */
#include "program/system.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool system_self(uint32_t *pid, uint32_t *pid_ns)
{
    struct stat st;

    if (stat("/proc/self/ns/pid", &st) < 0)
        return false;
    *pid = (uint32_t)getpid();
    *pid_ns = (uint32_t)st.st_ino;
    return true;
}

bool system_find_user(const char *name, uint32_t *uid)
{
    const struct passwd *user = getpwnam(name);

    if (user)
        *uid = user->pw_uid;
    return user;
}

bool system_user_name(uint32_t uid, char *name, size_t size)
{
    const struct passwd *user = getpwuid(uid);

    if (user)
        snprintf(name, size, "%s", user->pw_name);
    return user;
}

bool system_account_name(const char *sid, char *name, size_t size)
{
    (void)sid, (void)name, (void)size;
    return false;
}

int system_create(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    return fd < 0 ? -errno : fd;
}

bool system_glob(const char *pattern, const char *text)
{
    return fnmatch(pattern, text, 0) == 0;
}
