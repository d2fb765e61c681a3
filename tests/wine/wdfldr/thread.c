/* SPDX-License-Identifier: MIT */
#include "tests/wine/wdfldr/runtime.h"

SRWLOCK runtime_lock;
CONDITION_VARIABLE runtime_changed;

static unsigned long slot;
static LONG slot_state; /* 0: none, 1: being made, 2: there */

struct thread *thread_here(void)
{
    struct thread *thread;

    while (slot_state != 2) {
        if (InterlockedCompareExchange(&slot_state, 1, 0) == 0) {
            slot = TlsAlloc();
            InterlockedExchange(&slot_state, 2);
        }
        SwitchToThread();
    }
    thread = TlsGetValue(slot);
    if (thread == NULL) {
        thread = memory_new(sizeof(*thread));
        TlsSetValue(slot, thread);
    }
    return thread;
}

bool irql_at_most(KIRQL irql, const char *function)
{
    struct thread *thread = thread_here();

    if (thread->irql <= irql)
        return true;
    report("irql", "%s at IRQL %u, at most %u is allowed", function, thread->irql, irql);
    return false;
}

struct call call_begin(void)
{
    struct thread *thread = thread_here();

    return (struct call){thread->irql, thread->spin_locks, thread->critical};
}

void call_end(struct call call, const char *routine)
{
    struct thread *thread = thread_here();

    if (thread->spin_locks != call.spin_locks)
        report("lock-kept", "%s came back with %u spin locks held, %u when called", routine,
               thread->spin_locks, call.spin_locks);
    else if (thread->irql != call.irql)
        report("irql-kept", "%s came back at IRQL %u, called at %u", routine, thread->irql,
               call.irql);
    if (thread->critical != call.critical)
        report("critical-kept", "%s came back in %u critical regions, called in %u", routine,
               thread->critical, call.critical);
    thread->irql = call.irql;
    thread->spin_locks = call.spin_locks;
    thread->critical = call.critical;
}
