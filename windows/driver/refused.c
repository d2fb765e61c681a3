/* SPDX-License-Identifier: MIT */
/*
 * A process that is refused exits at once, in the thread that would have created it. So no more of
 * them are under way than threads create processes at the same instant; if these were more than
 * there is room for, the oldest one's exit would be told without a creation.
 */
#include "windows/driver/refused.h"

#define REFUSED_MAX 256u

static WDFSPINLOCK lock;
static struct {
    int64_t create_time;
    uint32_t pid; /* 0: nobody */
} refused[REFUSED_MAX];
static unsigned next;
static volatile LONG count; /* so that none costs an exit nothing */

NTSTATUS refused_start(void)
{
    return WdfSpinLockCreate(WDF_NO_OBJECT_ATTRIBUTES, &lock);
}

/* The first one from `next` on where nobody is; `next` itself if there is none. */
static unsigned free_place(void)
{
    for (unsigned i = 0; i < REFUSED_MAX; i++)
        if (refused[(next + i) % REFUSED_MAX].pid == 0)
            return (next + i) % REFUSED_MAX;
    return next;
}

void refused_add(uint32_t pid, int64_t create_time)
{
    WdfSpinLockAcquire(lock);
    next = free_place();
    if (refused[next].pid == 0)
        count++;
    refused[next].pid = pid;
    refused[next].create_time = create_time;
    next = (next + 1) % REFUSED_MAX;
    WdfSpinLockRelease(lock);
}

bool refused_remove(uint32_t pid, int64_t create_time)
{
    bool found = false;

    if (count == 0)
        return false;
    WdfSpinLockAcquire(lock);
    for (unsigned i = 0; i < REFUSED_MAX && !found; i++) {
        found = refused[i].pid == pid && refused[i].create_time == create_time;
        if (found) {
            refused[i].pid = 0;
            count--;
        }
    }
    WdfSpinLockRelease(lock);
    return found;
}
