/* SPDX-License-Identifier: MIT */
#include "linux/ring.h"

#include <linux/bpf.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int ring_map(struct ring *ring, int fd, uint64_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *consumer;
    void *producer;

    memset(ring, 0, sizeof(*ring));
    consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (consumer == MAP_FAILED)
        return -errno;
    producer = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, fd, (off_t)page);
    if (producer == MAP_FAILED) {
        int err = -errno;

        munmap(consumer, page);
        return err;
    }
    /* A child has no use for it, and each fork would copy the page tables of all of it: of 64 MiB,
     * mapped twice, that is 32,768 entries. Without it a fork is only slower. */
    (void)madvise(producer, page + 2 * size, MADV_DONTFORK);
    ring->consumer = consumer;
    ring->producer = producer;
    ring->data = (const unsigned char *)producer + page;
    ring->size = size;
    return 0;
}

void ring_unmap(struct ring *ring)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (!ring->size)
        return;
    munmap((void *)(uintptr_t)ring->consumer, page);
    munmap((void *)(uintptr_t)ring->producer, page + 2 * ring->size);
    memset(ring, 0, sizeof(*ring));
}

int ring_look(const struct ring *ring, uint64_t position, uint64_t produced, struct ring_item *item)
{
    const unsigned char *head = ring->data + (position & (ring->size - 1));
    uint64_t left = produced - position;
    uint32_t length;
    uint64_t space;

    if (left == 0)
        return RING_END;
    if (position % 8 || left > ring->size || left < BPF_RINGBUF_HDR_SZ)
        return -EBADMSG;
    length =
        atomic_load_explicit((const _Atomic uint32_t *)(const void *)head, memory_order_acquire);
    item->size = length & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
    space = ((uint64_t)item->size + BPF_RINGBUF_HDR_SZ + 7) & ~(uint64_t)7;
    if (space > left)
        return -EBADMSG;
    item->data = head + BPF_RINGBUF_HDR_SZ;
    item->next = position + space;
    if (length & BPF_RINGBUF_BUSY_BIT)
        return RING_BUSY;
    return length & BPF_RINGBUF_DISCARD_BIT ? RING_DISCARDED : RING_RECORD;
}
