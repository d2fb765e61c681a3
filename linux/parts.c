/* SPDX-License-Identifier: MIT */
#include "linux/parts.h"

#include "lib/error.h"
#include "linux/control.h"
#include "linux/pins.h"

#include <bpf/bpf.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const char *const parts_map_pins[MAPS] = {"ring",          "control",  "states",  "scratches",
                                          "snapshot_area", "promises", "promised"};

const char *const parts_deny_programs[][DENY_HOOKS] = {
    [DENY_LSM] = {"deny_fork", "deny_exec", "deny_free"},
    [DENY_MODIFY] = {"modify_fork", "modify_exec", "modify_free"},
};

static const char *const hook_pins[HOOKS] = {"on_fork",    "on_exec",    "on_exit", "again_fork",
                                             "again_exec", "again_exit", "at_free"};
static const char *const deny_pins[DENY_HOOKS] = {"deny_fork", "deny_exec", "deny_free"};

/* ---- opening ---- */

static bool open_maps(struct capture *capture, const char *name, size_t from, size_t to)
{
    bool whole = true;

    for (size_t i = from; i < to; i++) {
        if (capture->maps[i] < 0)
            capture->maps[i] = pins_open(name, parts_map_pins[i]);
        whole &= capture->maps[i] >= 0;
    }
    return whole;
}

bool parts_open_maps(struct capture *capture, const char *name)
{
    open_maps(capture, name, 0, COMMON_MAPS);
    return capture->maps[MAP_RING] >= 0 && capture->maps[MAP_STATES] >= 0;
}

/* Whether this is the program of that name, and works on these maps; ring_id 0: only on the other. */
static bool is_program(int program, const char *name, uint32_t ring_id, uint32_t data_id)
{
    uint32_t ids[16] = {0};
    struct bpf_prog_info info = {.nr_map_ids = 16, .map_ids = (uintptr_t)ids};
    uint32_t size = sizeof(info);
    unsigned found = 0;

    if (bpf_obj_get_info_by_fd(program, &info, &size) < 0 || strcmp(info.name, name) != 0)
        return false;
    for (uint32_t i = 0; i < info.nr_map_ids && i < 16; i++)
        found += ids[i] == ring_id || ids[i] == data_id;
    return found == (ring_id ? 2 : 1);
}

static uint32_t map_id(int map)
{
    struct bpf_map_info info = {0};
    uint32_t size = sizeof(info);

    return bpf_obj_get_info_by_fd(map, &info, &size) < 0 ? 0 : info.id;
}

/* Opens what a link is pinned as, and the program that it runs. 1; 0 if it is not the one of that
 * name and these maps, -EPERM if that may not be known. */
static int open_link(const char *name, const char *pin, const char *program_name, uint32_t ring_id,
                     uint32_t data_id, int *link)
{
    int program;
    bool right;

    *link = pins_open(name, pin);
    if (*link < 0)
        return false;
    program = pins_program_of(*link);
    if (program == -EPERM)
        return -EPERM;
    right = program >= 0 && is_program(program, program_name, ring_id, data_id);
    if (program >= 0)
        close(program);
    return right;
}

static int open_deny_programs(struct capture *capture, const char *name, uint32_t ring_id,
                              uint32_t data_id)
{
    struct deny_programs *deny = &capture->deny;
    unsigned way = capture->control->deny.way;
    int right = way <= DENY_MODIFY;

    if (way == DENY_NONE)
        return true;
    for (size_t i = 0; right == 1 && i < DENY_HOOKS; i++)
        right = open_link(name, deny_pins[i], parts_deny_programs[way][i],
                          i == DENY_HOOKS - 1 ? 0 : ring_id, data_id, &deny->links[i]);
    if (right == 1)
        right = open_link(name, "promise_exits", "promise_exits", ring_id, data_id,
                          &deny->promise_exits);
    deny->hold = pins_open(name, "hold");
    if (right == 1)
        right = deny->hold >= 0 && is_program(deny->hold, "hold", 0, data_id);
    return right == 1 ? open_maps(capture, name, COMMON_MAPS, MAPS) : right;
}

int parts_open_programs(struct capture *capture, const char *name)
{
    uint32_t ring_id = map_id(capture->maps[MAP_RING]);
    uint32_t data_id = map_id(capture->maps[MAP_CONTROL]);
    int right;

    for (size_t i = 0; i < HOOKS; i++) {
        capture->links[i] = pins_open(name, hook_pins[i]);
        if (capture->links[i] < 0)
            return false;
        capture->programs[i] = pins_program_of(capture->links[i]);
        if (capture->programs[i] == -EPERM)
            return -EPERM;
        if (capture->programs[i] < 0 ||
            !is_program(capture->programs[i], hook_pins[i], ring_id, data_id))
            return false;
    }
    right = open_link(name, "snapshot", "snapshot", ring_id, data_id, &capture->snapshot);
    capture->mark = pins_open(name, "mark");
    if (right == 1)
        right = capture->mark >= 0 && is_program(capture->mark, "mark", ring_id, data_id);
    return right == 1 ? open_deny_programs(capture, name, ring_id, data_id) : right;
}

/* ---- pinning ---- */

struct part {
    const char *pin;
    int fd;
};

#define PARTS_MAX (MAPS + HOOKS + DENY_HOOKS + 4)

/* Those that there are, in the order in which they are pinned. */
static size_t list_parts(const struct capture *capture, struct part parts[PARTS_MAX])
{
    const struct deny_programs *deny = &capture->deny;
    size_t count = 0;

    for (size_t i = 0; i < MAPS; i++)
        parts[count++] = (struct part){parts_map_pins[i], capture->maps[i]};
    /* Second programs go before first ones: see linux/skips.c. */
    for (size_t i = HOOKS; i > 0; i--)
        parts[count++] = (struct part){hook_pins[i - 1], capture->links[i - 1]};
    parts[count++] = (struct part){"snapshot", capture->snapshot};
    parts[count++] = (struct part){"mark", capture->mark};
    for (size_t i = 0; i < DENY_HOOKS; i++)
        parts[count++] = (struct part){deny_pins[i], deny->links[i]};
    parts[count++] = (struct part){"promise_exits", deny->promise_exits};
    parts[count++] = (struct part){"hold", deny->hold};
    return count;
}

static int cannot_pin(int err)
{
    return rollcall_fail(err, "cannot pin the capture in the BPF file system: %s", strerror(-err));
}

int parts_pin(const struct capture *capture, const char *name)
{
    struct part parts[PARTS_MAX];
    size_t count = list_parts(capture, parts);
    int err = 0;

    for (size_t i = 0; err == 0 && i < count; i++)
        if (parts[i].fd >= 0)
            err = pins_replace(name, parts[i].pin, parts[i].fd);
    return err < 0 ? cannot_pin(err) : 0;
}

/* The directory itself may be another one by now, or none, and its lock with it. Or another capture's, of
 * somebody who has come and gone; what he has not finished is nobody's. */
static int renew_lease(struct capture *capture, const char *name)
{
    struct control *other;
    int lease;
    int data;

    if (pins_lock_is_current(capture->lease, name))
        return 0;
    lease = pins_lock(name, true);
    if (lease < 0)
        return lease;
    data = control_open(name, &other);
    if (data >= 0) {
        munmap(other, sizeof(*other));
        close(data);
    }
    if (data != -ENOENT) {
        close(lease);
        return rollcall_fail(-EEXIST, "another capture is pinned for consumer '%s'", name);
    }
    pins_remove(name, false);
    close(capture->lease);
    capture->lease = lease;
    return 0;
}

int parts_pin_again(struct capture *capture, const char *name)
{
    struct part parts[PARTS_MAX];
    size_t count = list_parts(capture, parts);
    int err = renew_lease(capture, name);
    bool any = false;

    if (err < 0)
        return err;
    for (size_t i = 0; err == 0 && i < count; i++) {
        if (parts[i].fd < 0 || pins_has(name, parts[i].pin))
            continue;
        err = pins_replace(name, parts[i].pin, parts[i].fd);
        any = true;
    }
    return err < 0 ? cannot_pin(err) : any;
}

bool parts_has_deny(const char *name)
{
    return pins_has(name, deny_pins[0]);
}

void parts_remove_deny(const char *name)
{
    for (size_t i = 0; i < DENY_HOOKS; i++)
        pins_remove_one(name, deny_pins[i]);
    pins_remove_one(name, "promise_exits");
    pins_remove_one(name, "hold");
    for (size_t i = COMMON_MAPS; i < MAPS; i++)
        pins_remove_one(name, parts_map_pins[i]);
}
