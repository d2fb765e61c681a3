/* SPDX-License-Identifier: MIT */
/* Events as aligned columns for a person. */
#ifndef CLI_LINES_H
#define CLI_LINES_H

#include "cli/output.h"

#include <rollcall/rollcall.h>

#include <stdbool.h>

struct lines {
    struct output *output;
    bool full_date; /* the date too */
    bool headed;    /* the names of the columns have been written */
};

/* depth: the last columns are indented by so much, for a tree. */
void lines_event(struct lines *lines, const struct rollcall_event *event, int64_t wall_offset_ns,
                 unsigned depth);

/* The name of a user, or the number as text; valid until the next call. */
const char *lines_user(uint32_t uid);

/* The name of the account with this SID, or the end of the SID; valid until the next call. */
const char *lines_account(const char *sid, size_t size);

/* Arguments, each ended by NUL, quoted for a shell, in at most `room` columns. */
void lines_args(FILE *to, const char *args, size_t size, size_t room);

/* "SIGKILL", or the number as text; valid until the next call. */
const char *lines_signal(unsigned signal);

/* "3 us", "1.2 s", "4 d 3 h"; valid until the next call. */
const char *lines_duration(uint64_t ns);

#endif
