/* SPDX-License-Identifier: MIT */
/*
 * The policy `deny`, as the reader has it: whether and how this kernel lets programs refuse a
 * process, when it holds, and who is exempt. What the programs do stands in linux/bpf/deny.h.
 */
#ifndef LINUX_DENY_H
#define LINUX_DENY_H

#include "linux/bpf/layout.h"

#include <rollcall/rollcall.h>

#include <stdbool.h>
#include <stddef.h>

#define DENY_HOOKS 3

/* Tries the ways, with programs that do nothing. DENY_NONE: none works; `why` says of each why not. */
enum deny_way deny_find_way(char *why, size_t size);

/* What to call it: "LSM programs", ...; "" for DENY_NONE. */
const char *deny_way_name(unsigned way);

/* Writes what the options want to `deny`, after looking at it: whether the cgroup is there, and
 * whether a ring of `ring_size` can be enough for who lives now. 0 or -errno (rollcall_fail), and
 * then nothing is written. */
int deny_configure(struct deny *deny, const struct rollcall_options *opts, uint64_t ring_size);

/* What the policy has in the kernel, beside the capture: descriptors. */
struct deny_programs {
    int links[DENY_HOOKS];
    int promise_exits; /* link of the task iterator */
    int hold;          /* program */
};

/* The caller reads from now on; its programs are attached. 0 or -errno. */
int deny_hold(const struct deny_programs *programs);

/* How many bytes of the ring are promised. `promised`: that map, or not one. */
uint64_t deny_promised(int promised);

/* Nobody reads any more. */
void deny_let_go(struct deny *deny);

/* Whether somebody could be refused now. */
bool deny_in_force(const struct deny *deny);

/* Lets the policy hold as soon as there is room for the exits of all. Entries of exited processes
 * are being kept in `states`. Called again and again, while deny_is_due(). */
void deny_tick(struct deny *deny, const struct deny_programs *programs);
bool deny_is_due(const struct deny *deny);

#endif
