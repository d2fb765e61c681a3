/* SPDX-License-Identifier: MIT */
#include "linux/load.h"

#include "lib/error.h"
#include "linux/control.h"
#include "linux/exit_hook.h"
#include "linux/parts.h"
#include "linux/pins.h"

#include "rollcall.skel.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* FNV-1a. */
uint64_t load_build(void)
{
    size_t size = 0;
    const unsigned char *bytes = rollcall_bpf__elf_bytes(&size);
    uint64_t hash = 14695981039346656037ull;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 1099511628211ull;
    return hash;
}

/* libbpf's messages go through one function for the whole process; ours are kept for the text of
 * the error, and what the application has set is put back. */
static pthread_mutex_t print_lock = PTHREAD_MUTEX_INITIALIZER;
static char print_text[256];

__attribute__((format(printf, 2, 0))) static int keep_warning(enum libbpf_print_level level,
                                                              const char *format, va_list args)
{
    if (level == LIBBPF_WARN && !print_text[0])
        vsnprintf(print_text, sizeof(print_text), format, args);
    return 0;
}

int load_failed(int err)
{
    if (err == -EPERM || err == -EACCES)
        return rollcall_fail(-EPERM, "the kernel does not allow loading BPF programs: this needs "
                                     "root, or CAP_BPF, CAP_PERFMON and CAP_SYS_RESOURCE; "
                                     "`rollcall doctor` tells what is missing");
    if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
        return rollcall_fail(-EOPNOTSUPP, "this kernel has no type information "
                                          "(/sys/kernel/btf/vmlinux): it must be built with "
                                          "CONFIG_DEBUG_INFO_BTF; see `rollcall doctor`");
    print_text[strcspn(print_text, "\n")] = '\0';
    if (err == -ENOMEM)
        return rollcall_fail(-ENOMEM, "no memory for the ring: use a smaller one (%s)", print_text);
    return rollcall_fail(err == -EINTR ? err : -EOPNOTSUPP,
                         "the kernel refuses the programs: %s (%s); see `rollcall doctor`",
                         strerror(-err), print_text);
}

/* No more processes than that can exist; within reason, as the map's buckets take memory. */
static uint32_t max_processes(void)
{
    FILE *file = fopen("/proc/sys/kernel/threads-max", "re");
    unsigned long max = 0;

    if (file) {
        char line[32];

        if (fgets(line, sizeof(line), file))
            max = strtoul(line, NULL, 10);
        fclose(file);
    }
    return max < 32768 ? 32768 : max > 1048576 ? 1048576 : (uint32_t)max;
}

static bool has_group_dead(void)
{
    struct btf *btf = btf__load_vmlinux_btf();
    bool has;

    if (libbpf_get_error(btf))
        btf = NULL;
    has = exit_hook_names_last(btf);
    btf__free(btf);
    return has;
}

/* The programs of the policy `deny`, in the way that was found. */
static void configure_deny(struct rollcall_bpf *bpf, enum deny_way way)
{
    bpf->rodata->denies = way != DENY_NONE;
    if (way == DENY_NONE)
        return;
    for (size_t i = 0; i < DENY_HOOKS; i++)
        bpf_program__set_autoload(
            bpf_object__find_program_by_name(bpf->obj, parts_deny_programs[way][i]), true);
    bpf_program__set_autoload(bpf->progs.promise_exits, true);
    bpf_program__set_autoload(bpf->progs.hold, true);
    /* Of each process its exit; of some also their exec, or that they are being made, or exempt. */
    bpf_map__set_max_entries(bpf->maps.promises, 2 * max_processes());
}

static void configure(struct rollcall_bpf *bpf, const struct rollcall_options *opts,
                      enum deny_way way)
{
    uint32_t processors = (uint32_t)libbpf_num_possible_cpus();
    struct control *control = (struct control *)&bpf->data_control->control;

    bpf->rodata->processors = processors;
    bpf->rodata->has_group_dead = has_group_dead();
    bpf_map__set_max_entries(bpf->maps.states, max_processes());
    bpf_map__set_max_entries(bpf->maps.ring, (uint32_t)opts->ring_size);
    bpf_map__set_max_entries(bpf->maps.scratches, processors * SCRATCH_RUNS);
    control->ring_size = opts->ring_size;
    control->args_max = opts->args_max;
    control->synced_due = opts->name || opts->flags & ROLLCALL_EXISTING;
    control->track_old = control->synced_due;
    control->keep_exited = control->synced_due;
    control->untidy = UNTIDY;
    configure_deny(bpf, way);
}

static void maps_of(const struct rollcall_bpf *bpf, struct bpf_map *maps[])
{
    maps[0] = bpf->maps.ring;
    maps[1] = bpf->maps.data_control;
    maps[2] = bpf->maps.states;
    maps[3] = bpf->maps.scratches;
    maps[4] = bpf->maps.snapshot_area;
    maps[5] = bpf->maps.promises;
    maps[6] = bpf->maps.data_promised;
}

/* Makes the new programs work on the pinned maps. */
static int reuse_maps(struct rollcall_bpf *bpf, const char *name, size_t count)
{
    struct bpf_map *maps[MAPS];

    maps_of(bpf, maps);
    for (size_t i = 0; i < count; i++) {
        int fd = pins_open(name, parts_map_pins[i]);
        int err;

        if (fd < 0)
            return fd;
        err = bpf_map__reuse_fd(maps[i], fd);
        close(fd);
        if (err < 0)
            return err;
    }
    return 0;
}

bool load_keeps_promises(const struct takeover *from)
{
    return from->control->deny.way != DENY_NONE && from->way != DENY_NONE && !from->interrupted;
}

static void count_interruption(struct control *control)
{
    set_u64(&control->lost[ROLLCALL_LOST_INTERRUPTED],
            control->lost[ROLLCALL_LOST_INTERRUPTED] + 1);
}

static int try_load(struct rollcall_bpf **out, const struct rollcall_options *opts,
                    const struct takeover *from)
{
    struct rollcall_bpf *bpf = rollcall_bpf__open();
    int err = 0;

    if (!bpf)
        return -ENOMEM;
    configure(bpf, opts, from->way);
    if (!from->control)
        ((struct control *)&bpf->data_control->control)->deny = *from->deny;
    if (!from->control && from->interrupted)
        count_interruption((struct control *)&bpf->data_control->control);
    if (from->control)
        err = reuse_maps(bpf, opts->name, load_keeps_promises(from) ? MAPS : COMMON_MAPS);
    if (err == 0)
        err = rollcall_bpf__load(bpf);
    if (err == 0 && from->control && from->interrupted)
        count_interruption(from->control);
    if (err == 0)
        err = rollcall_bpf__attach(bpf);
    if (err < 0) {
        rollcall_bpf__destroy(bpf);
        return err;
    }
    *out = bpf;
    return 0;
}

static int dup_fd(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

    return copy < 0 ? -errno : copy;
}

struct copy {
    int *to;
    int from;
};

static int take_copies(const struct copy *copies, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int fd = dup_fd(copies[i].from);

        if (fd < 0)
            return rollcall_fail(fd, "out of file descriptors: %s", strerror(-fd));
        if (*copies[i].to >= 0)
            close(*copies[i].to);
        *copies[i].to = fd;
    }
    return 0;
}

static int take_maps(struct capture *capture, const struct rollcall_bpf *bpf)
{
    struct bpf_map *maps[MAPS];
    struct copy copies[MAPS];

    maps_of(bpf, maps);
    for (size_t i = 0; i < MAPS; i++)
        copies[i] = (struct copy){&capture->maps[i], bpf_map__fd(maps[i])};
    return take_copies(copies, bpf->rodata->denies ? MAPS : COMMON_MAPS);
}

static int take_deny_descriptors(struct deny_programs *deny, const struct rollcall_bpf *bpf)
{
    bool lsm = bpf->links.deny_fork;
    const struct copy copies[] = {
        {&deny->links[0], bpf_link__fd(lsm ? bpf->links.deny_fork : bpf->links.modify_fork)},
        {&deny->links[1], bpf_link__fd(lsm ? bpf->links.deny_exec : bpf->links.modify_exec)},
        {&deny->links[2], bpf_link__fd(lsm ? bpf->links.deny_free : bpf->links.modify_free)},
        {&deny->promise_exits, bpf_link__fd(bpf->links.promise_exits)},
        {&deny->hold, bpf_program__fd(bpf->progs.hold)},
    };

    return take_copies(copies, sizeof(copies) / sizeof(copies[0]));
}

/* Takes descriptors of all that is needed, so that libbpf's objects can go. */
static int take_descriptors(struct capture *capture, const struct rollcall_bpf *bpf)
{
    const struct copy copies[] = {
        {&capture->links[HOOK_FORK], bpf_link__fd(bpf->links.on_fork)},
        {&capture->links[HOOK_EXEC], bpf_link__fd(bpf->links.on_exec)},
        {&capture->links[HOOK_EXIT], bpf_link__fd(bpf->links.on_exit)},
        {&capture->links[HOOK_FORK_AGAIN], bpf_link__fd(bpf->links.again_fork)},
        {&capture->links[HOOK_EXEC_AGAIN], bpf_link__fd(bpf->links.again_exec)},
        {&capture->links[HOOK_EXIT_AGAIN], bpf_link__fd(bpf->links.again_exit)},
        {&capture->links[HOOK_FREE], bpf_link__fd(bpf->links.at_free)},
        {&capture->programs[HOOK_FREE], bpf_program__fd(bpf->progs.at_free)},
        {&capture->programs[HOOK_FORK], bpf_program__fd(bpf->progs.on_fork)},
        {&capture->programs[HOOK_EXEC], bpf_program__fd(bpf->progs.on_exec)},
        {&capture->programs[HOOK_EXIT], bpf_program__fd(bpf->progs.on_exit)},
        {&capture->programs[HOOK_FORK_AGAIN], bpf_program__fd(bpf->progs.again_fork)},
        {&capture->programs[HOOK_EXEC_AGAIN], bpf_program__fd(bpf->progs.again_exec)},
        {&capture->programs[HOOK_EXIT_AGAIN], bpf_program__fd(bpf->progs.again_exit)},
        {&capture->snapshot, bpf_link__fd(bpf->links.snapshot)},
        {&capture->mark, bpf_program__fd(bpf->progs.mark)},
    };
    int err = take_maps(capture, bpf);

    if (err == 0)
        err = take_copies(copies, sizeof(copies) / sizeof(copies[0]));
    return err == 0 && bpf->rodata->denies ? take_deny_descriptors(&capture->deny, bpf) : err;
}

int load_programs(struct capture *capture, const struct rollcall_options *opts,
                  const struct takeover *from)
{
    struct rollcall_bpf *bpf = NULL;
    libbpf_print_fn_t print;
    int err;

    pthread_mutex_lock(&print_lock);
    print_text[0] = '\0';
    print = libbpf_set_print(keep_warning);
    err = try_load(&bpf, opts, from);
    if (err < 0)
        err = load_failed(err);
    libbpf_set_print(print);
    pthread_mutex_unlock(&print_lock);
    if (!bpf)
        return err;
    err = take_descriptors(capture, bpf);
    rollcall_bpf__destroy(bpf);
    return err;
}

int load_choose_way(const struct rollcall_options *opts, enum deny_way *way)
{
    char why[128];

    *way = DENY_NONE;
    if (opts->on_full != ROLLCALL_ON_FULL_DENY)
        return 0;
    pthread_mutex_lock(&print_lock);
    *way = deny_find_way(why, sizeof(why));
    pthread_mutex_unlock(&print_lock);
    if (*way == DENY_NONE)
        return rollcall_fail(
            -EOPNOTSUPP,
            "this kernel lets no program refuse a process, which the policy `deny` "
            "needs (%s)",
            why);
    return 0;
}
