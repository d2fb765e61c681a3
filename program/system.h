/* SPDX-License-Identifier: MIT */
/* What the commands ask of the system they run on. Each platform has one implementation. */
#ifndef PROGRAM_SYSTEM_H
#define PROGRAM_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How events name this very process, so that nobody else is meant: its pid, in the pid namespace
 * of that inode number; namespace 0: there is only one. false: that is not known. */
bool system_self(uint32_t *pid, uint32_t *pid_ns);

/* The number of a user by name; false: there is none. */
bool system_find_user(const char *name, uint32_t *uid);

/* The name of a user by number, or by SID in text form; false: not known. */
bool system_user_name(uint32_t uid, char *name, size_t size);
bool system_account_name(const char *sid, char *name, size_t size);

/* A clock for intervals, and the one of events: nanoseconds. */
uint64_t system_mono_ns(void);
uint64_t system_boot_ns(void);

/* Which types of events carry the path of the program: bits 1 << enum rollcall_type. */
unsigned system_exe_types(void);

/* A new file to write, or an old one emptied: its descriptor, which a child does not get, or a
 * negative errno. */
int system_create(const char *path);

/* Whether a name or path fits a glob pattern, as paths are compared here. */
bool system_glob(const char *pattern, const char *text);

#endif
