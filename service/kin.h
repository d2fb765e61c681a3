/* SPDX-License-Identifier: MIT */
/*
 * Which processes come from handlers: what a handler starts would else be events for handlers, which
 * start more.
 *
 * A handler reads its events in order, and each process is announced once before anything else of it
 * is told, with its parent's pid and start: so whoever is created by a member is a member, however
 * deep, also when its parent is gone by the time it is read, as members that have ended are
 * remembered (the last ENDED_MAX of them; a handler that gets events again, because its program died,
 * decides as it did before). The first member is the process that runs the handlers; all it starts is
 * announced by its pid and start, which nobody else has while it lives.
 *
 * When that process is started again it knows none of the members of its predecessor that still have
 * events in the backlog. Of these it is told the roots: the predecessors themselves and their
 * long-lived programs (state.h), so their children are members too. What is not: the children of a
 * command's children, whose own creation was read before. There are as many of these as were started
 * by the commands that ran at the end, and what the handler starts for them is known again: so a few
 * pass once, and there is no loop.
 */
#ifndef SERVICE_KIN_H
#define SERVICE_KIN_H

#include <rollcall/rollcall.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KIN_ROOTS_MAX 128u

/* A process whose start is known to lie in [start_ns, start_ns + span_ns). */
struct kin_root {
    uint32_t pid;
    uint32_t pid_ns; /* 0: the pid is the kernel's; else as that namespace sees it */
    uint64_t start_ns;
    uint64_t span_ns;
};

struct kin_roots {
    struct kin_root all[KIN_ROOTS_MAX]; /* oldest first */
    size_t count;
};

/* Adds one; the oldest makes room for it. */
void kin_roots_add(struct kin_roots *roots, const struct kin_root *root);

struct kin;

/* roots: not copied. NULL: no memory. */
struct kin *kin_new(const struct kin_roots *roots);
void kin_free(struct kin *kin);

/* Whether the event is of a process that comes from handlers. For every event, in order. */
bool kin_is(struct kin *kin, const struct rollcall_event *event);

#endif
