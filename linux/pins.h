/* SPDX-License-Identifier: MIT */
/*
 * Where a durable capture lives while nobody reads it: a directory of pins for each consumer's
 * name in the BPF file system, open to its owner only. The directory itself is the lease: who
 * holds its lock is the one reader, and the kernel takes the lock back when that one dies.
 */
#ifndef LINUX_PINS_H
#define LINUX_PINS_H

#include <rollcall/rollcall.h>

#include <stdbool.h>

#define PINS_PATH_MAX (sizeof("/sys/fs/bpf/rollcall///") + ROLLCALL_NAME_MAX + 32)

/* Writes the path of a pin of the consumer `name` to `path`; pin "" is the directory itself. */
void pins_path(char path[PINS_PATH_MAX], const char *name, const char *pin);

/* Opens the consumer's directory, made if `create` (and the BPF file system mounted if it is
 * not), and takes its lock. Returns a descriptor that holds the lock until it is closed, or
 * -ENOENT, -EBUSY, -EPERM ... (rollcall_fail). */
int pins_lock(const char *name, bool create);

/* Whether the lock that `lease` holds is still that of the name, and nobody has removed the directory. */
bool pins_lock_is_current(int lease, const char *name);

/* Whether somebody holds the lock. */
bool pins_locked(const char *name);

/* Whether something is pinned there. */
bool pins_has(const char *name, const char *pin);

/* Opens a pinned map, program or link. A descriptor, or -errno without text. */
int pins_open(const char *name, const char *pin);

/* Opens the program that a link, which is open, runs. A descriptor, or -errno without text. */
int pins_program_of(int link);

/* Pins `fd` in place of what is pinned there, if anything, in one step. 0 or -errno. */
int pins_replace(const char *name, const char *pin, int fd);

/* Removes a pin, if it is there. */
void pins_remove_one(const char *name, const char *pin);

/* Removes all pins, and the directory too if `directory`. 0 or -errno. */
int pins_remove(const char *name, bool directory);

/* Calls each() with every name, until it returns other than 0. */
int pins_names(int (*each)(const char *name, void *context), void *context);

#endif
