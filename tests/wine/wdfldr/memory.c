/* SPDX-License-Identifier: MIT */
#include "tests/wine/wdfldr/runtime.h"

#include <stdlib.h>

#define ZEROED  8u     /* HEAP_ZERO_MEMORY */
#define RETIRED 65536u /* several for each request in flight */

static SRWLOCK lock;
static struct {
    void *memory;
    void (*release)(void *memory);
} ring[RETIRED];
static unsigned next;

void *memory_new(size_t size)
{
    void *memory = HeapAlloc(GetProcessHeap(), ZEROED, size);

    if (memory == NULL) {
        report("out-of-memory", "%zu bytes", size);
        abort();
    }
    return memory;
}

void memory_free(void *memory)
{
    HeapFree(GetProcessHeap(), 0, memory);
}

void memory_retire(void *memory, void (*release)(void *memory))
{
    void *oldest;
    void (*release_oldest)(void *oldest);

    AcquireSRWLockExclusive(&lock);
    oldest = ring[next].memory;
    release_oldest = ring[next].release;
    ring[next].memory = memory;
    ring[next].release = release != NULL ? release : memory_free;
    next = (next + 1) % RETIRED;
    ReleaseSRWLockExclusive(&lock);
    if (oldest != NULL)
        release_oldest(oldest);
}
