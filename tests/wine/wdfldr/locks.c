/* SPDX-License-Identifier: MIT */
/* Spin locks, wait locks, and the IRQL that Wine does not keep: it is kept for each thread. */
#include "tests/wine/wdfldr/kernel.h"
#include "tests/wine/wdfldr/table.h"

struct spin_lock {
    struct object base;
    KSPIN_LOCK lock;
    KIRQL irql; /* of who holds it, before */
};

struct wait_lock {
    struct object base;
    unsigned long owner;
};

/* The word of a spin lock: 0, or who holds it. */
static void spin(volatile KSPIN_LOCK *lock)
{
    LONG64 me = (LONG64)GetCurrentThreadId();
    unsigned turns = 0;

    if ((LONG64)*lock == me)
        report("lock-recursion", "a spin lock is acquired by the thread that holds it");
    while (InterlockedCompareExchange64((volatile LONG64 *)lock, me, 0) != 0)
        if (++turns % 64 == 0)
            SwitchToThread();
    thread_here()->spin_locks++;
}

static void unspin(volatile KSPIN_LOCK *lock)
{
    if (*lock != GetCurrentThreadId()) {
        report("lock-not-held", "a spin lock is released by a thread that does not hold it");
        return;
    }
    thread_here()->spin_locks--;
    InterlockedExchange64((volatile LONG64 *)lock, 0);
}

KIRQL NTAPI kernel_acquire_spin_lock(PKSPIN_LOCK lock)
{
    struct thread *thread = thread_here();
    KIRQL was = thread->irql;

    irql_at_most(DISPATCH_LEVEL, "KeAcquireSpinLock");
    thread->irql = DISPATCH_LEVEL;
    spin(lock);
    return was;
}

VOID NTAPI kernel_release_spin_lock(PKSPIN_LOCK lock, KIRQL irql)
{
    unspin(lock);
    thread_here()->irql = irql;
}

VOID NTAPI kernel_acquire_spin_lock_at_dpc(PKSPIN_LOCK lock)
{
    if (thread_here()->irql < DISPATCH_LEVEL)
        report("irql", "KeAcquireSpinLockAtDpcLevel below DISPATCH_LEVEL");
    spin(lock);
}

VOID NTAPI kernel_release_spin_lock_from_dpc(PKSPIN_LOCK lock)
{
    unspin(lock);
}

KIRQL NTAPI kernel_raise_irql(KIRQL irql)
{
    struct thread *thread = thread_here();
    KIRQL was = thread->irql;

    if (irql < was)
        report("irql", "KeRaiseIrql from %u to %u", was, irql);
    thread->irql = irql;
    return was;
}

VOID NTAPI kernel_lower_irql(KIRQL irql)
{
    struct thread *thread = thread_here();

    if (irql > thread->irql)
        report("irql", "KeLowerIrql from %u to %u", thread->irql, irql);
    if (irql < DISPATCH_LEVEL && thread->spin_locks > 0)
        report("irql", "KeLowerIrql to %u with a spin lock held", irql);
    thread->irql = irql;
}

KIRQL NTAPI kernel_get_irql(VOID)
{
    return thread_here()->irql;
}

VOID NTAPI kernel_enter_critical_region(VOID)
{
    thread_here()->critical++;
}

VOID NTAPI kernel_leave_critical_region(VOID)
{
    struct thread *thread = thread_here();

    if (thread->critical == 0)
        report("critical-region", "KeLeaveCriticalRegion without KeEnterCriticalRegion");
    else
        thread->critical--;
}

/* ---- the framework's functions ---- */

static NTSTATUS spin_create(PWDF_DRIVER_GLOBALS globals, PWDF_OBJECT_ATTRIBUTES attributes,
                            WDFSPINLOCK *out)
{
    struct spin_lock *lock;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(globals);
    irql_at_most(DISPATCH_LEVEL, "WdfSpinLockCreate");
    status = object_new(KIND_SPIN_LOCK, sizeof(*lock), attributes, &the_driver->base,
                        "WdfSpinLockCreate", &lock);
    *out = lock != NULL ? (WDFSPINLOCK)HANDLE_OF(lock) : NULL;
    return status;
}

static VOID spin_acquire(PWDF_DRIVER_GLOBALS globals, WDFSPINLOCK handle)
{
    struct spin_lock *lock = object_of(handle, KIND_SPIN_LOCK, "WdfSpinLockAcquire");
    KIRQL irql;

    UNREFERENCED_PARAMETER(globals);
    if (lock == NULL)
        return;
    irql = kernel_acquire_spin_lock(&lock->lock);
    lock->irql = irql;
}

static VOID spin_release(PWDF_DRIVER_GLOBALS globals, WDFSPINLOCK handle)
{
    struct spin_lock *lock = object_of(handle, KIND_SPIN_LOCK, "WdfSpinLockRelease");

    UNREFERENCED_PARAMETER(globals);
    if (lock != NULL)
        kernel_release_spin_lock(&lock->lock, lock->irql);
}

static NTSTATUS wait_create(PWDF_DRIVER_GLOBALS globals, PWDF_OBJECT_ATTRIBUTES attributes,
                            WDFWAITLOCK *out)
{
    struct wait_lock *lock;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(globals);
    irql_at_most(DISPATCH_LEVEL, "WdfWaitLockCreate");
    status = object_new(KIND_WAIT_LOCK, sizeof(*lock), attributes, &the_driver->base,
                        "WdfWaitLockCreate", &lock);
    *out = lock != NULL ? (WDFWAITLOCK)HANDLE_OF(lock) : NULL;
    return status;
}

/* A time limit is in 100 ns, negative when it is relative; only those are known here. */
static NTSTATUS wait_acquire(PWDF_DRIVER_GLOBALS globals, WDFWAITLOCK handle, PLONGLONG timeout)
{
    struct wait_lock *lock = object_of(handle, KIND_WAIT_LOCK, "WdfWaitLockAcquire");
    unsigned long begin = GetTickCount();
    unsigned long limit = timeout == NULL ? WIN32_INFINITE : (unsigned long)(-*timeout / 10000);
    NTSTATUS status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(globals);
    if (lock == NULL)
        return STATUS_INVALID_HANDLE;
    if (limit != 0)
        irql_at_most(PASSIVE_LEVEL, "WdfWaitLockAcquire");
    enter();
    if (lock->owner == GetCurrentThreadId())
        report("lock-recursion", "a wait lock is acquired by the thread that holds it");
    while (lock->owner != 0 && status == STATUS_SUCCESS) {
        if (limit != WIN32_INFINITE && GetTickCount() - begin >= limit)
            status = STATUS_TIMEOUT;
        else
            wait_changed(limit == WIN32_INFINITE ? limit : 1);
    }
    if (status == STATUS_SUCCESS)
        lock->owner = GetCurrentThreadId();
    leave();
    /* The framework holds off kernel APCs meanwhile. */
    if (status == STATUS_SUCCESS)
        kernel_enter_critical_region();
    return status;
}

static VOID wait_release(PWDF_DRIVER_GLOBALS globals, WDFWAITLOCK handle)
{
    struct wait_lock *lock = object_of(handle, KIND_WAIT_LOCK, "WdfWaitLockRelease");

    UNREFERENCED_PARAMETER(globals);
    if (lock == NULL)
        return;
    enter();
    if (lock->owner != GetCurrentThreadId())
        report("lock-not-held", "a wait lock is released by a thread that does not hold it");
    lock->owner = 0;
    leave();
    WakeAllConditionVariable(&runtime_changed);
    kernel_leave_critical_region();
}

void table_locks(WDFFUNC *table)
{
    SET(WdfSpinLockCreate, spin_create);
    SET(WdfSpinLockAcquire, spin_acquire);
    SET(WdfSpinLockRelease, spin_release);
    SET(WdfWaitLockCreate, wait_create);
    SET(WdfWaitLockAcquire, wait_acquire);
    SET(WdfWaitLockRelease, wait_release);
}
