/* SPDX-License-Identifier: MIT */
/*
 * Compares events with the truth of a load. It is fed the events one by one, as they were
 * delivered. Each process, by (pid, start_ns), has one announcement, then its execs, then one
 * exit; the sequence numbers have no hole; and what the workers of the load created is exactly
 * what they wrote down.
 */
#ifndef CHECK_H
#define CHECK_H

#include "tests/load/load.h"

#include <rollcall/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CHECK_TEXTS 10 /* differences of which the text is kept: the first ones */

/* What was heard of one process. */
struct life {
    uint64_t start_ns;
    uint64_t parent_start_ns;
    uint64_t last_ns; /* mono_ns of its last event */
    uint32_t pid;
    uint32_t ppid;
    uint32_t creator_pid;
    uint32_t creator_tid;
    uint32_t announced; /* ROLLCALL_CREATE, ROLLCALL_EXISTS or 0 */
    uint32_t execs;
    uint32_t status;
    bool exited;
    bool late;
};

struct check;

/* attached_ns: what started before it need not have been announced; 0: all must have been.
 * Ends the program when there is no memory. */
struct check *check_new(uint64_t attached_ns);
void check_free(struct check *check);

/* Events begin with this number; before them there can be some of number 0, which only tell of what was
 * there. Without it they begin with 1. */
void check_from(struct check *check, uint64_t next_seq);

/* From now on gaps for this reason are no difference: what they say is added up. */
void check_allow_gaps(struct check *check, enum rollcall_reason reason);

/* What gaps that are allowed say was lost. */
uint64_t check_lost(const struct check *check);

/* The next event. */
void check_event(struct check *check, uint64_t epoch, const struct rollcall_event *event);

/* After the last event: compares with the truth (NULL: there is none). Returns how many
 * differences there are in all. */
uint64_t check_finish(struct check *check, const struct truth *truth);

/* The text of a difference, NULL: there are not so many, or not kept. */
const char *check_text(const struct check *check, size_t index);
void check_print(const struct check *check, FILE *file);

/* All processes heard of, in the order in which they were heard of first; valid until the next
 * event. */
const struct life *check_lives(const struct check *check, size_t *count);
const struct life *check_find(const struct check *check, uint32_t pid, uint64_t start_ns);

#endif
