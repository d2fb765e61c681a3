/* SPDX-License-Identifier: MIT */
/*
 * A BPF ring buffer, read in place. Unlike libbpf's reader this one lets records stay: it looks
 * at any position, and whoever uses it decides when their memory is free.
 *
 * The kernel takes places in order, under a lock, and writes the head of a record (its size and
 * a busy bit) before it publishes the new producer position. So all heads up to that position
 * can be walked, those of busy records too; what is in a record may be read when its busy bit
 * is seen clear.
 */
#ifndef LINUX_RING_H
#define LINUX_RING_H

#include <stdatomic.h>
#include <stdint.h>

struct ring {
    _Atomic uint64_t *consumer;       /* all before it is free */
    const _Atomic uint64_t *producer; /* all before it is taken */
    const unsigned char *data;        /* `size` bytes, mapped twice in a row */
    uint64_t size;                    /* a power of two */
};

/* Maps the ring of the map `fd`. 0 or -errno. */
int ring_map(struct ring *ring, int fd, uint64_t size);
void ring_unmap(struct ring *ring);

static inline uint64_t ring_produced(const struct ring *ring)
{
    return atomic_load_explicit(ring->producer, memory_order_acquire);
}

static inline uint64_t ring_consumed(const struct ring *ring)
{
    return atomic_load_explicit(ring->consumer, memory_order_acquire);
}

/* Gives all memory before `position` back to the programs. */
static inline void ring_release(struct ring *ring, uint64_t position)
{
    atomic_store_explicit(ring->consumer, position, memory_order_release);
}

enum ring_look { RING_END, RING_BUSY, RING_DISCARDED, RING_RECORD };

struct ring_item {
    const void *data; /* 8-byte aligned; only for RING_RECORD */
    uint32_t size;
    uint64_t next; /* the position after it */
};

/* What is at `position`, which must be the end of another record or the consumer's position;
 * `produced`: a producer position read before. Returns enum ring_look, or -EBADMSG if no kernel
 * can have written that. */
int ring_look(const struct ring *ring, uint64_t position, uint64_t produced,
              struct ring_item *item);

#endif
