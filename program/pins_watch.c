/* SPDX-License-Identifier: MIT */
#include "program/pins_watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *advice(uint32_t err)
{
    if (err == EBUSY || err == EEXIST)
        return "somebody else has taken the name: see `rollcall stats`";
    return "is the BPF file system mounted? Try `mount -t bpf bpf /sys/fs/bpf`";
}

bool pins_watch_look(struct pins_watch *watch, struct rollcall *rc, char *text, size_t size)
{
    const struct pins_watch before = *watch;
    struct rollcall_stats stats;

    if (rollcall_stats(rc, &stats, sizeof(stats)) < 0)
        return false;
    watch->repinned = stats.repinned;
    watch->unpinned = stats.unpinned;
    if (stats.unpinned && !before.unpinned) {
        snprintf(text, size,
                 "what was pinned in /sys/fs/bpf/rollcall/%s is gone, and cannot be pinned again "
                 "(%s): what happens between this process and its successor will be missing; %s",
                 watch->name, strerror((int)stats.unpinned), advice(stats.unpinned));
        return true;
    }
    if (stats.repinned == before.repinned)
        return false;
    snprintf(
        text, size,
        "what was pinned in /sys/fs/bpf/rollcall/%s had been removed, and is pinned again: look "
        "who removes it",
        watch->name);
    return true;
}
