/* SPDX-License-Identifier: MIT */
/*
 * A consumer of the driver, and all that it was given: each answer is looked at, so that a number
 * that is missing, twice or out of order, or a record that is damaged, fails the test.
 */
#ifndef TESTS_WINE_STREAM_H
#define TESTS_WINE_STREAM_H

#include "tests/wine/lib/ask.h"

#include <rollcall/rollcall.h>

struct stream {
    HANDLE device;
    struct rollcall_attached attached;
    uint64_t next_seq; /* the number that comes next */
    uint64_t lost;     /* numbers in gaps */
    uint8_t *records;  /* all of them, one after the other */
    size_t size, room;
    size_t count;
};

/* Attaches; name: "" for an ephemeral one. stream_open() dies if that fails. */
void stream_open(struct stream *stream, const char *name, unsigned flags);
/* Returns 0 or a Win32 error; then nothing is open. */
DWORD stream_try(struct stream *stream, const char *name, unsigned flags);
/* Frees what it has read, too. */
void stream_close(struct stream *stream);

/* Reads all that there is, and returns how many records that were. */
size_t stream_read(struct stream *stream);
/* One drain into a buffer of that size. Returns its error. */
DWORD stream_drain(struct stream *stream, size_t room);
/* Takes the records of an answer. */
void stream_take(struct stream *stream, const struct rollcall_reply *reply);
/* Acknowledges all that was read. */
void stream_acknowledge(struct stream *stream);
/* Forgets the records, not the place. */
void stream_forget(struct stream *stream);

/* The record behind that one, NULL: the first. NULL at the end. */
const struct rollcall_event *stream_next(const struct stream *stream,
                                         const struct rollcall_event *event);
/* The first one after `event` of that type and process, or NULL. */
const struct rollcall_event *stream_find(const struct stream *stream,
                                         const struct rollcall_event *event,
                                         enum rollcall_type type, uint32_t pid);
/* How many of that type; pid 0: of all. */
size_t stream_count(const struct stream *stream, enum rollcall_type type, uint32_t pid);

/* ---- the driver ---- */

struct rollcall_engine_stats driver_stats(void);
/* Of the consumer with this name; "": of the first ephemeral one. false: there is none. */
bool consumer_stats(const char *name, struct rollcall_consumer_stats *stats);
/* budget 0: as it is; record_max 0: the default. */
void driver_configure(uint64_t budget, uint32_t record_max);
DWORD driver_detach(const char *name);

/* Starts the driver, or dies. */
void driver_begin(void);

#endif
