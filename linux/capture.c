/* SPDX-License-Identifier: MIT */
#include "linux/capture.h"

#include "lib/error.h"
#include "linux/clock.h"
#include "linux/control.h"
#include "linux/load.h"
#include "linux/parts.h"
#include "linux/pins.h"
#include "linux/place.h"
#include "linux/restore.h"
#include "linux/ring.h"
#include "linux/skips.h"

#include <bpf/bpf.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The first are always there; the others with the policy `deny`. */
static const struct restore_map kept_maps[MAPS] = {{"ring", "ring"},
                                                   {"control", ".data.control"},
                                                   {"states", "states"},
                                                   {"scratches", "scratches"},
                                                   {"snapshot_area", "snapshot_area"},
                                                   {"promises", "promises"},
                                                   {"promised", ".data.promised"}};

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* ---- the policy `deny` ---- */

static void close_deny(struct deny_programs *deny)
{
    for (size_t i = 0; i < DENY_HOOKS; i++)
        close_fd(deny->links[i]);
    close_fd(deny->promise_exits);
    close_fd(deny->hold);
    memset(deny, 0xff, sizeof(*deny));
}

/* From now on nobody is refused. */
static void remove_deny(struct capture *capture, const char *name)
{
    set_u32(&capture->control->deny.state, DENY_OFF);
    parts_remove_deny(name);
    for (size_t i = COMMON_MAPS; i < MAPS; i++) {
        close_fd(capture->maps[i]);
        capture->maps[i] = -1;
    }
    close_deny(&capture->deny);
}

/* What a reader does that holds the policy, when all is attached. */
static int begin_deny(struct capture *capture)
{
    int err = deny_hold(&capture->deny);

    if (err < 0)
        return rollcall_fail(err, "the kernel does not run a program of the policy `deny`: %s",
                             strerror(-err));
    control_keep_exited(capture->control);
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
    struct deny deny = {0};
    struct takeover nothing = {.deny = &deny, .interrupted = interrupted};
    struct control *control;
    int err;

    err = load_choose_way(opts, &nothing.way);
    if (err == 0 && nothing.way != DENY_NONE)
        err = deny_configure(&deny, opts, opts->ring_size);
    if (err < 0)
        return err;
    deny.way = nothing.way;
    if (opts->name)
        pins_remove(opts->name, false);
    err = load_programs(capture, opts, &nothing);
    if (err < 0)
        return err;
    control = capture->control = control_map(capture->maps[MAP_CONTROL]);
    if (!control)
        return rollcall_fail(-ENOMEM, "cannot map the control page: %s", strerror(errno));
    control->magic = CAPTURE_MAGIC;
    control->format = CAPTURE_FORMAT;
    control->build = load_build();
    control->epoch = new_epoch(opts);
    set_u64(&control->attached_ns, clock_boot_ns());
    if (opts->name)
        err = parts_pin(capture, opts->name);
    if (err == 0)
        set_u32(&control->ready, 1);
    return err;
}

/* ---- an existing capture ---- */

/* Puts this build's programs in the place of those that run. For a moment both are attached, and
 * share the processes' states and promises: each event is written by the one that comes first. */
static int take_over(struct capture *capture, const struct rollcall_options *opts, bool interrupted,
                     enum deny_way way)
{
    struct control *control = capture->control;
    const struct takeover from = {.control = control, .interrupted = interrupted, .way = way};
    int err;

    control_keep_exited(control);
    if (way != DENY_NONE && !load_keeps_promises(&from))
        set_u32(&control->deny.state, DENY_WAITS);
    err = load_programs(capture, opts, &from);
    if (err == 0)
        err = parts_pin(capture, opts->name);
    if (err == 0 && way == DENY_NONE && control->deny.way != DENY_NONE)
        remove_deny(capture, opts->name);
    if (err == 0) {
        set_u32(&control->deny.way, way);
        set_u64(&control->build, load_build());
    }
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
    if (!parts_open_maps(capture, opts->name))
        return rollcall_fail(-EPERM, "cannot open the maps of consumer '%s'", opts->name);
    whole = parts_open_programs(capture, opts->name);
    if (whole < 0)
        return load_failed(whole);
    err = load_choose_way(opts, &way);
    if (err == 0 && way != DENY_NONE)
        err = deny_configure(&control->deny, opts, control->ring_size);
    if (err < 0)
        return err;
    set_u32(&control->args_max, opts->args_max);
    if (whole && control->build == load_build() && control->deny.way == way)
        return 0;
    /* What the programs that are replaced know of skips goes with them. */
    if (whole)
        skips_notice(capture);
    same.ring_size = control->ring_size;
    return take_over(capture, &same, !whole, way);
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
        removed = !restore_pins(opts->name, kept_maps, COMMON_MAPS,
                                parts_has_deny(opts->name) ? MAPS : COMMON_MAPS);
    capture->maps[MAP_CONTROL] = control_open(opts->name, &capture->control);
    if (capture->maps[MAP_CONTROL] >= 0)
        return continue_capture(capture, opts);
    if (capture->maps[MAP_CONTROL] != -ENOENT)
        return rollcall_fail(
            capture->maps[MAP_CONTROL], "cannot open what is pinned for consumer '%s': %s%s",
            opts->name, strerror(-capture->maps[MAP_CONTROL]),
            capture->maps[MAP_CONTROL] == -EPERM ? "; this needs root, or CAP_BPF" : "");
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
    int data = control_open(name, &control);
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
    capture->repinned = capture->unpinned = 0;
    snprintf(capture->name, sizeof(capture->name), "%s", opts->name ? opts->name : "");
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
    for (size_t i = 0; i < MAPS; i++)
        close_fd(capture->maps[i]);
    close_fd(capture->lease);
}

int capture_snapshot(const struct capture *capture)
{
    char buffer[64];
    ssize_t n;
    int fd;

    control_keep_exited(capture->control);
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

static void remove_exited(const struct capture *capture)
{
    struct process key;
    struct process next;
    struct state value;
    bool more = bpf_map_get_next_key(capture->maps[MAP_STATES], NULL, &next) == 0;

    while (more) {
        key = next;
        more = bpf_map_get_next_key(capture->maps[MAP_STATES], &key, &next) == 0;
        if (bpf_map_lookup_elem(capture->maps[MAP_STATES], &key, &value) == 0 && value.exited)
            bpf_map_delete_elem(capture->maps[MAP_STATES], &key);
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
    control_keep_exited(control);
    deny_tick(&control->deny, &capture->deny);
}

/* Who has removed them by hand, or unmounted them, has not meant the events of our successor. */
static void tick_pins(struct capture *capture)
{
    int pinned = *capture->name ? parts_pin_again(capture, capture->name) : 0;

    capture->repinned += pinned > 0 ? 1 : 0;
    capture->unpinned = pinned < 0 ? (uint32_t)-pinned : 0;
}

void capture_tick(struct capture *capture)
{
    struct control *control = capture->control;

    /* Skips that were noticed at the last tick: by now the snapshot may speak for them. */
    if (control->skips > control->skips_judged)
        skips_heal(capture);
    skips_notice(capture);
    tidy(capture);
    tick_deny(capture);
    tick_pins(capture);
}

/* Nobody is to be refused while its programs are removed, one after the other. */
static void stop_denying(const char *name)
{
    struct control *control = NULL;
    int data = control_open(name, &control);

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
    stats->repinned = capture->repinned;
    stats->unpinned = capture->unpinned;
    deny_stats(&control->deny, capture->maps[MAP_PROMISED], stats);
}

int capture_inspect(const char *name, struct rollcall_stats *stats)
{
    struct control *control = NULL;
    struct capture capture = {0};
    struct ring ring;
    int data = control_open(name, &control);
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
    capture.maps[MAP_PROMISED] = pins_open(name, "promised");
    capture_stats(&capture, stats);
    close_fd(capture.maps[MAP_PROMISED]);
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
