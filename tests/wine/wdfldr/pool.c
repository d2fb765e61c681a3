/* SPDX-License-Identifier: MIT */
/* The pool: every allocation is known, has guards, and lies poisoned for a while when freed. */
#include "tests/wine/wdfldr/kernel.h"

#include <string.h>

#define GUARD                  16u
#define GUARD_BYTE             0xFD
#define NEW_BYTE               0xCD
#define FREED_BYTE             0xDD
#define BLOCK                  0x6b636f6c626c6c72u
#define FREED                  0x6465657266626c72u
#define FREED_KEPT             64u
#define FLAG_UNINITIALIZED     2u /* POOL_FLAG_UNINITIALIZED */
#define FLAG_NON_PAGED         0x40u
#define FLAG_NON_PAGED_EXECUTE 0x80u
#define FLAG_PAGED             0x100u

struct block {
    uint64_t magic;
    struct block *next, *previous;
    size_t size;
    ULONG tag;
    bool paged;
    uint8_t guard[GUARD] __attribute__((aligned(16)));
};

static SRWLOCK lock;
static struct block *first;
static unsigned alive;
static uint64_t allocated, made;
static struct block *freed[FREED_KEPT];
static unsigned next_freed;

static bool all(const uint8_t *bytes, size_t size, uint8_t value)
{
    while (size > 0 && bytes[size - 1] == value)
        size--;
    return size == 0;
}

static PVOID allocate(SIZE_T size, ULONG tag, bool paged, bool zeroed)
{
    struct block *block;
    uint8_t *data;

    if (irql_at_most(paged ? APC_LEVEL : DISPATCH_LEVEL, "an allocation") && size == 0)
        report("pool-size", "an allocation of 0 bytes");
    if (allocation_fails())
        return NULL;
    block = memory_new(sizeof(*block) + size + GUARD);
    data = (uint8_t *)(block + 1);
    block->magic = BLOCK;
    block->size = size;
    block->tag = tag;
    block->paged = paged;
    memset(block->guard, GUARD_BYTE, GUARD);
    memset(data + size, GUARD_BYTE, GUARD);
    if (!zeroed)
        memset(data, NEW_BYTE, size);
    AcquireSRWLockExclusive(&lock);
    block->next = first;
    if (first != NULL)
        first->previous = block;
    first = block;
    alive++;
    made++;
    allocated += size;
    ReleaseSRWLockExclusive(&lock);
    return data;
}

PVOID NTAPI kernel_allocate_pool(POOL_TYPE type, SIZE_T size, ULONG tag)
{
    bool paged = (type & 1) != 0;

    if (!paged && (type & 512) == 0)
        report("pool-executable", "NonPagedPool, not NonPagedPoolNx: %zu bytes", (size_t)size);
    return allocate(size, tag, paged, false);
}

PVOID NTAPI kernel_allocate_pool2(ULONG64 flags, SIZE_T size, ULONG tag)
{
    if ((flags & FLAG_NON_PAGED_EXECUTE) != 0)
        report("pool-executable", "POOL_FLAG_NON_PAGED_EXECUTE: %zu bytes", (size_t)size);
    return allocate(size, tag, (flags & FLAG_PAGED) != 0, (flags & FLAG_UNINITIALIZED) == 0);
}

static void check_freed(struct block *block)
{
    if (block->magic != FREED || !all((uint8_t *)(block + 1), block->size, FREED_BYTE))
        report("pool-after-free", "%zu bytes with tag %lx were written to", block->size,
               block->tag);
    memory_free(block);
}

VOID NTAPI kernel_free_pool_tag(PVOID memory, ULONG tag)
{
    struct block *block = (struct block *)memory - 1;
    struct block *oldest;

    if (memory == NULL || ((uintptr_t)memory & 15) != 0 ||
        (block->magic != BLOCK && block->magic != FREED)) {
        report("pool-free", "%p is not of the pool", memory);
        return;
    }
    if (block->magic == FREED) {
        report("pool-freed-twice", "%zu bytes with tag %lx", block->size, block->tag);
        return;
    }
    irql_at_most(block->paged ? APC_LEVEL : DISPATCH_LEVEL, "ExFreePool");
    if (tag != 0 && tag != block->tag)
        report("pool-tag", "allocated with %lx, freed with %lx", block->tag, tag);
    if (!all(block->guard, GUARD, GUARD_BYTE) ||
        !all((uint8_t *)memory + block->size, GUARD, GUARD_BYTE))
        report("pool-overrun", "%zu bytes with tag %lx", block->size, block->tag);

    AcquireSRWLockExclusive(&lock);
    if (block->next != NULL)
        block->next->previous = block->previous;
    if (block->previous != NULL)
        block->previous->next = block->next;
    else
        first = block->next;
    alive--;
    allocated -= block->size;
    block->magic = FREED;
    memset(memory, FREED_BYTE, block->size);
    oldest = freed[next_freed];
    freed[next_freed] = block;
    next_freed = (next_freed + 1) % FREED_KEPT;
    ReleaseSRWLockExclusive(&lock);
    if (oldest != NULL)
        check_freed(oldest);
}

VOID NTAPI kernel_free_pool(PVOID memory)
{
    kernel_free_pool_tag(memory, 0);
}

unsigned pool_alive(bool leak)
{
    struct block *block;
    unsigned i, result;

    AcquireSRWLockExclusive(&lock);
    for (block = first; leak && block != NULL; block = block->next)
        report("pool-leak", "%zu bytes with tag %lx", block->size, block->tag);
    for (i = 0; leak && i < FREED_KEPT; i++) {
        if (freed[i] != NULL)
            check_freed(freed[i]);
        freed[i] = NULL;
    }
    result = alive;
    ReleaseSRWLockExclusive(&lock);
    return result;
}

void pool_facts(struct control_facts *facts)
{
    AcquireSRWLockExclusive(&lock);
    facts->allocations = alive;
    facts->allocated = allocated;
    facts->made = made;
    ReleaseSRWLockExclusive(&lock);
}
