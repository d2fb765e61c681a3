/* SPDX-License-Identifier: MIT */
#include "tests/load/alive.h"

#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NS_PER_S   1000000000ull
#define PF_EXITING 0x4u /* of the flags in /proc/PID/stat: it has begun to end */

/* The number that stands `index` fields behind the state. */
static uint64_t field(const char *text, unsigned index)
{
    while (index-- > 0)
        text += strcspn(text, " ") + 1;
    return strtoull(text, NULL, 10);
}

/* Reads pid's start from /proc. false: it is gone, or has begun to end. */
static bool look_at(uint32_t pid, struct alive *alive)
{
    char path[64];
    char text[1024];
    const char *state;
    size_t size;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%u/stat", pid);
    file = fopen(path, "re");
    if (!file)
        return false;
    size = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[size] = '\0';
    state = strrchr(text, ')');
    if (!state)
        return false;
    state += strlen(") ");
    *alive = (struct alive){.pid = pid, .start_ticks = field(state, 19)};
    return *state != 'Z' && *state != 'X' && !(field(state, 6) & PF_EXITING);
}

/* A process with more privileges than ours may be hidden from what we run in the kernel. */
static bool is_ours_to_see(uint32_t pid)
{
    char path[64];
    char link[64];

    snprintf(path, sizeof(path), "/proc/%u/ns/pid", pid);
    if (readlink(path, link, sizeof(link)) >= 0 || (errno != EACCES && errno != EPERM))
        return true;
    printf("pid %u is not compared: no permission to look at it\n", pid);
    return false;
}

size_t alive_list(struct alive *alive)
{
    DIR *directory = opendir("/proc");
    const struct dirent *entry;
    size_t count = 0;

    if (!directory)
        err(1, "/proc");
    while ((entry = readdir(directory)))
        if (isdigit((unsigned char)entry->d_name[0]) && count < ALIVE_MAX)
            count += look_at((uint32_t)strtoul(entry->d_name, NULL, 10), &alive[count]);
    closedir(directory);
    return count;
}

uint64_t alive_count(void)
{
    DIR *directory = opendir("/proc");
    const struct dirent *entry;
    uint64_t count = 0;

    if (!directory)
        err(1, "/proc");
    while ((entry = readdir(directory)))
        count += isdigit((unsigned char)entry->d_name[0]) != 0;
    closedir(directory);
    return count;
}

static uint64_t ticks(uint64_t ns)
{
    return ns / (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* How often the process was announced. */
static unsigned announcements(const struct check *check, const struct alive *alive)
{
    unsigned count = 0;
    const struct life *lives;
    size_t life_count;

    lives = check_lives(check, &life_count);
    for (size_t i = 0; i < life_count; i++)
        count += lives[i].pid == alive->pid && ticks(lives[i].start_ns) == alive->start_ticks &&
                 lives[i].announced;
    return count;
}

/* Started before `synced`, alive after it: alive at `synced`. Others are not compared. */
unsigned alive_compare(const struct alive *alive, size_t count, const struct check *check,
                       uint64_t synced_ns)
{
    unsigned compared = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned times;

        if (alive[i].start_ticks >= ticks(synced_ns))
            continue;
        times = announcements(check, &alive[i]);
        if (times == 0 && !is_ours_to_see(alive[i].pid))
            continue;
        if (times != 1)
            errx(1, "pid %u (start %llu ticks) was announced %u times before `synced` at %llu ns",
                 alive[i].pid, (unsigned long long)alive[i].start_ticks, times,
                 (unsigned long long)synced_ns);
        compared++;
    }
    return compared;
}
