/* SPDX-License-Identifier: MIT */
#include "linux/restore.h"

#include "linux/pins.h"

#include <bpf/bpf.h>

#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* The maps of one consumer. */
struct wanted {
    const char *consumer;
    const struct restore_map *maps;
    size_t count;
};

static bool is_pinned(const struct wanted *wanted, size_t map)
{
    return pins_has(wanted->consumer, wanted->maps[map].pin);
}

/* Of the first `count`. */
static size_t count_pinned(const struct wanted *wanted, size_t count)
{
    size_t pinned = 0;

    for (size_t i = 0; i < count; i++)
        pinned += is_pinned(wanted, i);
    return pinned;
}

/* Pins the map if it is one whose pin is missing. */
static void restore_map(const struct wanted *wanted, uint32_t id)
{
    struct bpf_map_info info = {0};
    uint32_t size = sizeof(info);
    int fd = bpf_map_get_fd_by_id(id);

    if (fd < 0)
        return;
    if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0)
        for (size_t i = 0; i < wanted->count; i++)
            if (strcmp(info.name, wanted->maps[i].name) == 0 && !is_pinned(wanted, i))
                pins_replace(wanted->consumer, wanted->maps[i].pin, fd);
    close(fd);
}

static void restore_maps_of(const struct wanted *wanted, int program)
{
    uint32_t ids[16] = {0};
    struct bpf_prog_info info = {.nr_map_ids = 16, .map_ids = (uintptr_t)ids};
    uint32_t size = sizeof(info);

    if (bpf_obj_get_info_by_fd(program, &info, &size) < 0)
        return;
    for (uint32_t i = 0; i < info.nr_map_ids && i < 16; i++)
        restore_map(wanted, ids[i]);
}

/* A link that is pinned keeps its program, and that its maps: they are found by it. Returns whether there
 * is one. */
static bool restore_maps(const struct wanted *wanted)
{
    static const char *const links[] = {"on_fork", "on_exec", "on_exit", "snapshot"};
    bool found = false;

    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        int link = pins_open(wanted->consumer, links[i]);
        int program = link < 0 ? -1 : pins_program_of(link);

        found |= link >= 0;
        if (program >= 0) {
            restore_maps_of(wanted, program);
            close(program);
        }
        if (link >= 0)
            close(link);
    }
    return found;
}

bool restore_pins(const char *consumer, const struct restore_map *maps, size_t needed, size_t count)
{
    const struct wanted wanted = {.consumer = consumer, .maps = maps, .count = count};
    bool any = count_pinned(&wanted, count) > 0;

    if (count_pinned(&wanted, count) < count)
        any |= restore_maps(&wanted);
    if (!any || count_pinned(&wanted, needed) == needed)
        return true;
    pins_remove(consumer, false);
    return false;
}
