/* SPDX-License-Identifier: MIT */
#include "tests/unit/fake_ring.h"

#include <linux/bpf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

void fake_ring_init(struct fake_ring *fake, size_t size)
{
    int fd = memfd_create("fake_ring", MFD_CLOEXEC);
    unsigned char *data;

    memset(fake, 0, sizeof(*fake));
    if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
        fail("memfd");
    data = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED)
        fail("mmap");
    for (int i = 0; i < 2; i++)
        if (mmap(data + (size_t)i * size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
                 0) == MAP_FAILED)
            fail("mmap");
    close(fd);
    fake->data = data;
    fake->ring.consumer = &fake->consumer;
    fake->ring.producer = &fake->producer;
    fake->ring.data = data;
    fake->ring.size = size;
}

void fake_ring_destroy(struct fake_ring *fake)
{
    munmap(fake->data, 2 * fake->ring.size);
}

void *fake_ring_reserve(struct fake_ring *fake, uint32_t size)
{
    uint64_t at = atomic_load_explicit(&fake->producer, memory_order_relaxed);
    uint64_t space = ((uint64_t)size + BPF_RINGBUF_HDR_SZ + 7) & ~(uint64_t)7;
    unsigned char *head = fake->data + (at & (fake->ring.size - 1));

    if (at + space - atomic_load(&fake->consumer) > fake->ring.size)
        return NULL;
    atomic_store((_Atomic uint32_t *)(void *)head, size | BPF_RINGBUF_BUSY_BIT);
    atomic_store_explicit(&fake->producer, at + space, memory_order_release);
    return head + BPF_RINGBUF_HDR_SZ;
}

static void commit(void *record, uint32_t bits)
{
    _Atomic uint32_t *head = (_Atomic uint32_t *)(void *)((char *)record - BPF_RINGBUF_HDR_SZ);

    atomic_exchange(head, (atomic_load(head) & ~BPF_RINGBUF_BUSY_BIT) | bits);
}

void fake_ring_submit(void *record)
{
    commit(record, 0);
}

void fake_ring_discard(void *record)
{
    commit(record, BPF_RINGBUF_DISCARD_BIT);
}

void fake_ring_write(struct fake_ring *fake, const void *bytes, uint32_t size)
{
    void *record = fake_ring_reserve(fake, size);

    if (!record)
        fail("the fake ring is full");
    memcpy(record, bytes, size);
    fake_ring_submit(record);
}
