/* SPDX-License-Identifier: MIT */
#include "windows/driver/exempt.h"

#include "windows/driver/optional.h"

#include <rollcall/protocol.h>

#define SYSTEM_PID ((HANDLE)4)

static WDFSPINLOCK lock;
static PEPROCESS processes[ROLLCALL_CONSUMERS_MAX];
static unsigned count;

NTSTATUS exempt_start(void)
{
    return WdfSpinLockCreate(WDF_NO_OBJECT_ATTRIBUTES, &lock);
}

void exempt_add(PEPROCESS process)
{
    WdfSpinLockAcquire(lock);
    if (count < ROLLCALL_CONSUMERS_MAX)
        processes[count++] = process;
    WdfSpinLockRelease(lock);
}

static unsigned find(PEPROCESS process)
{
    unsigned i;

    for (i = 0; i < count && processes[i] != process; i++)
        ;
    return i;
}

void exempt_remove(PEPROCESS process)
{
    unsigned i;

    WdfSpinLockAcquire(lock);
    i = find(process);
    if (i < count)
        processes[i] = processes[--count];
    WdfSpinLockRelease(lock);
}

static bool is_consumer(PEPROCESS process)
{
    bool found;

    WdfSpinLockAcquire(lock);
    found = find(process) < count;
    WdfSpinLockRelease(lock);
    return found;
}

static bool is_protected(PEPROCESS process)
{
    return optional.is_protected != NULL && optional.is_protected(process);
}

bool exempt_is(PEPROCESS created, PEPROCESS creator)
{
    return is_consumer(creator) || PsGetProcessId(creator) == SYSTEM_PID || is_protected(creator) ||
           is_protected(created);
}
