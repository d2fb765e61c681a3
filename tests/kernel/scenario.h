/* SPDX-License-Identifier: MIT */
/*
 * What the scenarios share: opening or skipping, a marker process that says "up to here", and a
 * reader that feeds all it gets to a check. Whatever goes wrong ends the program with status 1
 * and a text.
 */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "tests/load/check.h"
#include "tests/load/load.h"

#include <rollcall/rollcall.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SKIPPED  77
#define LIMIT_MS 240000 /* longer than anything takes that works, on a slow machine too */

struct reader {
    struct rollcall *rc;
    struct check *check; /* NULL: none */
    uint64_t events;
    /* Called with each event, after the check; NULL: nothing. */
    void (*each)(const struct rollcall_event *event, void *context);
    void *context;
};

/* Opens a consumer. A machine that cannot, or a caller who may not: the test is skipped. */
struct rollcall *open_or_skip(const struct rollcall_options *opts);

/* When the capture of the open consumer began. */
uint64_t attached_ns(struct rollcall *rc);

/* Milliseconds of a clock that only goes forward. */
int64_t now_ms(void);

/* Creates a process that exits at once, and takes its status. Returns its pid. */
pid_t make_marker(void);

/* Waits for a child. Returns its status as wait(2) gives it. */
int wait_for(pid_t pid);

/* Takes what is there, waiting up to timeout_ms, and acknowledges it. Returns how many. */
int read_some(struct reader *reader, int timeout_ms);

/* Reads until the exit of the child `pid` of `parent` has come, and all that came with it. */
void read_until_exit(struct reader *reader, pid_t pid, pid_t parent);

/* Reads while the load runs, then up to a marker that is created at its end. */
void read_load(struct reader *reader, struct load *load);

/* Where the kernel skips programs: reads until those of the load have ended whose exit is written when they
 * are freed, and what was skipped is counted. */
void read_what_was_skipped(struct reader *reader, const struct truth *truth);

/* Ends the program if the check finds a difference. truth: see check_finish(). */
void finish_check(struct check *check, const struct truth *truth);

#endif
