/* SPDX-License-Identifier: MIT */
/*
 * Requests. A request is in one place at a time, which the lock guards: on its way, in a queue,
 * with the driver, completed. Whoever moves it there from a queue or the driver is the one that
 * acts on it; so a completion and a cancellation that race are told apart by the place they find.
 *
 * The driver gets a buffer of ours instead of Wine's, with guards around it. It is filled when the
 * request is completed, and looked at again before it is freed.
 */
#include "tests/wine/wdfldr/table.h"

#include <string.h>

#define GUARD      32u
#define GUARD_BYTE 0xFD
#define UNSET_BYTE 0xA5
#define DEAD_BYTE  0xDD
#define UNSET_RUN  16u  /* so many bytes that nobody wrote are no chance */
#define DEAD_KEPT  256u /* buffers of completed requests */

struct dead_buffer {
    uint8_t *buffer;
    size_t room;
    ULONG code;
};

static struct dead_buffer dead[DEAD_KEPT];
static unsigned next_dead;
static SRWLOCK dead_lock;

/* The framework shows a driver no buffers of such a request. */
static bool is_raw(const struct request *request)
{
    return (request->code & 3) == METHOD_NEITHER;
}

/* ---- buffers ---- */

static bool all(const uint8_t *bytes, size_t size, uint8_t value)
{
    while (size > 0 && bytes[size - 1] == value)
        size--;
    return size == 0;
}

static void buffer_new(struct request *request)
{
    uint8_t *block;

    request->room =
        request->input_size > request->output_size ? request->input_size : request->output_size;
    block = memory_new(request->room + 2 * GUARD);
    memset(block, GUARD_BYTE, GUARD);
    memset(block + GUARD + request->room, GUARD_BYTE, GUARD);
    request->buffer = block + GUARD;
    memset(request->buffer, UNSET_BYTE, request->room);
    if (request->input_size > 0 && !is_raw(request))
        memcpy(request->buffer, request->irp->AssociatedIrp.SystemBuffer, request->input_size);
}

static void buffer_bury(struct request *request)
{
    struct dead_buffer oldest;

    if (!all(request->buffer - GUARD, GUARD, GUARD_BYTE) ||
        !all(request->buffer + request->room, GUARD, GUARD_BYTE))
        report("buffer-overrun", "code %lx, %zu bytes", request->code, request->room);
    memset(request->buffer, DEAD_BYTE, request->room);
    AcquireSRWLockExclusive(&dead_lock);
    oldest = dead[next_dead];
    dead[next_dead] = (struct dead_buffer){request->buffer, request->room, request->code};
    next_dead = (next_dead + 1) % DEAD_KEPT;
    ReleaseSRWLockExclusive(&dead_lock);
    if (oldest.buffer == NULL)
        return;
    if (!all(oldest.buffer, oldest.room, DEAD_BYTE))
        report("buffer-after-completion", "code %lx: written to", oldest.code);
    memory_free(oldest.buffer - GUARD);
}

void request_buffers_check(void)
{
    unsigned i;

    AcquireSRWLockExclusive(&dead_lock);
    for (i = 0; i < DEAD_KEPT; i++) {
        if (dead[i].buffer == NULL)
            continue;
        if (!all(dead[i].buffer, dead[i].room, DEAD_BYTE))
            report("buffer-after-completion", "code %lx: written to", dead[i].code);
        memory_free(dead[i].buffer - GUARD);
        dead[i].buffer = NULL;
    }
    ReleaseSRWLockExclusive(&dead_lock);
}

/* What the driver returns without having written it is the memory of somebody else. */
static bool holds_unset(const uint8_t *bytes, size_t size)
{
    size_t i, run = 0;

    for (i = 0; i < size; i++) {
        run = bytes[i] == UNSET_BYTE ? run + 1 : 0;
        if (run == UNSET_RUN)
            return true;
    }
    return false;
}

/* ---- IRPs ---- */

static void irp_release(void *memory)
{
    IoFreeIrp(memory);
}

/*
 * In place of Wine's completion routine, which it calls. A cancellation that is on its way to the
 * dispatching thread names the IRP by its address: the IRP is kept until that has come.
 */
static NTSTATUS NTAPI irp_completed(DEVICE_OBJECT *device, IRP *irp, void *context)
{
    struct request *request = context;
    NTSTATUS status = request->completion(device, irp, request->completion_context);

    if (status == STATUS_MORE_PROCESSING_REQUIRED)
        return status; /* the dispatching thread had not seen it pended, and frees it itself */
    HeapFree(GetProcessHeap(), 0, irp->AssociatedIrp.SystemBuffer);
    irp->AssociatedIrp.SystemBuffer = NULL;
    memory_retire(irp, irp_release);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void call_cancel_routine(void *context)
{
    struct request *request = context;
    struct call call = call_begin();

    request->cancel((WDFREQUEST)HANDLE_OF(request));
    call_end(call, "EvtRequestCancel");
    object_dereference(&request->base);
}

static void canceled_in_queue(void *context)
{
    struct request *request = context;

    request_canceled_in_queue(request);
    object_dereference(&request->base);
}

/* On the dispatching thread, with Wine's locks held: only decides who acts, on another thread. */
static void NTAPI irp_cancel(DEVICE_OBJECT *device, IRP *irp)
{
    struct request *request = irp->Tail.Overlay.DriverContext[0];
    work_routine routine = NULL;

    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    enter();
    request->canceled = true;
    if (request->place == PLACE_QUEUED) {
        queue_remove(request);
        routine = canceled_in_queue;
    } else if (request->place == PLACE_DRIVER && request->cancel != NULL && !request->cancel_runs) {
        request->cancel_runs = true;
        routine = call_cancel_routine;
    }
    if (routine != NULL)
        request->base.references++;
    leave();
    if (routine != NULL)
        work_send(CANCEL_LANE, routine, request);
}

struct request *request_new(struct device *device, struct file *file, IRP *irp,
                            WDF_REQUEST_TYPE type)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    const WDF_OBJECT_ATTRIBUTES *attributes = &device->init.request_attributes;
    struct request *request;
    NTSTATUS status;

    status = object_new(KIND_REQUEST, sizeof(*request), attributes->Size != 0 ? attributes : NULL,
                        &device->base, "a request", &request);
    if (!NT_SUCCESS(status)) {
        irp->IoStatus.Status = status;
        irp->IoStatus.Information = 0;
        IoCompleteRequest(irp, IO_NO_INCREMENT);
        return NULL;
    }
    request->irp = irp;
    request->file = file;
    request->device = device;
    request->type = type;
    request->pid = HandleToULong(PsGetProcessId(IoGetRequestorProcess(irp)));
    request->tid = HandleToULong(PsGetThreadId(irp->Tail.Overlay.Thread));
    request->lane = request->tid / 4 % LANES;
    if (type == WdfRequestTypeDeviceControl) {
        request->code = stack->Parameters.DeviceIoControl.IoControlCode;
        request->input_size = stack->Parameters.DeviceIoControl.InputBufferLength;
        request->output_size = stack->Parameters.DeviceIoControl.OutputBufferLength;
    }
    buffer_new(request);
    request->completion = stack->CompletionRoutine;
    request->completion_context = stack->Context;
    stack->CompletionRoutine = irp_completed;
    stack->Context = request;
    irp->Tail.Overlay.DriverContext[0] = request;
    IoSetCancelRoutine(irp, irp_cancel);
    enter();
    file->requests++;
    leave();
    return request;
}

/* ---- completion ---- */

static void answer(struct request *request, NTSTATUS status)
{
    IRP *irp = request->irp;
    ULONG_PTR size = request->information;

    if (!NT_ERROR(status) && size > request->output_size) {
        report("information", "code %lx: %llu bytes of a buffer of %zu", request->code,
               (unsigned long long)size, request->output_size);
        size = request->output_size;
    }
    if (!NT_ERROR(status) && size > 0) {
        if (holds_unset(request->buffer, size))
            report("output-unset", "code %lx: %llu bytes, not all were written", request->code,
                   (unsigned long long)size);
        memcpy(irp->UserBuffer, request->buffer, size);
    }
    buffer_bury(request);
    process_let_go(request->process);
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = size;
}

void request_complete(struct request *request, NTSTATUS status)
{
    struct file *file = request->file;
    struct queue *queue = request->queue;

    if (thread_here()->spin_locks > 0)
        report("completed-with-lock", "code %lx: %u spin locks held", request->code,
               thread_here()->spin_locks);
    enter();
    queue_disown(request);
    request->place = PLACE_COMPLETED;
    request->base.references++;
    if (request->type == WdfRequestTypeCreate)
        file->status = status;
    leave();
    object_delete(&request->base);
    answer(request, status);
    IoSetCancelRoutine(request->irp, NULL);
    IoCompleteRequest(request->irp, IO_NO_INCREMENT);
    object_dereference(&request->base);
    if (queue != NULL)
        queue_run(queue);
    file_request_done(file);
}

void request_canceled_in_queue(struct request *request)
{
    struct queue *queue = request->queue;
    EVT_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE *routine = queue->config.EvtIoCanceledOnQueue;
    struct call call;

    if (!request->presented || routine == NULL) {
        request_complete(request, STATUS_CANCELLED);
        return;
    }
    enter();
    queue_own(queue, request);
    leave();
    call = call_begin();
    routine((WDFQUEUE)HANDLE_OF(queue), (WDFREQUEST)HANDLE_OF(request));
    call_end(call, "EvtIoCanceledOnQueue");
}

/* ---- the framework's functions ---- */

static struct request *request_of_locked(WDFREQUEST handle, const char *function)
{
    struct request *request = object_of_locked(handle, KIND_REQUEST, function);

    if (request == NULL || request->place == PLACE_DRIVER)
        return request;
    if (request->place == PLACE_COMPLETED)
        report(strncmp(function, "WdfRequestComplete", 18) == 0 ? "completed-twice"
                                                                : "touched-after-completion",
               "%s: code %lx", function, request->code);
    else
        report("not-owner", "%s: code %lx is in a queue", function, request->code);
    return NULL;
}

struct request *request_of(WDFREQUEST handle, const char *function)
{
    struct request *request;

    enter();
    request = request_of_locked(handle, function);
    leave();
    return request;
}

/* From the driver: it must own the request, and not have promised to cancel it. */
static void complete_by_driver(WDFREQUEST handle, NTSTATUS status, const ULONG_PTR *information,
                               const char *function)
{
    struct request *request;

    irql_at_most(DISPATCH_LEVEL, function);
    enter();
    request = request_of_locked(handle, function);
    if (request != NULL) {
        if (request->cancel != NULL && !request->cancel_runs)
            report("completed-cancelable", "%s: code %lx is still marked", function, request->code);
        request->cancel = NULL;
        if (information != NULL)
            request->information = *information;
        /* Nobody else finds it from here on. */
        queue_disown(request);
        request->place = PLACE_COMPLETED;
    }
    leave();
    if (request != NULL)
        request_complete(request, status);
}

static VOID complete(PWDF_DRIVER_GLOBALS globals, WDFREQUEST handle, NTSTATUS status)
{
    UNREFERENCED_PARAMETER(globals);
    complete_by_driver(handle, status, NULL, "WdfRequestComplete");
}

static VOID complete_with_information(PWDF_DRIVER_GLOBALS globals, WDFREQUEST handle,
                                      NTSTATUS status, ULONG_PTR information)
{
    UNREFERENCED_PARAMETER(globals);
    complete_by_driver(handle, status, &information, "WdfRequestCompleteWithInformation");
}

static VOID set_information(PWDF_DRIVER_GLOBALS globals, WDFREQUEST handle, ULONG_PTR information)
{
    struct request *request = request_of(handle, "WdfRequestSetInformation");

    UNREFERENCED_PARAMETER(globals);
    if (request != NULL)
        request->information = information;
}

static VOID get_parameters(PWDF_DRIVER_GLOBALS globals, WDFREQUEST handle,
                           PWDF_REQUEST_PARAMETERS parameters)
{
    struct request *request = request_of(handle, "WdfRequestGetParameters");

    UNREFERENCED_PARAMETER(globals);
    if (parameters->Size != sizeof(*parameters))
        report("struct-size", "WdfRequestGetParameters: %u bytes", parameters->Size);
    if (request == NULL)
        return;
    parameters->Type = request->type;
    parameters->MinorFunction = 0;
    parameters->Parameters.DeviceIoControl.IoControlCode = request->code;
    parameters->Parameters.DeviceIoControl.InputBufferLength = request->input_size;
    parameters->Parameters.DeviceIoControl.OutputBufferLength = request->output_size;
    parameters->Parameters.DeviceIoControl.Type3InputBuffer = NULL;
}

static NTSTATUS retrieve(WDFREQUEST handle, size_t least, PVOID *buffer, size_t *size, bool input)
{
    const char *function =
        input ? "WdfRequestRetrieveInputBuffer" : "WdfRequestRetrieveOutputBuffer";
    struct request *request = request_of(handle, function);
    size_t there;

    *buffer = NULL;
    if (size != NULL)
        *size = 0;
    if (request == NULL)
        return STATUS_INVALID_HANDLE;
    if (request->type != WdfRequestTypeDeviceControl || is_raw(request))
        return STATUS_INVALID_DEVICE_REQUEST;
    there = input ? request->input_size : request->output_size;
    if (there == 0 || there < least)
        return STATUS_BUFFER_TOO_SMALL;
    *buffer = request->buffer;
    if (size != NULL)
        *size = there;
    return STATUS_SUCCESS;
}

static NTSTATUS retrieve_input(PWDF_DRIVER_GLOBALS globals, WDFREQUEST handle, size_t least,
                               PVOID *buffer, size_t *size)
{
    UNREFERENCED_PARAMETER(globals);
    return retrieve(handle, least, buffer, size, true);
}

static NTSTATUS retrieve_output(PWDF_DRIVER_GLOBALS globals, WDFREQUEST handle, size_t least,
                                PVOID *buffer, size_t *size)
{
    UNREFERENCED_PARAMETER(globals);
    return retrieve(handle, least, buffer, size, false);
}

static WDFFILEOBJECT get_file_object(PWDF_DRIVER_GLOBALS globals, WDFREQUEST handle)
{
    struct request *request = request_of(handle, "WdfRequestGetFileObject");

    UNREFERENCED_PARAMETER(globals);
    return request != NULL ? (WDFFILEOBJECT)HANDLE_OF(request->file) : NULL;
}

static KPROCESSOR_MODE get_requestor_mode(PWDF_DRIVER_GLOBALS globals, WDFREQUEST handle)
{
    UNREFERENCED_PARAMETER(globals);
    request_of(handle, "WdfRequestGetRequestorMode");
    return UserMode;
}

static WDFQUEUE get_io_queue(PWDF_DRIVER_GLOBALS globals, WDFREQUEST handle)
{
    struct request *request = request_of(handle, "WdfRequestGetIoQueue");

    UNREFERENCED_PARAMETER(globals);
    return request != NULL && request->queue != NULL ? (WDFQUEUE)HANDLE_OF(request->queue) : NULL;
}

static PIRP get_irp(PWDF_DRIVER_GLOBALS globals, WDFREQUEST handle)
{
    struct request *request = request_of(handle, "WdfRequestWdmGetIrp");

    UNREFERENCED_PARAMETER(globals);
    return request != NULL ? request->irp : NULL;
}

/* Puts it into a queue for the driver, or has it canceled at once, on this thread. */
static NTSTATUS put(struct request *request, struct queue *queue, bool at_head)
{
    bool canceled, was_empty;
    struct queue *from;

    enter();
    if (!queue->accepts) {
        leave();
        return STATUS_WDF_BUSY;
    }
    from = request->queue;
    queue_disown(request);
    request->queue = queue;
    request->presented = true;
    canceled = request->canceled;
    was_empty = queue->first == NULL;
    if (!canceled)
        queue_add(queue, request, at_head);
    leave();
    if (canceled)
        request_canceled_in_queue(request);
    else
        queue_added(queue, was_empty);
    if (from != NULL && from != queue)
        queue_run(from);
    return STATUS_SUCCESS;
}

static bool may_move(struct request *request, const char *function)
{
    if (request->cancel == NULL)
        return true;
    report("moved-cancelable", "%s: code %lx is marked cancelable", function, request->code);
    return false;
}

static NTSTATUS forward(PWDF_DRIVER_GLOBALS globals, WDFREQUEST handle, WDFQUEUE to)
{
    struct request *request = request_of(handle, "WdfRequestForwardToIoQueue");
    struct queue *queue = object_of(to, KIND_QUEUE, "WdfRequestForwardToIoQueue");

    UNREFERENCED_PARAMETER(globals);
    irql_at_most(DISPATCH_LEVEL, "WdfRequestForwardToIoQueue");
    if (request == NULL || queue == NULL || !may_move(request, "WdfRequestForwardToIoQueue"))
        return STATUS_INVALID_PARAMETER;
    if (queue == request->queue || queue->device != request->device) {
        report("forwarded-wrongly", "code %lx: to %s", request->code,
               queue == request->queue ? "the queue it comes from" : "another device");
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (thread_here()->spin_locks > 0)
        report("forwarded-with-lock", "code %lx: EvtIoCanceledOnQueue may be called",
               request->code);
    return put(request, queue, false);
}

static NTSTATUS requeue(PWDF_DRIVER_GLOBALS globals, WDFREQUEST handle)
{
    struct request *request = request_of(handle, "WdfRequestRequeue");

    UNREFERENCED_PARAMETER(globals);
    if (request == NULL || !may_move(request, "WdfRequestRequeue"))
        return STATUS_INVALID_PARAMETER;
    if (request->queue == NULL || request->queue->config.DispatchType != WdfIoQueueDispatchManual)
        return STATUS_INVALID_DEVICE_REQUEST;
    return put(request, request->queue, true);
}

static NTSTATUS mark_cancelable(PWDF_DRIVER_GLOBALS globals, WDFREQUEST handle,
                                PFN_WDF_REQUEST_CANCEL routine)
{
    struct request *request;
    NTSTATUS status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(globals);
    enter();
    request = request_of_locked(handle, "WdfRequestMarkCancelableEx");
    if (request == NULL) {
        status = STATUS_INVALID_HANDLE;
    } else if (request->cancel != NULL) {
        report("marked-twice", "WdfRequestMarkCancelableEx: code %lx", request->code);
        status = STATUS_INVALID_PARAMETER;
    } else if (request->canceled) {
        status = STATUS_CANCELLED;
    } else {
        request->cancel = routine;
    }
    leave();
    return status;
}

static NTSTATUS unmark_cancelable(PWDF_DRIVER_GLOBALS globals, WDFREQUEST handle)
{
    struct request *request;
    NTSTATUS status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(globals);
    enter();
    request = request_of_locked(handle, "WdfRequestUnmarkCancelable");
    if (request == NULL) {
        status = STATUS_INVALID_HANDLE;
    } else if (request->cancel == NULL) {
        report("not-marked", "WdfRequestUnmarkCancelable: code %lx", request->code);
        status = STATUS_INVALID_PARAMETER;
    } else if (request->cancel_runs) {
        status = STATUS_CANCELLED;
    } else {
        request->cancel = NULL;
    }
    leave();
    return status;
}

static BOOLEAN is_canceled(PWDF_DRIVER_GLOBALS globals, WDFREQUEST handle)
{
    struct request *request = request_of(handle, "WdfRequestIsCanceled");

    UNREFERENCED_PARAMETER(globals);
    return request != NULL && request->canceled;
}

/* Only for queues that are power-managed. A control device has no power to be managed. */
static VOID stop_acknowledge(PWDF_DRIVER_GLOBALS globals, WDFREQUEST handle, BOOLEAN again)
{
    UNREFERENCED_PARAMETER(globals);
    UNREFERENCED_PARAMETER(again);
    if (request_of(handle, "WdfRequestStopAcknowledge") != NULL)
        report("not-stopping", "WdfRequestStopAcknowledge outside EvtIoStop");
}

void table_requests(WDFFUNC *table)
{
    SET(WdfRequestMarkCancelableEx, mark_cancelable);
    SET(WdfRequestUnmarkCancelable, unmark_cancelable);
    SET(WdfRequestIsCanceled, is_canceled);
    SET(WdfRequestComplete, complete);
    SET(WdfRequestCompleteWithInformation, complete_with_information);
    SET(WdfRequestGetParameters, get_parameters);
    SET(WdfRequestRetrieveInputBuffer, retrieve_input);
    SET(WdfRequestRetrieveOutputBuffer, retrieve_output);
    SET(WdfRequestSetInformation, set_information);
    SET(WdfRequestGetFileObject, get_file_object);
    SET(WdfRequestGetRequestorMode, get_requestor_mode);
    SET(WdfRequestForwardToIoQueue, forward);
    SET(WdfRequestGetIoQueue, get_io_queue);
    SET(WdfRequestRequeue, requeue);
    SET(WdfRequestStopAcknowledge, stop_acknowledge);
    SET(WdfRequestWdmGetIrp, get_irp);
}
