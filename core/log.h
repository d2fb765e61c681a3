/* SPDX-License-Identifier: MIT */
/*
 * The log: records one after the other in blocks of memory. They are appended to the tail; whole
 * blocks are given up at the head, when all have acknowledged them or when the budget is spent.
 * Each consumer reads by a cursor of its own, so that neither appending nor reading depends on how
 * much waits.
 *
 * Who gives up a block moves the cursors in it to the next one, or to the beginning of the log if
 * there is none: so a cursor always points into the log.
 *
 * Spare blocks are memory of the budget that is there already: one for the next tail, or as many
 * as hold the exits for which the policy `deny` keeps room.
 *
 * All functions are called with the engine's lock held.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "core/engine.h"
#include "core/losses.h"

#define LOG_ANY_SEQ UINT64_MAX

struct block {
    struct block *next;
    size_t size;        /* bytes, this head included */
    size_t used;        /* bytes of records, which follow the head */
    uint64_t first_seq; /* of the first record */
    uint64_t last_seq;  /* of the last one */
    uint64_t last_ns;   /* when that was */
    bool has_gap;
};

/* Where a consumer reads. No block: at the beginning of the log. */
struct cursor {
    struct block *block;
    size_t offset;
    struct block *acked; /* the block of what it acknowledged last, or one before it */
};

struct log {
    const struct engine_host *host;
    struct block *head;
    struct block *tail;
    struct block *spare;
    size_t spare_records;   /* records without strings that fit into the spare blocks */
    uint64_t budget;        /* bytes */
    uint64_t used;          /* bytes of all blocks */
    uint64_t last_seq;      /* the newest number */
    uint64_t released_seq;  /* all up to it was acknowledged by all who must have it */
    uint64_t evicted;       /* events that were given up before that */
    uint64_t evicted_seq;   /* the newest of them */
    uint64_t evicted_ns;    /* when that was */
    uint64_t uncounted_seq; /* no gap up to it knows how many it stands for */
    struct losses losses;   /* behind the last record */
    struct cursor cursors[ROLLCALL_CONSUMERS_MAX];
};

enum log_room {
    LOG_ROOM,
    LOG_FULL,  /* the budget is spent on what must not be given up */
    LOG_FAILED /* the host has no memory */
};

/* The first number is the one behind last_seq. */
void log_init(struct log *log, const struct engine_host *host, uint64_t budget, uint64_t last_seq);
void log_destroy(struct log *log);

/* How many records without strings can be appended with no new memory. */
size_t log_records(const struct log *log);

/*
 * Makes room for a record of `size` bytes, and for what must stand before it, so that afterwards
 * there is room for `keep` records without strings. For that it gives up blocks of which nothing
 * is newer than limit_seq, the oldest first.
 */
enum log_room log_make_room(struct log *log, size_t size, size_t keep, uint64_t limit_seq);

/* Appends a copy of the record's first `size` bytes with the next number. log_make_room() has been
 * called. */
void log_append(struct log *log, const struct rollcall_event *event, uint32_t size);

/* Numbers that have no event. */
void log_lose(struct log *log, enum rollcall_reason reason, uint64_t count, uint64_t mono_ns);

/* All up to `seq` has been acknowledged by all, and spare blocks are needed for `keep` records:
 * gives back what is not needed, and what is beyond the budget. A part of it: true if there is
 * more to do. */
bool log_trim(struct log *log, uint64_t seq, size_t keep);

/* What has the number `seq`, which is no less than those this cursor was asked for before: a record
 * in the log, or a gap that is written to *gap. NULL: nothing yet. */
const struct rollcall_event *log_read(const struct log *log, struct cursor *cursor, uint64_t seq,
                                      struct rollcall_event *gap);

/* Begins to read where the owner's acknowledgements ended, or behind all that there is. */
void log_rewind(struct cursor *cursor);
void log_skip_all(const struct log *log, struct cursor *cursor);

/* The cursor's owner has acknowledged all up to `seq`. */
void log_acknowledged(struct cursor *cursor, uint64_t seq);

/* The oldest number that is kept. */
uint64_t log_oldest(const struct log *log);

/* The last number that a record stands for: its own, but for gaps. */
static inline uint64_t record_last_seq(const struct rollcall_event *record)
{
    return record->type == ROLLCALL_GAP ? record->seq + record->lost - 1 : record->seq;
}

#endif
