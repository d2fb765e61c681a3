/* SPDX-License-Identifier: MIT */
/* The processes that are there, as `exists` records: for an ephemeral consumer, which comes after
 * the driver has announced them. Such a record has no number of the stream: its seq is 0. */
#ifndef WINDOWS_SNAPSHOT_H
#define WINDOWS_SNAPSHOT_H

#include <rollcall/event.h>

#include <stddef.h>
#include <stdint.h>

struct snapshot {
    char *data;
    size_t size;
    size_t room;
    size_t count; /* records */
};

/* Takes it; a time of day less wall_offset_ns is a time of the events. 0 or a negative errno
 * (rollcall_fail). */
int snapshot_take(struct snapshot *snapshot, int64_t wall_offset_ns);

/* Leaves out the process that the stream announces: each appears once. */
void snapshot_drop(struct snapshot *snapshot, const struct rollcall_event *create);

/* Ends it with `synced`. 0 or -ENOMEM. */
int snapshot_end(struct snapshot *snapshot);

void snapshot_clear(struct snapshot *snapshot);

#endif
