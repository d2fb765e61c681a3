/* SPDX-License-Identifier: MIT */
/* What the driver imports from the kernel: ours where it has to be watched or Wine has none. */
#include "tests/wine/wdfldr/kernel.h"

#include <string.h>

#define FUNCTIONS  96u
#define PAGE_WRITE 4u /* PAGE_READWRITE */

static struct {
    const char *name;
    void *function;
} functions[FUNCTIONS];
static unsigned count;

void import_add(const char *name, void *function)
{
    unsigned i;

    for (i = 0; i < count && strcmp(functions[i].name, name) != 0; i++)
        ;
    if (i == FUNCTIONS)
        __builtin_trap();
    functions[i].name = name;
    functions[i].function = function;
    if (i == count)
        count++;
}

static bool known(const char *name, void **function)
{
    unsigned i;

    for (i = 0; i < count; i++) {
        if (strcmp(functions[i].name, name) == 0) {
            *function = functions[i].function;
            return true;
        }
    }
    return false;
}

void *import_find(const char *name)
{
    void *function;

    if (known(name, &function))
        return function;
    return GetProcAddress(GetModuleHandleW(L"ntoskrnl.exe"), name);
}

/* ---- small ones ---- */

static PVOID NTAPI get_system_routine_address(PUNICODE_STRING name)
{
    char ascii[128];
    unsigned i;

    irql_at_most(PASSIVE_LEVEL, "MmGetSystemRoutineAddress");
    for (i = 0; i < name->Length / 2u && i < sizeof(ascii) - 1; i++)
        ascii[i] = (char)name->Buffer[i];
    ascii[i] = 0;
    return import_find(ascii);
}

static ULONG NTAPI dbg_print_ex(ULONG component, ULONG level, const char *format, ...)
{
    UNREFERENCED_PARAMETER(component);
    UNREFERENCED_PARAMETER(level);
    UNREFERENCED_PARAMETER(format);
    return STATUS_SUCCESS;
}

/* 100 ns since the system's start. What Wine's shared page has of it is moved on now and then. */
static ULONG64 NTAPI interrupt_time_precise(PULONG64 counter)
{
    LARGE_INTEGER second, now;

    QueryPerformanceFrequency(&second);
    QueryPerformanceCounter(&now);
    if (counter != NULL)
        *counter = (ULONG64)now.QuadPart;
    return (ULONG64)(now.QuadPart / second.QuadPart * 10000000 +
                     now.QuadPart % second.QuadPart * 10000000 / second.QuadPart);
}

static VOID NTAPI system_time_precise(PLARGE_INTEGER time)
{
    GetSystemTimeAsFileTime(time);
}

/* ---- rundown protection: bit 0 says that the end is near, the rest counts ---- */

static VOID NTAPI rundown_initialize(PEX_RUNDOWN_REF reference)
{
    reference->Count = 0;
}

static BOOLEAN NTAPI rundown_acquire(PEX_RUNDOWN_REF reference)
{
    BOOLEAN got;

    irql_at_most(DISPATCH_LEVEL, "ExAcquireRundownProtection");
    enter();
    got = (reference->Count & 1) == 0;
    if (got)
        reference->Count += 2;
    leave();
    return got;
}

static VOID NTAPI rundown_release(PEX_RUNDOWN_REF reference)
{
    irql_at_most(DISPATCH_LEVEL, "ExReleaseRundownProtection");
    enter();
    if (reference->Count < 2)
        report("rundown", "ExReleaseRundownProtection without ExAcquireRundownProtection");
    else
        reference->Count -= 2;
    leave();
    WakeAllConditionVariable(&runtime_changed);
}

static VOID NTAPI rundown_wait(PEX_RUNDOWN_REF reference)
{
    irql_at_most(PASSIVE_LEVEL, "ExWaitForRundownProtectionRelease");
    enter();
    reference->Count |= 1;
    while (reference->Count != 1)
        wait_changed(WIN32_INFINITE);
    leave();
}

static VOID NTAPI rundown_completed(PEX_RUNDOWN_REF reference)
{
    reference->Count = 1;
}

static VOID NTAPI rundown_reinitialize(PEX_RUNDOWN_REF reference)
{
    reference->Count = 0;
}

/* ---- the import table ---- */

static void imports_begin(void)
{
    import_add("KeAcquireSpinLockRaiseToDpc", kernel_acquire_spin_lock);
    import_add("KfAcquireSpinLock", kernel_acquire_spin_lock);
    import_add("KeReleaseSpinLock", kernel_release_spin_lock);
    import_add("KfReleaseSpinLock", kernel_release_spin_lock);
    import_add("KeAcquireSpinLockAtDpcLevel", kernel_acquire_spin_lock_at_dpc);
    import_add("KeReleaseSpinLockFromDpcLevel", kernel_release_spin_lock_from_dpc);
    import_add("KfRaiseIrql", kernel_raise_irql);
    import_add("KeLowerIrql", kernel_lower_irql);
    import_add("KeGetCurrentIrql", kernel_get_irql);
    import_add("KeEnterCriticalRegion", kernel_enter_critical_region);
    import_add("KeLeaveCriticalRegion", kernel_leave_critical_region);
    import_add("ExAllocatePoolWithTag", kernel_allocate_pool);
    import_add("ExAllocatePool2", settings.without_ex2 ? NULL : (void *)kernel_allocate_pool2);
    import_add("ExFreePoolWithTag", kernel_free_pool_tag);
    import_add("ExFreePool", kernel_free_pool);
    import_add("MmGetSystemRoutineAddress", get_system_routine_address);
    import_add("DbgPrintEx", dbg_print_ex);
    import_add("KeQueryInterruptTimePrecise", interrupt_time_precise);
    import_add("KeQuerySystemTimePrecise", system_time_precise);
    import_add("ExInitializeRundownProtection", rundown_initialize);
    import_add("ExReInitializeRundownProtection", rundown_reinitialize);
    import_add("ExAcquireRundownProtection", rundown_acquire);
    import_add("ExReleaseRundownProtection", rundown_release);
    import_add("ExRundownCompleted", rundown_completed);
    import_add("ExWaitForRundownProtectionRelease", rundown_wait);
    process_imports();
    notify_imports();
}

/* Wine puts a stub that raises an exception where it has no function. */
static void patch(uint64_t *slot, const char *name)
{
    unsigned long protection;
    void *function;

    if (!known(name, &function)) {
        if (GetProcAddress(GetModuleHandleW(L"ntoskrnl.exe"), name) == NULL)
            report("import", "%s: neither Wine nor the runtime has it", name);
        return;
    }
    if (function == NULL) {
        report("import", "%s: not on every system that the driver is for", name);
        return;
    }
    VirtualProtect(slot, sizeof(*slot), PAGE_WRITE, &protection);
    *slot = (uint64_t)(uintptr_t)function;
    VirtualProtect(slot, sizeof(*slot), protection, &protection);
}

void imports_patch(DRIVER_OBJECT *driver)
{
    uint8_t *base = driver->DriverStart;
    const uint8_t *nt = base + *(uint32_t *)(base + 0x3c);
    /* The second entry of the data directory: five words for each library. */
    const uint32_t *library = (const uint32_t *)(base + *(const uint32_t *)(nt + 24 + 112 + 8));
    const uint64_t *names;
    uint64_t *slots;

    imports_begin();
    for (; library[3] != 0; library += 5) {
        if (strncmp((const char *)base + library[3], "wdfldr", 6) == 0)
            continue;
        names = (const uint64_t *)(base + library[0]);
        slots = (uint64_t *)(base + library[4]);
        for (; *names != 0; names++, slots++)
            patch(slots, (const char *)base + *names + 2);
    }
}
