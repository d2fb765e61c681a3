/* SPDX-License-Identifier: MIT */
/*
 * What is in the kernel: the ring, the control page, the programs and their attachment. Held by
 * descriptors only, so a capture without a name is gone with its process. One with a name is
 * pinned as well, and its successor finds it by name.
 */
#ifndef LINUX_CAPTURE_H
#define LINUX_CAPTURE_H

#include "linux/bpf/layout.h"
#include "linux/deny.h"

#include <rollcall/rollcall.h>

/* The last two are only there with the policy `deny`. */
enum capture_map {
    MAP_RING,
    MAP_CONTROL,
    MAP_STATES,
    MAP_SCRATCHES,
    MAP_SNAPSHOT_AREA,
    MAP_PROMISES,
    MAP_PROMISED,
    MAPS
};
#define COMMON_MAPS MAP_PROMISES

/* Descriptors are -1 where there is none. */
struct capture {
    struct control *control;
    int lease; /* the locked directory of pins; -1 without a name */
    int maps[MAPS];
    int links[HOOKS];
    int programs[HOOKS];
    int snapshot; /* link of the task iterator */
    int mark;     /* program */
    struct deny_programs deny;
    char name[ROLLCALL_NAME_MAX + 1]; /* "" if it has none */
    uint64_t repinned;                /* times that something was pinned again */
    uint32_t unpinned;                /* errno why that cannot be done; 0: all is pinned */
};

/* Makes a capture, or with opts->name continues the one of that name; a different build's
 * programs are replaced by this build's. 0 or a negative errno (rollcall_fail). */
int capture_open(struct capture *capture, const struct rollcall_options *opts);

void capture_close(struct capture *capture);

/* Announces all processes that were not announced yet, and then, if that is due, `synced`.
 * 0 or -errno. */
int capture_snapshot(const struct capture *capture);

/* Puts the loss counters into the ring. 0, -EAGAIN if there was no place, or -errno. */
int capture_mark(const struct capture *capture);

/* What is due from time to time, at least CAPTURE_TICK_NS apart: notices hooks that the kernel
 * has skipped, announces the processes that they did not and counts the rest as lost; removes
 * entries of exited processes that were kept for others; pins again what somebody has removed. */
void capture_tick(struct capture *capture);
#define CAPTURE_TICK_NS 1100000000u

/* Takes the capture of that name out of the kernel. 0 or a negative errno (rollcall_fail). */
int capture_detach(const char *name);

/* What can be known of the capture of that name without being its reader. */
int capture_inspect(const char *name, struct rollcall_stats *stats);

/* What the control page says of an open one. */
void capture_stats(const struct capture *capture, struct rollcall_stats *stats);

#endif
