/* SPDX-License-Identifier: MIT */
/* Timers, work items, and the registry. */
#include "tests/wine/wdfldr/table.h"

#include <string.h>

#define LOCAL_MACHINE ((HANDLE)(LONG_PTR)(LONG)0x80000002)
#define MACHINE_PATH  L"\\Registry\\Machine\\"

struct work_item {
    struct object base;
    EVT_WDF_WORKITEM *routine;
    bool queued, running;
};

struct timer {
    struct object base;
    EVT_WDF_TIMER *routine;
    unsigned period; /* ms; 0: once */
    bool armed, running;
    uint64_t turn; /* of the last start or stop: what was started before is out of date */
};

struct shot {
    struct timer *timer;
    uint64_t turn;
    unsigned long ms;
};

struct key {
    struct object base;
    HANDLE handle;
};

/* ---- work items ---- */

static void run_item(void *context)
{
    struct work_item *item = context;
    struct call call = call_begin();

    enter();
    item->queued = false;
    item->running = true;
    leave();
    item->routine((WDFWORKITEM)HANDLE_OF(item));
    call_end(call, "EvtWorkItem");
    enter();
    item->running = false;
    leave();
    WakeAllConditionVariable(&runtime_changed);
    object_dereference(&item->base);
}

static void item_wait(struct object *object)
{
    struct work_item *item = (struct work_item *)object;

    enter();
    while (item->queued || item->running)
        wait_changed(WIN32_INFINITE);
    leave();
}

static NTSTATUS item_create(PWDF_DRIVER_GLOBALS globals, PWDF_WORKITEM_CONFIG config,
                            PWDF_OBJECT_ATTRIBUTES attributes, WDFWORKITEM *out)
{
    struct work_item *item;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(globals);
    *out = NULL;
    irql_at_most(DISPATCH_LEVEL, "WdfWorkItemCreate");
    if (config->Size != sizeof(*config) || attributes == NULL || attributes->ParentObject == NULL) {
        report("struct-size", "WdfWorkItemCreate: %lu bytes, or no parent", config->Size);
        return STATUS_INVALID_PARAMETER;
    }
    status =
        object_new(KIND_WORK_ITEM, sizeof(*item), attributes, NULL, "WdfWorkItemCreate", &item);
    if (!NT_SUCCESS(status))
        return status;
    item->routine = config->EvtWorkItemFunc;
    item->base.dispose = item_wait;
    *out = (WDFWORKITEM)HANDLE_OF(item);
    return STATUS_SUCCESS;
}

static VOID item_enqueue(PWDF_DRIVER_GLOBALS globals, WDFWORKITEM handle)
{
    struct work_item *item = object_of(handle, KIND_WORK_ITEM, "WdfWorkItemEnqueue");
    bool queue;

    UNREFERENCED_PARAMETER(globals);
    irql_at_most(DISPATCH_LEVEL, "WdfWorkItemEnqueue");
    if (item == NULL)
        return;
    enter();
    queue = !item->queued;
    item->queued = true;
    if (queue)
        item->base.references++;
    leave();
    if (queue)
        work_system(run_item, item);
}

static WDFOBJECT item_parent(PWDF_DRIVER_GLOBALS globals, WDFWORKITEM handle)
{
    struct work_item *item = object_of(handle, KIND_WORK_ITEM, "WdfWorkItemGetParentObject");

    UNREFERENCED_PARAMETER(globals);
    return item != NULL ? (WDFOBJECT)(uintptr_t)item->base.parent->handle : NULL;
}

static VOID item_flush(PWDF_DRIVER_GLOBALS globals, WDFWORKITEM handle)
{
    struct work_item *item = object_of(handle, KIND_WORK_ITEM, "WdfWorkItemFlush");

    UNREFERENCED_PARAMETER(globals);
    irql_at_most(PASSIVE_LEVEL, "WdfWorkItemFlush");
    if (item != NULL)
        item_wait(&item->base);
}

/* ---- timers: a thread for each shot, at DISPATCH_LEVEL ---- */

static unsigned long WINAPI run_timer(void *context)
{
    struct shot *shot = context;
    struct timer *timer = shot->timer;
    struct thread *thread = thread_here();
    unsigned long begin = GetTickCount();
    bool due;

    enter();
    while (timer->turn == shot->turn) {
        while (timer->turn == shot->turn && GetTickCount() - begin < shot->ms)
            wait_changed(shot->ms - (GetTickCount() - begin));
        due = timer->turn == shot->turn;
        timer->running = due;
        timer->armed = due && timer->period != 0;
        leave();
        if (due) {
            thread->irql = DISPATCH_LEVEL;
            struct call call = call_begin();
            timer->routine((WDFTIMER)HANDLE_OF(timer));
            call_end(call, "EvtTimerFunc");
            thread->irql = PASSIVE_LEVEL;
        }
        enter();
        timer->running = false;
        WakeAllConditionVariable(&runtime_changed);
        if (timer->period == 0)
            break;
        shot->ms = timer->period;
        begin = GetTickCount();
    }
    leave();
    object_dereference(&timer->base);
    memory_free(shot);
    return 0;
}

static BOOLEAN timer_halt(struct timer *timer, bool wait)
{
    BOOLEAN armed;

    enter();
    armed = timer->armed;
    timer->armed = false;
    timer->turn++;
    WakeAllConditionVariable(&runtime_changed);
    while (wait && timer->running)
        wait_changed(WIN32_INFINITE);
    leave();
    return armed;
}

static void timer_dispose(struct object *object)
{
    timer_halt((struct timer *)object, true);
}

static NTSTATUS timer_create(PWDF_DRIVER_GLOBALS globals, PWDF_TIMER_CONFIG config,
                             PWDF_OBJECT_ATTRIBUTES attributes, WDFTIMER *out)
{
    struct timer *timer;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(globals);
    *out = NULL;
    irql_at_most(DISPATCH_LEVEL, "WdfTimerCreate");
    if (config->Size != sizeof(*config) || attributes == NULL || attributes->ParentObject == NULL) {
        report("struct-size", "WdfTimerCreate: %lu bytes, or no parent", config->Size);
        return STATUS_INVALID_PARAMETER;
    }
    status = object_new(KIND_TIMER, sizeof(*timer), attributes, NULL, "WdfTimerCreate", &timer);
    if (!NT_SUCCESS(status))
        return status;
    timer->routine = config->EvtTimerFunc;
    timer->period = config->Period;
    timer->base.dispose = timer_dispose;
    *out = (WDFTIMER)HANDLE_OF(timer);
    return STATUS_SUCCESS;
}

static BOOLEAN timer_start(PWDF_DRIVER_GLOBALS globals, WDFTIMER handle, LONGLONG due)
{
    struct timer *timer = object_of(handle, KIND_TIMER, "WdfTimerStart");
    struct shot *shot;
    BOOLEAN armed;
    HANDLE thread;

    UNREFERENCED_PARAMETER(globals);
    irql_at_most(DISPATCH_LEVEL, "WdfTimerStart");
    if (timer == NULL)
        return FALSE;
    shot = memory_new(sizeof(*shot));
    shot->timer = timer;
    shot->ms = due < 0 ? (unsigned long)(-due / 10000) : 0;
    enter();
    armed = timer->armed;
    timer->armed = true;
    shot->turn = ++timer->turn;
    timer->base.references++;
    leave();
    WakeAllConditionVariable(&runtime_changed);
    thread = CreateThread(NULL, 0, run_timer, shot, 0, NULL);
    CloseHandle(thread);
    return armed;
}

static BOOLEAN timer_stop(PWDF_DRIVER_GLOBALS globals, WDFTIMER handle, BOOLEAN wait)
{
    struct timer *timer = object_of(handle, KIND_TIMER, "WdfTimerStop");

    UNREFERENCED_PARAMETER(globals);
    irql_at_most(wait ? PASSIVE_LEVEL : DISPATCH_LEVEL, "WdfTimerStop");
    return timer != NULL && timer_halt(timer, wait);
}

/* ---- the registry ---- */

static void key_dispose(struct object *object)
{
    RegCloseKey(((struct key *)object)->handle);
}

static NTSTATUS open_parameters(PWDF_DRIVER_GLOBALS globals, WDFDRIVER handle, ACCESS_MASK access,
                                PWDF_OBJECT_ATTRIBUTES attributes, WDFKEY *out)
{
    struct driver *driver = object_of(handle, KIND_DRIVER, "WdfDriverOpenParametersRegistryKey");
    wchar_t path[560];
    struct key *key;
    NTSTATUS status;
    HANDLE opened;

    UNREFERENCED_PARAMETER(globals);
    *out = NULL;
    irql_at_most(PASSIVE_LEVEL, "WdfDriverOpenParametersRegistryKey");
    if (driver == NULL)
        return STATUS_INVALID_HANDLE;
    wcscpy(path, driver->path + wcslen(MACHINE_PATH));
    wcscat(path, L"\\Parameters");
    if (RegOpenKeyExW(LOCAL_MACHINE, path, 0, access, &opened) != 0)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    status = object_new(KIND_KEY, sizeof(*key), attributes, &driver->base,
                        "WdfDriverOpenParametersRegistryKey", &key);
    if (!NT_SUCCESS(status)) {
        RegCloseKey(opened);
        return status;
    }
    key->handle = opened;
    key->base.dispose = key_dispose;
    *out = (WDFKEY)HANDLE_OF(key);
    return STATUS_SUCCESS;
}

static VOID close_key(PWDF_DRIVER_GLOBALS globals, WDFKEY handle)
{
    struct key *key = object_of(handle, KIND_KEY, "WdfRegistryClose");

    UNREFERENCED_PARAMETER(globals);
    irql_at_most(PASSIVE_LEVEL, "WdfRegistryClose");
    if (key != NULL)
        object_delete(&key->base);
}

static NTSTATUS query_ulong(PWDF_DRIVER_GLOBALS globals, WDFKEY handle, PCUNICODE_STRING name,
                            PULONG value)
{
    struct key *key = object_of(handle, KIND_KEY, "WdfRegistryQueryULong");
    wchar_t terminated[128];
    unsigned long type;
    unsigned long size = sizeof(*value);

    UNREFERENCED_PARAMETER(globals);
    irql_at_most(PASSIVE_LEVEL, "WdfRegistryQueryULong");
    if (key == NULL)
        return STATUS_INVALID_HANDLE;
    if (name->Length >= sizeof(terminated))
        return STATUS_INVALID_PARAMETER;
    memset(terminated, 0, sizeof(terminated));
    memcpy(terminated, name->Buffer, name->Length);
    switch (RegQueryValueExW(key->handle, terminated, NULL, &type, value, &size)) {
    case 0:
        return type == REG_DWORD ? STATUS_SUCCESS : STATUS_OBJECT_TYPE_MISMATCH;
    case 234: /* ERROR_MORE_DATA */
        return STATUS_OBJECT_TYPE_MISMATCH;
    default:
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
}

void table_misc(WDFFUNC *table)
{
    SET(WdfWorkItemCreate, item_create);
    SET(WdfWorkItemEnqueue, item_enqueue);
    SET(WdfWorkItemGetParentObject, item_parent);
    SET(WdfWorkItemFlush, item_flush);
    SET(WdfTimerCreate, timer_create);
    SET(WdfTimerStart, timer_start);
    SET(WdfTimerStop, timer_stop);
    SET(WdfDriverOpenParametersRegistryKey, open_parameters);
    SET(WdfRegistryClose, close_key);
    SET(WdfRegistryQueryULong, query_ulong);
}
