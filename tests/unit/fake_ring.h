/* SPDX-License-Identifier: MIT */
/* A BPF ring buffer without a kernel: the same memory layout, written by the test. */
#ifndef FAKE_RING_H
#define FAKE_RING_H

#include "linux/ring.h"

#include <stddef.h>
#include <stdint.h>

struct fake_ring {
    struct ring ring; /* what the code under test gets */
    _Atomic uint64_t consumer;
    _Atomic uint64_t producer;
    unsigned char *data;
};

/* size: a power of two, at least a page. Ends the program if there is no memory. */
void fake_ring_init(struct fake_ring *fake, size_t size);
void fake_ring_destroy(struct fake_ring *fake);

/* Takes a place, busy, and returns where its bytes go; NULL if the ring is full. */
void *fake_ring_reserve(struct fake_ring *fake, uint32_t size);

/* Ends the writing of a place. */
void fake_ring_submit(void *record);
void fake_ring_discard(void *record);

/* reserve, copy, submit; ends the program if the ring is full. */
void fake_ring_write(struct fake_ring *fake, const void *bytes, uint32_t size);

#endif
