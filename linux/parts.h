/* SPDX-License-Identifier: MIT */
/*
 * The parts of a capture that its successor needs, and by which name each of them is pinned. The
 * lease of the name is held wherever something is pinned or removed.
 */
#ifndef LINUX_PARTS_H
#define LINUX_PARTS_H

#include "linux/capture.h"

#include <stdbool.h>

/* As which it is pinned. */
extern const char *const parts_map_pins[MAPS];

/* The program that each of the policy's hooks runs, by the way it is had. */
extern const char *const parts_deny_programs[][DENY_HOOKS];

/* Opens the maps that are always there. false: one is missing that the reader cannot do without. */
bool parts_open_maps(struct capture *capture, const char *name);

/* A pin that is there is not yet a program that runs, and not yet one that writes to this ring.
 * Opens and checks all. 1; 0 if anything is missing or is not what it should be; -EPERM if this
 * may not be known. */
int parts_open_programs(struct capture *capture, const char *name);

/* Pins all that the capture has, in place of what may be there: each step leaves a working set. 0 or a
 * negative errno (rollcall_fail). */
int parts_pin(const struct capture *capture, const char *name);

/* Pins again what somebody has removed. 1 if anything was, 0, or a negative errno (rollcall_fail). */
int parts_pin_again(struct capture *capture, const char *name);

/* Whether programs of the policy `deny` are pinned. */
bool parts_has_deny(const char *name);

/* Removes the pins of the policy `deny`. */
void parts_remove_deny(const char *name);

#endif
