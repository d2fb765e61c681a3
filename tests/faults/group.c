/* SPDX-License-Identifier: MIT */
#include "tests/faults/group.h"

#include "tests/faults/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BASE_2 "/sys/fs/cgroup"
#define BASE_1 "/sys/fs/cgroup/memory"

static void file_of(const struct group *group, char path[160], const char *name_2,
                    const char *name_1)
{
    snprintf(path, 160, "%s/%s", group->path, group->version == 2 ? name_2 : name_1);
}

static bool make(struct group *group, int version, const char *base)
{
    group->version = version;
    snprintf(group->path, sizeof(group->path), "%s/rollcall-faults-%d", base, (int)getpid());
    return mkdir(group->path, 0700) == 0;
}

void group_make(struct group *group)
{
    char path[160];

    if (access(BASE_1 "/memory.usage_in_bytes", F_OK) == 0) {
        if (!make(group, 1, BASE_1))
            rig_skip("no memory cgroup can be made here");
        return;
    }
    fault_write(BASE_2 "/cgroup.subtree_control", "+memory");
    if (!make(group, 2, BASE_2))
        rig_skip("no memory cgroup can be made here");
    file_of(group, path, "memory.max", "");
    if (access(path, W_OK) == 0)
        return;
    rmdir(group->path);
    rig_skip("there is no memory controller here");
}

void group_remove(const struct group *group)
{
    uint64_t end = rig_now_ms() + 10000;

    /* The kernel has to be done with those that were in it. */
    while (rmdir(group->path) < 0 && errno == EBUSY && rig_now_ms() < end)
        usleep(10000);
}

void group_procs(const struct group *group, char path[128])
{
    snprintf(path, 128, "%s/cgroup.procs", group->path);
}

int group_limit(const struct group *group, uint64_t bytes)
{
    char path[160];
    char text[32];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
    file_of(group, path, "memory.max", "memory.limit_in_bytes");
    return fault_write(path, text);
}

/* The first number behind `key` in the file. */
static uint64_t number(const char *path, const char *key)
{
    FILE *file = fopen(path, "re");
    uint64_t value = 0;
    char line[128];

    CHECK(file);
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, key, strlen(key)) == 0) {
            value = strtoull(line + strlen(key), NULL, 10);
            break;
        }
    fclose(file);
    return value;
}

uint64_t group_used(const struct group *group)
{
    char path[160];

    file_of(group, path, "memory.current", "memory.usage_in_bytes");
    return number(path, "");
}

uint64_t group_hits(const struct group *group)
{
    char path[160];

    file_of(group, path, "memory.events", "memory.failcnt");
    return number(path, group->version == 2 ? "max " : "");
}
