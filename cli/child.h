/* SPDX-License-Identifier: MIT */
/* A command that another command runs. Each platform has one implementation. */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <rollcall/rollcall.h>

#include <stdbool.h>
#include <stdint.h>

/* The exit status when it is ours, not the command's: as env(1) and timeout(1) have it. */
#define EXIT_OURS       125
#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND  127

struct child {
    uint32_t pid;     /* as this process sees it */
    intptr_t process; /* the platform's */
};

/* Starts it. What it has from us is nothing but what it would have without us. *failure: why it
 * could not be run, in words; NULL if it is. 0 or a negative errno. */
int child_start(struct child *child, char **command, const char **failure);

/* Whether it has ended. Does not wait. */
bool child_exited(const struct child *child);

/* Waits for events, for what asks to end, and unless `exited` for the end of the child. -1: without
 * limit. 0 or a negative errno. */
int child_wait(const struct child *child, bool exited, struct rollcall *rc, int timeout_ms);

/* Waits for its end. Its exit status as a shell has it, EXIT_CANNOT_RUN or EXIT_NOT_FOUND if it
 * could not be run. */
int child_status(struct child *child);

#endif
