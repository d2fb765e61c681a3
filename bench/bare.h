/* SPDX-License-Identifier: MIT */
/* A reader of the bare ring. */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include "bench/bare_event.h"

struct bare_ring_bpf;
struct ring_buffer;

/* Gets every event. */
typedef void bare_each(const struct bare_event *event, void *context);

struct bare {
    struct bare_ring_bpf *bpf;
    struct ring_buffer *reader;
    bare_each *each;
    void *context;
};

/* 0 or -errno; on failure nothing is left. `bare` must stay where it is until bare_close(). */
int bare_open(struct bare *bare, bare_each *each, void *context);
void bare_close(struct bare *bare);

/* Waits for events, and calls each() for those that are there. How many, or -errno. */
int bare_poll(struct bare *bare, int timeout_ms);

#endif
