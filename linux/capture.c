/* SPDX-License-Identifier: MIT */
#include "linux/capture.h"

#include "lib/error.h"
#include "linux/clock.h"
#include "linux/exit_hook.h"
#include "linux/pins.h"
#include "linux/place.h"
#include "linux/restore.h"
#include "linux/ring.h"

#include "rollcall.skel.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/membarrier.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const hook_pins[HOOKS] = {"on_fork",    "on_exec",    "on_exit", "again_fork",
                                             "again_exec", "again_exit", "at_free"};

/* The maps that a successor takes over; the last two are only there with the policy `deny`. */
static const char *const map_pins[] = {"ring",          "control",  "states",  "scratches",
                                       "snapshot_area", "promises", "promised"};
#define MAPS        (sizeof(map_pins) / sizeof(map_pins[0]))
#define DENY_MAPS   2
#define COMMON_MAPS (MAPS - DENY_MAPS)

static const char *const deny_pins[DENY_HOOKS] = {"deny_fork", "deny_exec", "deny_free"};
static const char *const deny_programs[][DENY_HOOKS] = {
    [DENY_LSM] = {"deny_fork", "deny_exec", "deny_free"},
    [DENY_MODIFY] = {"modify_fork", "modify_exec", "modify_free"},
};

/* Those that are always there. */
static const struct restore_map kept_maps[] = {{"ring", "ring"},
                                               {"control", ".data.control"},
                                               {"states", "states"},
                                               {"scratches", "scratches"},
                                               {"snapshot_area", "snapshot_area"}};

/* ---- the control page ---- */

/* NULL: errno says why. */
static struct control *map_control(int fd)
{
    void *page = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    return page == MAP_FAILED ? NULL : page;
}

static void set_u64(uint64_t *field, uint64_t value)
{
    atomic_store_explicit((_Atomic uint64_t *)field, value, memory_order_release);
}

static uint64_t get_u64(const uint64_t *field)
{
    return atomic_load_explicit((const _Atomic uint64_t *)field, memory_order_acquire);
}

static void set_u32(uint32_t *field, uint32_t value)
{
    atomic_store_explicit((_Atomic uint32_t *)field, value, memory_order_release);
}

static uint32_t get_u32(const uint32_t *field)
{
    return atomic_load_explicit((const _Atomic uint32_t *)field, memory_order_acquire);
}

/* Names the bytes of this build's programs (FNV-1a). */
static uint64_t this_build(void)
{
    size_t size = 0;
    const unsigned char *bytes = rollcall_bpf__elf_bytes(&size);
    uint64_t hash = 14695981039346656037ull;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 1099511628211ull;
    return hash;
}

#define UNTIDY 3 /* ticks: at least two full intervals */

/* From here on an exit leaves its entry in `states`, for who comes later. Programs that have not
 * seen it yet have ended when this returns. */
static void keep_exited(struct control *control)
{
    set_u32(&control->untidy, UNTIDY);
    if (get_u32(&control->keep_exited))
        return;
    set_u32(&control->keep_exited, 1);
    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

/* ---- loading ---- */

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

static int load_failed(int err)
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
        bpf_program__set_autoload(bpf_object__find_program_by_name(bpf->obj, deny_programs[way][i]),
                                  true);
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
        int fd = pins_open(name, map_pins[i]);
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

/* What the programs are loaded for: pinned maps to take over, or none; with `interrupted` the
 * hooks there were not whole, and what they missed is a gap before all that these report. */
struct takeover {
    struct control *control; /* NULL: none */
    bool interrupted;
    enum deny_way way;       /* of the new programs */
    const struct deny *deny; /* the settings of a new capture */
};

/* Whether the promises that were made are still true: else they begin anew. */
static bool keeps_promises(const struct takeover *from)
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
        err = reuse_maps(bpf, opts->name, keeps_promises(from) ? MAPS : COMMON_MAPS);
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

/* Loads and attaches the programs; *out stays NULL if that fails. */
static int load(struct rollcall_bpf **out, const struct rollcall_options *opts,
                const struct takeover *from)
{
    libbpf_print_fn_t print;
    int err;

    pthread_mutex_lock(&print_lock);
    print_text[0] = '\0';
    print = libbpf_set_print(keep_warning);
    err = try_load(out, opts, from);
    if (err < 0)
        err = load_failed(err);
    libbpf_set_print(print);
    pthread_mutex_unlock(&print_lock);
    return err;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
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
        close_fd(*copies[i].to);
        *copies[i].to = fd;
    }
    return 0;
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
        {&deny->promised, bpf_map__fd(bpf->maps.data_promised)},
    };

    return take_copies(copies, sizeof(copies) / sizeof(copies[0]));
}

/* Takes descriptors of all that is needed, so that libbpf's objects can go. */
static int take_descriptors(struct capture *capture, const struct rollcall_bpf *bpf)
{
    const struct copy copies[] = {
        {&capture->ring, bpf_map__fd(bpf->maps.ring)},
        {&capture->data, bpf_map__fd(bpf->maps.data_control)},
        {&capture->states, bpf_map__fd(bpf->maps.states)},
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
    int err = take_copies(copies, sizeof(copies) / sizeof(copies[0]));

    return err == 0 && bpf->rodata->denies ? take_deny_descriptors(&capture->deny, bpf) : err;
}

static int pin_deny(const struct deny_programs *deny, const char *name)
{
    int err = 0;

    for (size_t i = 0; err == 0 && i < DENY_HOOKS; i++)
        err = pins_replace(name, deny_pins[i], deny->links[i]);
    if (err == 0)
        err = pins_replace(name, "promise_exits", deny->promise_exits);
    return err < 0 ? err : pins_replace(name, "hold", deny->hold);
}

/* Pins what a successor needs. In place of what may be there: each step leaves a working set. */
static int pin_all(const struct capture *capture, const struct rollcall_bpf *bpf, const char *name)
{
    bool denies = bpf->rodata->denies;
    struct bpf_map *maps[MAPS];
    int err = 0;

    maps_of(bpf, maps);
    for (size_t i = 0; err == 0 && i < (denies ? MAPS : COMMON_MAPS); i++)
        err = pins_replace(name, map_pins[i], bpf_map__fd(maps[i]));
    /* Second programs go before first ones: see made_good(). */
    for (size_t i = HOOKS; err == 0 && i > 0; i--)
        err = pins_replace(name, hook_pins[i - 1], capture->links[i - 1]);
    if (err == 0)
        err = pins_replace(name, "snapshot", capture->snapshot);
    if (err == 0)
        err = pins_replace(name, "mark", capture->mark);
    if (err == 0 && denies)
        err = pin_deny(&capture->deny, name);
    if (err < 0)
        return rollcall_fail(err, "cannot pin the capture in the BPF file system: %s",
                             strerror(-err));
    return 0;
}

/* ---- the policy `deny` ---- */

/* The way in which the options' policy can be had: DENY_NONE for `gap`. 0 or -errno. */
static int choose_way(const struct rollcall_options *opts, enum deny_way *way)
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

static void close_deny(struct deny_programs *deny)
{
    for (size_t i = 0; i < DENY_HOOKS; i++)
        close_fd(deny->links[i]);
    close_fd(deny->promise_exits);
    close_fd(deny->hold);
    close_fd(deny->promised);
    memset(deny, 0xff, sizeof(*deny));
}

/* From now on nobody is refused. */
static void remove_deny(struct capture *capture, const char *name)
{
    set_u32(&capture->control->deny.state, DENY_OFF);
    for (size_t i = 0; i < DENY_HOOKS; i++)
        pins_remove_one(name, deny_pins[i]);
    pins_remove_one(name, "promise_exits");
    pins_remove_one(name, "hold");
    for (size_t i = COMMON_MAPS; i < MAPS; i++)
        pins_remove_one(name, map_pins[i]);
    close_deny(&capture->deny);
}

/* What a reader does that holds the policy, when all is attached. */
static int begin_deny(struct capture *capture)
{
    int err = deny_hold(&capture->deny);

    if (err < 0)
        return rollcall_fail(err, "the kernel does not run a program of the policy `deny`: %s",
                             strerror(-err));
    keep_exited(capture->control);
    deny_tick(&capture->control->deny, &capture->deny);
    return 0;
}

/* ---- a new capture ---- */

/* It only grows, whatever the clock was set to. */
static uint64_t new_epoch(const struct rollcall_options *opts)
{
    uint64_t now = clock_ns(CLOCK_REALTIME) / 1000;

    return now > opts->kept_epoch ? now : opts->kept_epoch + 1;
}

/* interrupted: another one was there before, in this boot. */
static int create(struct capture *capture, const struct rollcall_options *opts, bool interrupted)
{
    struct rollcall_bpf *bpf = NULL;
    struct deny deny = {0};
    struct takeover nothing = {.deny = &deny, .interrupted = interrupted};
    struct control *control;
    int err;

    err = choose_way(opts, &nothing.way);
    if (err == 0 && nothing.way != DENY_NONE)
        err = deny_configure(&deny, opts, opts->ring_size);
    if (err < 0)
        return err;
    deny.way = nothing.way;
    if (opts->name)
        pins_remove(opts->name, false);
    err = load(&bpf, opts, &nothing);
    if (!bpf)
        return err;
    err = take_descriptors(capture, bpf);
    if (err < 0)
        goto out;
    control = capture->control = map_control(capture->data);
    if (!control) {
        err = rollcall_fail(-ENOMEM, "cannot map the control page: %s", strerror(errno));
        goto out;
    }
    control->magic = CAPTURE_MAGIC;
    control->format = CAPTURE_FORMAT;
    control->build = this_build();
    control->epoch = new_epoch(opts);
    set_u64(&control->attached_ns, clock_boot_ns());
    if (opts->name)
        err = pin_all(capture, bpf, opts->name);
    if (err == 0)
        set_u32(&control->ready, 1);
out:
    rollcall_bpf__destroy(bpf);
    return err;
}

/* ---- an existing capture ---- */

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
    close_fd(program);
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
        right = open_link(name, deny_pins[i], deny_programs[way][i],
                          i == DENY_HOOKS - 1 ? 0 : ring_id, data_id, &deny->links[i]);
    if (right == 1)
        right = open_link(name, "promise_exits", "promise_exits", ring_id, data_id,
                          &deny->promise_exits);
    deny->hold = pins_open(name, "hold");
    deny->promised = pins_open(name, "promised");
    if (right == 1)
        right =
            deny->promised >= 0 && deny->hold >= 0 && is_program(deny->hold, "hold", 0, data_id);
    return right;
}

/* A pin that is there is not yet a program that runs, and not yet one that writes to this ring.
 * Opens and checks all. 1; 0 if anything is missing or is not what it should be; -EPERM if this
 * may not be known. */
static int open_programs(struct capture *capture, const char *name)
{
    uint32_t ring_id = map_id(capture->ring);
    uint32_t data_id = map_id(capture->data);
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

static void notice_skips(struct capture *capture)
{
    struct control *control = capture->control;

    for (size_t i = 0; i < FIRST_HOOKS; i++) {
        struct hook_skips *known = &control->hook_skips[i];
        struct bpf_prog_info info = {0};
        uint32_t size = sizeof(info);

        if (bpf_obj_get_info_by_fd(capture->programs[i], &info, &size) < 0)
            continue;
        if (known->prog_id != info.id) {
            known->prog_id = info.id;
            known->seen = 0;
        }
        control->skips += info.recursion_misses - known->seen;
        known->seen = info.recursion_misses;
    }
    if (control->skips > control->skips_judged)
        set_u32(&control->heal_late, 1);
}

/* Puts this build's programs in the place of those that run. For a moment both are attached, and
 * share the processes' states and promises: each event is written by the one that comes first. */
static int take_over(struct capture *capture, const struct rollcall_options *opts, bool interrupted,
                     enum deny_way way)
{
    struct control *control = capture->control;
    const struct takeover from = {.control = control, .interrupted = interrupted, .way = way};
    struct rollcall_bpf *bpf = NULL;
    int err;

    keep_exited(control);
    if (way != DENY_NONE && !keeps_promises(&from))
        set_u32(&control->deny.state, DENY_WAITS);
    err = load(&bpf, opts, &from);
    if (!bpf)
        return err;
    err = take_descriptors(capture, bpf);
    if (err == 0)
        err = pin_all(capture, bpf, opts->name);
    if (err == 0 && way == DENY_NONE && control->deny.way != DENY_NONE)
        remove_deny(capture, opts->name);
    if (err == 0) {
        set_u32(&control->deny.way, way);
        set_u64(&control->build, this_build());
    }
    rollcall_bpf__destroy(bpf);
    return err;
}

static int continue_capture(struct capture *capture, const struct rollcall_options *opts)
{
    struct control *control = capture->control;
    struct rollcall_options same = *opts;
    enum deny_way way;
    int whole;
    int err;

    if (control->magic != CAPTURE_MAGIC || control->format != CAPTURE_FORMAT)
        return rollcall_fail(-EPROTO,
                             "consumer '%s' was made by an incompatible version of rollcall: read "
                             "it to its end with that version, then `rollcall detach %s`",
                             opts->name, opts->name);
    capture->ring = pins_open(opts->name, "ring");
    capture->states = pins_open(opts->name, "states");
    if (capture->ring < 0 || capture->states < 0)
        return rollcall_fail(-EPERM, "cannot open the maps of consumer '%s'", opts->name);
    whole = open_programs(capture, opts->name);
    if (whole < 0)
        return load_failed(whole);
    err = choose_way(opts, &way);
    if (err == 0 && way != DENY_NONE)
        err = deny_configure(&control->deny, opts, control->ring_size);
    if (err < 0)
        return err;
    set_u32(&control->args_max, opts->args_max);
    if (whole && control->build == this_build() && control->deny.way == way)
        return 0;
    /* What the programs that are replaced know of skips goes with them. */
    if (whole)
        notice_skips(capture);
    same.ring_size = control->ring_size;
    return take_over(capture, &same, !whole, way);
}

/* Opens the control page of the named capture if it was ever finished. */
static int open_control(const char *name, struct control **control)
{
    int data = pins_open(name, "control");
    int err = -ENOENT;

    if (data < 0)
        return data;
    *control = map_control(data);
    if (*control && get_u32(&(*control)->ready))
        return data;
    if (*control)
        munmap(*control, sizeof(**control));
    else
        err = -ENOMEM;
    *control = NULL;
    close(data);
    return err;
}

static int open_named(struct capture *capture, const struct rollcall_options *opts)
{
    bool only_continue = opts->flags & ROLLCALL_CONTINUE;
    bool removed = false;
    int err;

    capture->lease = pins_lock(opts->name, !only_continue);
    if (capture->lease < 0)
        return capture->lease;
    if (!only_continue)
        removed = !restore_pins(opts->name, kept_maps, sizeof(kept_maps) / sizeof(kept_maps[0]));
    capture->data = open_control(opts->name, &capture->control);
    if (capture->data >= 0)
        return continue_capture(capture, opts);
    if (capture->data != -ENOENT)
        return rollcall_fail(capture->data, "cannot open what is pinned for consumer '%s': %s%s",
                             opts->name, strerror(-capture->data),
                             capture->data == -EPERM ? "; this needs root, or CAP_BPF" : "");
    if (only_continue)
        return rollcall_fail(-ENOENT, "there is no consumer '%s'", opts->name);
    /* What was kept since the system was booted is of one that is gone. */
    removed |= opts->kept_epoch && opts->kept_time_ns > clock_wall_offset_ns();
    err = create(capture, opts, removed);
    if (err < 0)
        pins_remove(opts->name, true);
    return err;
}

/* Adds to the text of -EBUSY who the reader is. */
static int name_reader(const char *name)
{
    struct control *control = NULL;
    int data = open_control(name, &control);
    uint32_t pid = data < 0 ? 0 : get_u32(&control->reader_pid);

    if (data >= 0) {
        munmap(control, sizeof(*control));
        close(data);
    }
    if (pid == 0)
        return -EBUSY;
    return rollcall_fail(-EBUSY,
                         "consumer '%s' is in use by process %u: stop that one first, or use "
                         "another name",
                         name, pid);
}

/* ---- interface ---- */

int capture_open(struct capture *capture, const struct rollcall_options *opts)
{
    int err;

    memset(capture, 0xff, sizeof(*capture));
    capture->control = NULL;
    err = opts->name ? open_named(capture, opts) : create(capture, opts, false);
    if (err == -EBUSY && opts->name)
        err = name_reader(opts->name);
    if (err == 0 && capture->control && capture->control->deny.way != DENY_NONE)
        err = begin_deny(capture);
    if (err < 0) {
        capture_close(capture);
        return err;
    }
    set_u32(&capture->control->reader_pid, (uint32_t)getpid());
    return 0;
}

void capture_close(struct capture *capture)
{
    if (capture->control) {
        set_u32(&capture->control->reader_pid, 0);
        if (capture->control->deny.way != DENY_NONE)
            deny_let_go(&capture->control->deny);
        munmap(capture->control, sizeof(*capture->control));
    }
    for (size_t i = 0; i < HOOKS; i++) {
        close_fd(capture->links[i]);
        close_fd(capture->programs[i]);
    }
    close_deny(&capture->deny);
    close_fd(capture->snapshot);
    close_fd(capture->mark);
    close_fd(capture->data);
    close_fd(capture->states);
    close_fd(capture->ring);
    close_fd(capture->lease);
}

int capture_snapshot(const struct capture *capture)
{
    char buffer[64];
    ssize_t n;
    int fd;

    keep_exited(capture->control);
    fd = bpf_iter_create(capture->snapshot);
    if (fd < 0)
        return -errno;
    do
        n = read(fd, buffer, sizeof(buffer));
    while (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)));
    close(fd);
    return n < 0 ? -errno : 0;
}

int capture_mark(const struct capture *capture)
{
    LIBBPF_OPTS(bpf_test_run_opts, opts);

    if (bpf_prog_test_run_opts(capture->mark, &opts) < 0)
        return -errno;
    return opts.retval ? -EAGAIN : 0;
}

/*
 * Skips of which it is known that nothing is missing: the second program has written it, or the
 * thread that was to be looked at was none to be written. Of threads it is only known how many
 * more second programs than first ones were run for them, which is never more than were skipped;
 * the count of the first ones is read last, and they are attached first and removed last, so
 * that it is not too small.
 *
 * What was announced late is not among them: not each of it makes a skip good, as the kernel can
 * hide forks from the programs. It is healed, and counted as lost all the same: that is at most
 * too much, and no loss is taken for healed.
 */
static uint64_t made_good(const struct control *control)
{
    uint64_t again = get_u64(&control->again);
    uint64_t second = get_u64(&control->idle[SECOND]);
    uint64_t first = get_u64(&control->idle[FIRST]);

    return again + (second > first ? second - first : 0);
}

/*
 * All counts are from the beginning, and none begins anew. So what is made good meanwhile of skips
 * that are yet to be noticed only delays what is counted as lost: when there are no more skips
 * nothing is left out, and it never goes down.
 */
static void heal_skips(struct capture *capture)
{
    struct control *control = capture->control;
    uint64_t lost = control->lost[ROLLCALL_LOST_SKIPPED];
    uint64_t good;

    if (capture_snapshot(capture) < 0)
        return;
    good = made_good(control);
    if (control->skips > good + lost)
        set_u64(&control->lost[ROLLCALL_LOST_SKIPPED], control->skips - good);
    control->skips_judged = control->skips;
}

static void remove_exited(const struct capture *capture)
{
    struct process key;
    struct process next;
    struct state value;
    bool more = bpf_map_get_next_key(capture->states, NULL, &next) == 0;

    while (more) {
        key = next;
        more = bpf_map_get_next_key(capture->states, &key, &next) == 0;
        if (bpf_map_lookup_elem(capture->states, &key, &value) == 0 && value.exited)
            bpf_map_delete_elem(capture->states, &key);
    }
}

/* First the programs go back to removing entries themselves; when all have done so, what is
 * left is removed. */
static void tidy(const struct capture *capture)
{
    struct control *control = capture->control;

    if (control->untidy == 0 || get_u32(&control->synced_due))
        return;
    control->untidy--;
    if (control->untidy == 1)
        set_u32(&control->keep_exited, 0);
    else if (control->untidy == 0)
        remove_exited(capture);
}

/* Not while exited processes are being removed, so that they are once. */
static void tick_deny(struct capture *capture)
{
    struct control *control = capture->control;

    if (control->deny.way == DENY_NONE || control->untidy || !deny_is_due(&control->deny))
        return;
    keep_exited(control);
    deny_tick(&control->deny, &capture->deny);
}

void capture_tick(struct capture *capture)
{
    struct control *control = capture->control;

    /* Skips that were noticed at the last tick: by now the snapshot may speak for them. */
    if (control->skips > control->skips_judged)
        heal_skips(capture);
    notice_skips(capture);
    tidy(capture);
    tick_deny(capture);
}

/* Nobody is to be refused while its programs are removed, one after the other. */
static void stop_denying(const char *name)
{
    struct control *control = NULL;
    int data = open_control(name, &control);

    if (data < 0)
        return;
    set_u32(&control->deny.state, DENY_OFF);
    munmap(control, sizeof(*control));
    close(data);
}

int capture_detach(const char *name)
{
    int lease = pins_lock(name, false);
    int err;

    if (lease < 0)
        return lease == -EBUSY ? name_reader(name) : lease;
    stop_denying(name);
    err = pins_remove(name, true);
    close(lease);
    if (err < 0)
        return rollcall_fail(err, "cannot remove the pins of consumer '%s': %s", name,
                             strerror(-err));
    return 0;
}

static void deny_stats(const struct deny *deny, int promised, struct rollcall_stats *stats)
{
    unsigned way = get_u32(&deny->way);

    if (way == DENY_NONE)
        return;
    stats->on_full = ROLLCALL_ON_FULL_DENY;
    stats->deny_holds = deny_in_force(deny);
    stats->denied = get_u64(&deny->denied);
    stats->denied_execs = get_u64(&deny->denied_execs);
    stats->exempted = get_u64(&deny->exempted);
    stats->deny_ended = get_u64(&deny->ended);
    stats->deny_grace_ms = (uint32_t)(get_u64(&deny->grace_ns) / 1000000);
    stats->promised = deny_promised(promised);
    snprintf(stats->deny_way, sizeof(stats->deny_way), "%s", deny_way_name(way));
}

void capture_stats(const struct capture *capture, struct rollcall_stats *stats)
{
    const struct control *control = capture->control;
    struct place place;

    place_load(control, &place);
    stats->epoch = control->epoch;
    stats->acked_seq = place.acked_seq;
    for (size_t i = 0; i < ROLLCALL_REASONS; i++)
        stats->lost[i] = get_u64(&control->lost[i]);
    stats->late = get_u64(&control->late);
    stats->states_failed = get_u64(&control->states_failed);
    stats->texts_cut = get_u64(&control->texts_cut);
    stats->ring_size = control->ring_size;
    stats->attached_ns = get_u64(&control->attached_ns);
    stats->reader_pid = get_u32(&control->reader_pid);
    stats->args_max = get_u32(&control->args_max);
    deny_stats(&control->deny, capture->deny.promised, stats);
}

int capture_inspect(const char *name, struct rollcall_stats *stats)
{
    struct control *control = NULL;
    struct capture capture;
    struct ring ring;
    int data = open_control(name, &control);
    int map;
    int err;

    if (data < 0)
        return rollcall_fail(data,
                             data == -ENOENT ? "there is no consumer '%s'"
                                             : "cannot look at consumer '%s': this needs root",
                             name);
    map = pins_open(name, "ring");
    err = map < 0 ? map : ring_map(&ring, map, control->ring_size);
    if (err < 0) {
        rollcall_fail(err, "cannot look at the ring of consumer '%s': %s", name, strerror(-err));
        goto out;
    }
    capture.control = control;
    capture.deny.promised = pins_open(name, "promised");
    capture_stats(&capture, stats);
    close_fd(capture.deny.promised);
    stats->ring_used = ring_produced(&ring) - ring_consumed(&ring);
    if (!pins_locked(name))
        stats->reader_pid = 0;
    ring_unmap(&ring);
out:
    close_fd(map);
    munmap(control, sizeof(*control));
    close(data);
    return err;
}
