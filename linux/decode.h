/* SPDX-License-Identifier: MIT */
/*
 * From the ring's records to the events that consumers get: numbers them, puts a gap where one
 * is, and brings texts together.
 *
 * What comes out depends on the ring's bytes and the place where reading began, and on nothing
 * else: not on when they are read, by how many readers in turn, or in which portions. That is
 * what makes a redelivered event the same event with the same number.
 */
#ifndef LINUX_DECODE_H
#define LINUX_DECODE_H

#include "linux/bpf/layout.h"
#include "linux/ring.h"

#include <stddef.h>

struct decoder {
    const struct ring *ring;
    uint64_t position;               /* of the next record in the ring */
    uint64_t seq;                    /* the last one given out */
    uint64_t lost[ROLLCALL_REASONS]; /* losses that `seq` contains */
    uint64_t acked_seq;              /* events up to here are not given out again */
};

/* Events, one after the other. */
struct event_buffer {
    unsigned char *data;
    size_t size;
    size_t room;
    size_t count;
};

enum decode { DECODE_END, DECODE_BUSY, DECODE_MORE };

/*
 * Takes the next record off the ring and appends what it says (nothing, gaps, an event) to
 * `out`, which grows as needed. `produced` is a producer position. Returns DECODE_MORE if there
 * was one, DECODE_END if not, DECODE_BUSY if it is still being written, -EBADMSG if no program
 * of ours wrote it, -ENOMEM. On failure nothing has changed.
 */
int decode_next(struct decoder *decoder, uint64_t produced, struct event_buffer *out);

#endif
