/* SPDX-License-Identifier: MIT */
#include "tests/wine/probe/probe.h"

#include <ntifs.h>

#include "windows/kmdf/wdf.h"

#define TAG 0x626f7250
#define NX  ((POOL_TYPE)512)

struct context {
    uint32_t value;
    uint8_t bytes[12];
};
typedef struct context context;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(context, context_of)

struct other {
    uint32_t value;
};
typedef struct other other;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(other, other_of)

DRIVER_INITIALIZE DriverEntry;

static WDFDEVICE device_handle;
static WDFQUEUE manual;
static WDFSPINLOCK lock;
static WDFREQUEST marked;
static BOOLEAN keep_notify;
static struct {
    volatile LONG creates, cleanups, closes;
    volatile LONG canceled_on_queue, cancel_routines;
    volatile LONG created, exited;
    volatile LONG purged;
    volatile LONG strangers;
} counts;

static VOID NTAPI notify(PEPROCESS process, HANDLE pid, PPS_CREATE_NOTIFY_INFO info)
{
    HANDLE runs = info != NULL ? info->CreatingThreadId.UniqueProcess : pid;
    PEPROCESS creator;

    UNREFERENCED_PARAMETER(process);
    if (NT_SUCCESS(PsLookupProcessByProcessId(runs, &creator)))
        ObDereferenceObject(creator);
    InterlockedIncrement(info != NULL ? &counts.created : &counts.exited);
    if (PsGetProcessId(PsGetCurrentProcess()) != runs)
        InterlockedIncrement(&counts.strangers);
    /* Pids that end in 2 are refused. */
    if (info != NULL && ((ULONG_PTR)pid & 2) != 0)
        info->CreationStatus = STATUS_ACCESS_DENIED;
}

static EVT_WDF_REQUEST_CANCEL cancel;

/* ---- misuses ---- */

static WDFOBJECT object_new(WDFOBJECT parent)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDFOBJECT object = NULL;

    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, context);
    attributes.ParentObject = parent;
    WdfObjectCreate(&attributes, &object);
    return object;
}

static void misuse_pool(enum probe_misuse misuse)
{
    uint8_t *memory =
        ExAllocatePoolWithTag(misuse == PROBE_POOL_EXECUTABLE ? NonPagedPool : NX, 24, TAG);

    if (memory == NULL || misuse == PROBE_POOL_LEAK)
        return;
    if (misuse == PROBE_POOL_OVERRUN)
        memory[24] = 1;
    ExFreePoolWithTag(memory, misuse == PROBE_POOL_TAG ? TAG + 1 : TAG);
    if (misuse == PROBE_POOL_TWICE)
        ExFreePoolWithTag(memory, TAG);
    if (misuse == PROBE_POOL_AFTER_FREE)
        memory[3] = 1;
}

static void misuse_process(enum probe_misuse misuse)
{
    PEPROCESS process;

    if (misuse == PROBE_NOT_A_PROCESS) {
        PsGetProcessId((PEPROCESS)&counts);
        return;
    }
    if (!NT_SUCCESS(PsLookupProcessByProcessId((HANDLE)4, &process)))
        return;
    if (misuse == PROBE_TOKEN_LEAK)
        PsReferencePrimaryToken(process);
    if (misuse != PROBE_PROCESS_LEAK)
        ObDereferenceObject(process);
    if (misuse == PROBE_PROCESS_OVER)
        ObDereferenceObject(process);
}

static void misuse_object(enum probe_misuse misuse)
{
    WDFOBJECT object = object_new(NULL);

    switch (misuse) {
    case PROBE_CONTEXT_OVERRUN:
        ((volatile uint8_t *)context_of(object))[sizeof(context)] = 1;
        break;
    case PROBE_NO_CONTEXT:
        other_of(object);
        break;
    case PROBE_OVER_DEREFERENCED:
        WdfObjectDereference(object);
        break;
    case PROBE_OBJECT_LEAK:
        WdfObjectReference(object);
        break;
    default:
        break;
    }
    WdfObjectDelete(object);
    if (misuse == PROBE_STALE_HANDLE)
        WdfObjectReference(object);
}

static void misuse_lock(enum probe_misuse misuse, WDFREQUEST request)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDFSPINLOCK another;
    WDFKEY key;

    switch (misuse) {
    case PROBE_WITH_LOCK:
        WdfSpinLockAcquire(lock);
        WdfRequestComplete(request, STATUS_SUCCESS);
        WdfSpinLockRelease(lock);
        return;
    case PROBE_LOCK_KEPT:
        WdfRequestComplete(request, STATUS_SUCCESS);
        if (NT_SUCCESS(WdfSpinLockCreate(WDF_NO_OBJECT_ATTRIBUTES, &another)))
            WdfSpinLockAcquire(another);
        return;
    case PROBE_LOCK_NOT_HELD:
        WdfSpinLockRelease(lock);
        break;
    case PROBE_IRQL:
        WdfSpinLockAcquire(lock);
        WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
        if (NT_SUCCESS(WdfDriverOpenParametersRegistryKey(WdfDeviceGetDriver(device_handle),
                                                          KEY_READ, &attributes, &key)))
            WdfRegistryClose(key);
        WdfSpinLockRelease(lock);
        break;
    default:
        break;
    }
    WdfRequestComplete(request, STATUS_SUCCESS);
}

static void misuse_request(enum probe_misuse misuse, WDFREQUEST request, size_t room)
{
    PVOID buffer;

    WdfRequestRetrieveOutputBuffer(request, 8, &buffer, NULL);
    switch (misuse) {
    case PROBE_BUFFER_OVERRUN:
        ((uint8_t *)buffer)[room] = 1;
        break;
    case PROBE_INFORMATION:
        RtlZeroMemory(buffer, room);
        WdfRequestCompleteWithInformation(request, STATUS_SUCCESS, room + 1);
        return;
    case PROBE_OUTPUT_UNSET:
        WdfRequestCompleteWithInformation(request, STATUS_SUCCESS, room);
        return;
    case PROBE_COMPLETED_CANCELABLE:
        WdfRequestMarkCancelableEx(request, cancel);
        break;
    default:
        break;
    }
    WdfRequestComplete(request, STATUS_SUCCESS);
    if (misuse == PROBE_COMPLETED_TWICE)
        WdfRequestComplete(request, STATUS_SUCCESS);
    if (misuse == PROBE_TOUCHED)
        WdfRequestGetFileObject(request);
    if (misuse == PROBE_BUFFER_AFTER)
        ((uint8_t *)buffer)[1] = 1;
}

static void misuse_rest(enum probe_misuse misuse, WDFQUEUE queue, WDFREQUEST request)
{
    WDF_IO_QUEUE_CONFIG config;
    WDFQUEUE another;

    switch (misuse) {
    case PROBE_WRONG_HANDLE:
        WdfRequestComplete((WDFREQUEST)manual, STATUS_SUCCESS);
        break;
    case PROBE_NULL_HANDLE:
        WdfIoQueueStart(NULL);
        break;
    case PROBE_NOT_A_HANDLE:
        WdfIoQueueStart((WDFQUEUE)&counts);
        break;
    case PROBE_STRUCT_SIZE:
        WDF_IO_QUEUE_CONFIG_INIT(&config, WdfIoQueueDispatchManual);
        config.Size--;
        WdfIoQueueCreate(device_handle, &config, WDF_NO_OBJECT_ATTRIBUTES, &another);
        break;
    case PROBE_UNDELETABLE:
        WdfObjectDelete(request);
        break;
    case PROBE_WAITS_IN_CALLBACK:
        WdfIoQueuePurgeSynchronously(queue);
        break;
    case PROBE_NOTIFY_LEAK:
        keep_notify = TRUE;
        break;
    default:
        break;
    }
    WdfRequestComplete(request, STATUS_SUCCESS);
}

static void misuse(enum probe_misuse misuse, WDFQUEUE queue, WDFREQUEST request, size_t room)
{
    switch (misuse) {
    case PROBE_NOT_OWNER:
        WdfRequestForwardToIoQueue(request, manual);
        WdfRequestComplete(request, STATUS_SUCCESS); /* is reported and does nothing */
        WdfIoQueueRetrieveNextRequest(manual, &request);
        WdfRequestComplete(request, STATUS_SUCCESS);
        break;
    case PROBE_POOL_OVERRUN:
    case PROBE_POOL_TWICE:
    case PROBE_POOL_TAG:
    case PROBE_POOL_EXECUTABLE:
    case PROBE_POOL_AFTER_FREE:
    case PROBE_POOL_LEAK:
        misuse_pool(misuse);
        WdfRequestComplete(request, STATUS_SUCCESS);
        break;
    case PROBE_NOT_A_PROCESS:
    case PROBE_PROCESS_OVER:
    case PROBE_PROCESS_LEAK:
    case PROBE_TOKEN_LEAK:
        misuse_process(misuse);
        WdfRequestComplete(request, STATUS_SUCCESS);
        break;
    case PROBE_CONTEXT_OVERRUN:
    case PROBE_NO_CONTEXT:
    case PROBE_OVER_DEREFERENCED:
    case PROBE_OBJECT_LEAK:
    case PROBE_STALE_HANDLE:
        misuse_object(misuse);
        WdfRequestComplete(request, STATUS_SUCCESS);
        break;
    case PROBE_WITH_LOCK:
    case PROBE_LOCK_KEPT:
    case PROBE_LOCK_NOT_HELD:
    case PROBE_IRQL:
        misuse_lock(misuse, request);
        break;
    case PROBE_COMPLETED_TWICE:
    case PROBE_TOUCHED:
    case PROBE_BUFFER_OVERRUN:
    case PROBE_BUFFER_AFTER:
    case PROBE_INFORMATION:
    case PROBE_OUTPUT_UNSET:
    case PROBE_COMPLETED_CANCELABLE:
        misuse_request(misuse, request, room);
        break;
    default:
        misuse_rest(misuse, queue, request);
    }
}

/* ---- what is right ---- */

static VOID file_create(WDFDEVICE device, WDFREQUEST request, WDFFILEOBJECT file)
{
    UNREFERENCED_PARAMETER(device);
    context_of(file)->value = 7;
    InterlockedIncrement(&counts.creates);
    WdfRequestComplete(request, STATUS_SUCCESS);
}

/* The clean-up is before the close, and each comes once. */
static VOID file_cleanup(WDFFILEOBJECT file)
{
    if (context_of(file)->value++ == 7)
        InterlockedIncrement(&counts.cleanups);
}

static VOID file_close(WDFFILEOBJECT file)
{
    if (context_of(file)->value++ == 8)
        InterlockedIncrement(&counts.closes);
}

static VOID canceled_on_queue(WDFQUEUE queue, WDFREQUEST request)
{
    UNREFERENCED_PARAMETER(queue);
    InterlockedIncrement(&counts.canceled_on_queue);
    WdfRequestComplete(request, STATUS_CANCELLED);
}

static VOID cancel(WDFREQUEST request)
{
    InterlockedIncrement(&counts.cancel_routines);
    marked = NULL;
    WdfRequestComplete(request, STATUS_CANCELLED);
}

static VOID purged(WDFQUEUE queue, WDFCONTEXT unused)
{
    UNREFERENCED_PARAMETER(unused);
    InterlockedIncrement(&counts.purged);
    WdfIoQueueStart(queue);
}

static void echo(WDFREQUEST request)
{
    PVOID in, out;
    size_t in_size, out_size;
    NTSTATUS status;

    status = WdfRequestRetrieveInputBuffer(request, 1, &in, &in_size);
    if (NT_SUCCESS(status))
        status = WdfRequestRetrieveOutputBuffer(request, in_size, &out, &out_size);
    if (NT_SUCCESS(status))
        RtlMoveMemory(out, in, in_size);
    WdfRequestCompleteWithInformation(request, status, NT_SUCCESS(status) ? in_size : 0);
}

static void release(WDFREQUEST request)
{
    WDFREQUEST oldest;
    PVOID out;

    if (!NT_SUCCESS(WdfRequestRetrieveOutputBuffer(request, 4, &out, NULL))) {
        WdfRequestComplete(request, STATUS_BUFFER_TOO_SMALL);
        return;
    }
    *(uint32_t *)out = 0;
    if (NT_SUCCESS(WdfIoQueueRetrieveNextRequest(manual, &oldest))) {
        *(uint32_t *)out = 1;
        WdfRequestComplete(oldest, STATUS_SUCCESS);
    }
    WdfRequestCompleteWithInformation(request, STATUS_SUCCESS, 4);
}

static VOID control(WDFQUEUE queue, WDFREQUEST request, size_t out_size, size_t in_size, ULONG code)
{
    PVOID buffer;
    NTSTATUS status;

    switch (code) {
    case PROBE_ECHO:
    case PROBE_RAW:
        echo(request);
        break;
    case PROBE_PEND:
        status = WdfRequestForwardToIoQueue(request, manual);
        if (!NT_SUCCESS(status))
            WdfRequestComplete(request, status);
        break;
    case PROBE_RELEASE:
        release(request);
        break;
    case PROBE_MISUSE:
        if (in_size == sizeof(uint32_t) && out_size >= 32 &&
            NT_SUCCESS(WdfRequestRetrieveInputBuffer(request, 4, &buffer, NULL)))
            misuse(*(uint32_t *)buffer, queue, request, out_size);
        else
            WdfRequestComplete(request, STATUS_INVALID_PARAMETER);
        break;
    case PROBE_COUNTS:
        status = WdfRequestRetrieveOutputBuffer(request, sizeof(counts), &buffer, NULL);
        if (NT_SUCCESS(status))
            RtlCopyMemory(buffer, (const void *)&counts, sizeof(counts));
        WdfRequestCompleteWithInformation(request, status, NT_SUCCESS(status) ? sizeof(counts) : 0);
        break;
    case PROBE_MARK:
        marked = request;
        status = WdfRequestMarkCancelableEx(request, cancel);
        if (!NT_SUCCESS(status))
            WdfRequestComplete(request, status);
        break;
    case PROBE_PURGE:
        WdfIoQueuePurge(manual, purged, NULL);
        WdfRequestComplete(request, STATUS_SUCCESS);
        break;
    default:
        WdfRequestComplete(request, STATUS_INVALID_DEVICE_REQUEST);
    }
}

/* ---- entry ---- */

static VOID unload(WDFDRIVER driver)
{
    UNREFERENCED_PARAMETER(driver);
    if (!keep_notify)
        PsSetCreateProcessNotifyRoutineEx(notify, TRUE);
}

static NTSTATUS queues_create(void)
{
    WDF_IO_QUEUE_CONFIG config;
    WDFQUEUE parallel;
    NTSTATUS status;

    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchParallel);
    config.PowerManaged = WdfFalse;
    config.EvtIoDeviceControl = control;
    status = WdfIoQueueCreate(device_handle, &config, WDF_NO_OBJECT_ATTRIBUTES, &parallel);
    if (!NT_SUCCESS(status))
        return status;
    WDF_IO_QUEUE_CONFIG_INIT(&config, WdfIoQueueDispatchManual);
    config.PowerManaged = WdfFalse;
    config.EvtIoCanceledOnQueue = canceled_on_queue;
    return WdfIoQueueCreate(device_handle, &config, WDF_NO_OBJECT_ATTRIBUTES, &manual);
}

static NTSTATUS device_create(WDFDRIVER driver)
{
    static const UNICODE_STRING sddl = RTL_CONSTANT_STRING(L"D:P(A;;GA;;;SY)(A;;GA;;;BA)");
    static const UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\rollcall-probe");
    static const UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\DosDevices\\rollcall-probe");
    PWDFDEVICE_INIT init = WdfControlDeviceInitAllocate(driver, &sddl);
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_FILEOBJECT_CONFIG files;
    NTSTATUS status;

    if (init == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, context);
    WDF_FILEOBJECT_CONFIG_INIT(&files, file_create, file_close, file_cleanup);
    WdfDeviceInitSetFileObjectConfig(init, &files, &attributes);
    status = WdfDeviceInitAssignName(init, &name);
    if (NT_SUCCESS(status))
        status = WdfDeviceCreate(&init, WDF_NO_OBJECT_ATTRIBUTES, &device_handle);
    if (!NT_SUCCESS(status)) {
        WdfDeviceInitFree(init);
        return status;
    }
    status = queues_create();
    if (NT_SUCCESS(status))
        status = WdfDeviceCreateSymbolicLink(device_handle, &link);
    if (NT_SUCCESS(status))
        WdfControlFinishInitializing(device_handle);
    return status;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT object, PUNICODE_STRING path)
{
    WDF_DRIVER_CONFIG config;
    WDFDRIVER driver;
    NTSTATUS status;

    keep_notify = FALSE;
    WDF_DRIVER_CONFIG_INIT(&config, NULL);
    config.DriverInitFlags = WdfDriverInitNonPnpDriver;
    config.EvtDriverUnload = unload;
    status = WdfDriverCreate(object, path, WDF_NO_OBJECT_ATTRIBUTES, &config, &driver);
    if (NT_SUCCESS(status))
        status = device_create(driver);
    if (NT_SUCCESS(status))
        status = WdfSpinLockCreate(WDF_NO_OBJECT_ATTRIBUTES, &lock);
    if (NT_SUCCESS(status))
        status = PsSetCreateProcessNotifyRoutineEx(notify, FALSE);
    return status;
}
