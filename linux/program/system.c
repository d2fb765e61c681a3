/* SPDX-License-Identifier: MIT */
#include "program/system.h"

#include "linux/clock.h"

#include <rollcall/event.h>

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
    char strings[4096];
    struct passwd entry;
    struct passwd *user = NULL;

    if (getpwuid_r(uid, &entry, strings, sizeof(strings), &user) == 0 && user)
        snprintf(name, size, "%s", user->pw_name);
    return user;
}

bool system_account_name(const char *sid, char *name, size_t size)
{
    (void)sid, (void)name, (void)size;
    return false;
}

uint64_t system_mono_ns(void)
{
    return clock_mono_ns();
}

uint64_t system_boot_ns(void)
{
    return clock_boot_ns();
}

unsigned system_exe_types(void)
{
    return 1u << ROLLCALL_EXEC | 1u << ROLLCALL_EXISTS | 1u << ROLLCALL_GAP;
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
