/* SPDX-License-Identifier: MIT */
/* Queues: who is in them, and when the driver is called. */
#include "tests/wine/wdfldr/table.h"

#define PURGE_MS 8000u /* longer than anything takes that works */

/* ---- with the lock held ---- */

void queue_add(struct queue *queue, struct request *request, bool at_head)
{
    request->queue = queue;
    request->place = PLACE_QUEUED;
    request->next = at_head ? queue->first : NULL;
    request->previous = at_head ? NULL : queue->last;
    if (request->next != NULL)
        request->next->previous = request;
    else
        queue->last = request;
    if (request->previous != NULL)
        request->previous->next = request;
    else
        queue->first = request;
    queue->queued++;
}

void queue_remove(struct request *request)
{
    struct queue *queue = request->queue;

    if (request->next != NULL)
        request->next->previous = request->previous;
    else
        queue->last = request->previous;
    if (request->previous != NULL)
        request->previous->next = request->next;
    else
        queue->first = request->next;
    queue->queued--;
    request->place = PLACE_NEW;
}

void queue_own(struct queue *queue, struct request *request)
{
    request->queue = queue;
    request->place = PLACE_DRIVER;
    request->presented = true;
    queue->owned++;
}

void queue_disown(struct request *request)
{
    if (request->place != PLACE_DRIVER)
        return;
    request->place = PLACE_NEW;
    if (request->queue == NULL)
        return; /* a create does not come out of a queue */
    request->queue->owned--;
    if (request->queue->owned == 0)
        WakeAllConditionVariable(&runtime_changed);
}

static unsigned owned_max(const struct queue *queue)
{
    switch (queue->config.DispatchType) {
    case WdfIoQueueDispatchSequential:
        return 1;
    case WdfIoQueueDispatchParallel:
        return queue->config.Settings.Parallel.NumberOfPresentedRequests;
    default:
        return 0; /* manual: the driver takes them itself */
    }
}

/* ---- calls of the driver ---- */

static void present(struct queue *queue, struct request *request)
{
    const WDF_IO_QUEUE_CONFIG *config = &queue->config;
    struct stay stay = process_enter(request->pid, request->tid);
    struct call call = call_begin();
    WDFREQUEST handle = (WDFREQUEST)HANDLE_OF(request);

    if (config->EvtIoDeviceControl != NULL)
        config->EvtIoDeviceControl((WDFQUEUE)HANDLE_OF(queue), handle, request->output_size,
                                   request->input_size, request->code);
    else if (config->EvtIoDefault != NULL)
        config->EvtIoDefault((WDFQUEUE)HANDLE_OF(queue), handle);
    else
        request_complete(request, STATUS_INVALID_DEVICE_REQUEST);
    call_end(call, "EvtIoDeviceControl");
    process_leave(stay);
}

/* Calls who waits until the driver owns nothing. */
static void tell_idle(struct queue *queue)
{
    PFN_WDF_IO_QUEUE_STATE idle = NULL;
    struct call call;

    enter();
    if (queue->owned == 0) {
        idle = queue->idle;
        queue->idle = NULL;
    }
    leave();
    if (idle == NULL)
        return;
    call = call_begin();
    idle((WDFQUEUE)HANDLE_OF(queue), queue->idle_context);
    call_end(call, "EvtIoQueueState");
}

void queue_run(struct queue *queue)
{
    struct thread *thread = thread_here();
    void *outer = thread->queue;
    struct request *request;

    tell_idle(queue);
    if (outer == queue)
        return; /* a request was completed while the driver was called: the loop goes on there */
    object_reference(&queue->base);
    thread->queue = queue;
    for (;;) {
        enter();
        request = queue->first;
        if (!queue->dispatches || queue->owned >= owned_max(queue))
            request = NULL;
        if (request != NULL) {
            queue_remove(request);
            queue_own(queue, request);
        }
        leave();
        if (request == NULL)
            break;
        present(queue, request);
    }
    thread->queue = outer;
    object_dereference(&queue->base);
}

void queue_added(struct queue *queue, bool was_empty)
{
    PFN_WDF_IO_QUEUE_STATE ready = NULL;
    struct call call;

    enter();
    if (was_empty && queue->dispatches)
        ready = queue->ready;
    leave();
    if (ready != NULL) {
        call = call_begin();
        ready((WDFQUEUE)HANDLE_OF(queue), queue->ready_context);
        call_end(call, "EvtIoQueueState");
    }
    queue_run(queue);
}

/* ---- the framework's own work ---- */

void request_enter(struct request *request)
{
    struct queue *queue = request->device->default_queue;
    NTSTATUS status = STATUS_SUCCESS;
    bool was_empty = false;

    enter();
    if (!NT_SUCCESS(request->file->status))
        status = request->file->status;
    else if (queue == NULL)
        status = STATUS_INVALID_DEVICE_REQUEST;
    else if (!queue->accepts)
        status = STATUS_INVALID_DEVICE_STATE;
    else if (request->canceled)
        status = STATUS_CANCELLED;
    if (status == STATUS_SUCCESS) {
        was_empty = queue->first == NULL;
        queue_add(queue, request, false);
    }
    leave();
    if (status == STATUS_SUCCESS)
        queue_added(queue, was_empty);
    else
        request_complete(request, status);
}

/* NULL: of any file. */
static void flush(struct queue *queue, const struct file *file)
{
    struct request *request;

    for (;;) {
        enter();
        for (request = queue->first; request != NULL; request = request->next)
            if (file == NULL || request->file == file)
                break;
        if (request != NULL) {
            queue_remove(request);
            request->canceled = true;
        }
        leave();
        if (request == NULL)
            return;
        request_canceled_in_queue(request);
    }
}

void queue_flush(struct queue *queue)
{
    flush(queue, NULL);
}

void queues_flush(struct file *file)
{
    struct queue *queue, *next;

    enter();
    queue = file->device->queues;
    if (queue != NULL)
        queue->base.references++;
    leave();
    while (queue != NULL) {
        flush(queue, file);
        enter();
        next = queue->next;
        if (next != NULL)
            next->base.references++;
        leave();
        object_dereference(&queue->base);
        queue = next;
    }
}

/* What the driver owns and said how to cancel. */
static void cancel_owned(struct queue *queue)
{
    struct object *object;
    struct request *request;

    for (;;) {
        enter();
        for (object = queue->device->base.child; object != NULL; object = object->next) {
            request = (struct request *)object;
            if (object->kind == KIND_REQUEST && request->queue == queue &&
                request->place == PLACE_DRIVER && request->cancel != NULL && !request->cancel_runs)
                break;
        }
        if (object != NULL) {
            request->cancel_runs = true;
            request->canceled = true;
            object->references++;
        }
        leave();
        if (object == NULL)
            return;
        struct call call = call_begin();
        request->cancel((WDFREQUEST)HANDLE_OF(request));
        call_end(call, "EvtRequestCancel");
        object_dereference(object);
    }
}

static void wait_not_owned(struct queue *queue, const char *function)
{
    unsigned long begin = GetTickCount();
    bool told = false;

    enter();
    while (queue->owned > 0) {
        wait_changed(100);
        if (!told && GetTickCount() - begin > PURGE_MS) {
            report("waits-for-driver", "%s: %u requests", function, queue->owned);
            told = true;
        }
    }
    leave();
}

static void dispose(struct object *object)
{
    struct queue *queue = (struct queue *)object;
    struct queue **link;

    enter();
    queue->accepts = false;
    leave();
    queue_flush(queue);
    cancel_owned(queue);
    wait_not_owned(queue, "deletion of a queue");
    enter();
    for (link = &queue->device->queues; *link != NULL; link = &(*link)->next) {
        if (*link == queue) {
            *link = queue->next;
            break;
        }
    }
    if (queue->device->default_queue == queue)
        queue->device->default_queue = NULL;
    leave();
}

/* ---- the framework's functions ---- */

static NTSTATUS config_check(struct device *device, const WDF_IO_QUEUE_CONFIG *config)
{
    if (config->Size != sizeof(*config)) {
        report("struct-size", "WdfIoQueueCreate: configuration of %lu bytes", config->Size);
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    if (config->DispatchType <= WdfIoQueueDispatchInvalid ||
        config->DispatchType >= WdfIoQueueDispatchMax)
        return STATUS_INVALID_PARAMETER;
    if (config->DispatchType == WdfIoQueueDispatchManual &&
        (config->EvtIoDefault != NULL || config->EvtIoDeviceControl != NULL))
        return STATUS_INVALID_PARAMETER;
    if (config->DispatchType != WdfIoQueueDispatchManual && config->EvtIoDefault == NULL &&
        config->EvtIoDeviceControl == NULL && config->EvtIoRead == NULL &&
        config->EvtIoWrite == NULL && config->EvtIoInternalDeviceControl == NULL)
        return STATUS_INVALID_PARAMETER;
    if (config->DispatchType == WdfIoQueueDispatchParallel &&
        config->Settings.Parallel.NumberOfPresentedRequests == 0)
        return STATUS_INVALID_PARAMETER;
    if (config->DefaultQueue && (device->finished || device->default_queue != NULL)) {
        report("default-queue",
               device->finished ? "after WdfControlFinishInitializing" : "there is one already");
        return STATUS_UNSUCCESSFUL;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS create(PWDF_DRIVER_GLOBALS globals, WDFDEVICE handle, PWDF_IO_QUEUE_CONFIG config,
                       PWDF_OBJECT_ATTRIBUTES attributes, WDFQUEUE *out)
{
    struct device *device = object_of(handle, KIND_DEVICE, "WdfIoQueueCreate");
    struct queue *queue;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(globals);
    if (out != NULL)
        *out = NULL;
    irql_at_most(DISPATCH_LEVEL, "WdfIoQueueCreate");
    if (device == NULL)
        return STATUS_INVALID_HANDLE;
    status = config_check(device, config);
    if (!NT_SUCCESS(status))
        return status;
    status = object_new(KIND_QUEUE, sizeof(*queue), attributes, &device->base, "WdfIoQueueCreate",
                        &queue);
    if (!NT_SUCCESS(status))
        return status;
    queue->device = device;
    queue->config = *config;
    queue->accepts = true;
    queue->dispatches = true;
    queue->base.dispose = dispose;
    enter();
    queue->next = device->queues;
    device->queues = queue;
    if (config->DefaultQueue)
        device->default_queue = queue;
    leave();
    if (out != NULL)
        *out = (WDFQUEUE)HANDLE_OF(queue);
    return STATUS_SUCCESS;
}

static WDF_IO_QUEUE_STATE get_state(PWDF_DRIVER_GLOBALS globals, WDFQUEUE handle, PULONG queued,
                                    PULONG owned)
{
    struct queue *queue = object_of(handle, KIND_QUEUE, "WdfIoQueueGetState");
    int state = 0;

    UNREFERENCED_PARAMETER(globals);
    irql_at_most(DISPATCH_LEVEL, "WdfIoQueueGetState");
    if (queue == NULL)
        return (WDF_IO_QUEUE_STATE)0;
    enter();
    state |= queue->accepts ? WdfIoQueueAcceptRequests : 0;
    state |= queue->dispatches ? WdfIoQueueDispatchRequests : 0;
    state |= queue->queued == 0 ? WdfIoQueueNoRequests : 0;
    state |= queue->owned == 0 ? WdfIoQueueDriverNoRequests : 0;
    if (queued != NULL)
        *queued = queue->queued;
    if (owned != NULL)
        *owned = queue->owned;
    leave();
    return (WDF_IO_QUEUE_STATE)state;
}

static WDFDEVICE get_device(PWDF_DRIVER_GLOBALS globals, WDFQUEUE handle)
{
    struct queue *queue = object_of(handle, KIND_QUEUE, "WdfIoQueueGetDevice");

    UNREFERENCED_PARAMETER(globals);
    return queue != NULL ? (WDFDEVICE)HANDLE_OF(queue->device) : NULL;
}

static NTSTATUS take(struct queue *queue, const struct file *file, WDFREQUEST *out,
                     const char *function)
{
    struct request *request;
    NTSTATUS status = STATUS_NO_MORE_ENTRIES;

    *out = NULL;
    irql_at_most(DISPATCH_LEVEL, function);
    if (queue->config.DispatchType == WdfIoQueueDispatchParallel) {
        report("retrieved-parallel", "%s: from a parallel queue", function);
        return STATUS_INVALID_DEVICE_STATE;
    }
    enter();
    for (request = queue->first; request != NULL; request = request->next)
        if (file == NULL || request->file == file)
            break;
    if (!queue->dispatches) {
        status = STATUS_WDF_PAUSED;
    } else if (request != NULL) {
        queue_remove(request);
        queue_own(queue, request);
        *out = (WDFREQUEST)HANDLE_OF(request);
        status = STATUS_SUCCESS;
    }
    leave();
    return status;
}

static NTSTATUS retrieve_next(PWDF_DRIVER_GLOBALS globals, WDFQUEUE handle, WDFREQUEST *out)
{
    struct queue *queue = object_of(handle, KIND_QUEUE, "WdfIoQueueRetrieveNextRequest");

    UNREFERENCED_PARAMETER(globals);
    if (queue == NULL)
        return STATUS_INVALID_HANDLE;
    return take(queue, NULL, out, "WdfIoQueueRetrieveNextRequest");
}

static NTSTATUS retrieve_by_file(PWDF_DRIVER_GLOBALS globals, WDFQUEUE handle,
                                 WDFFILEOBJECT file_handle, WDFREQUEST *out)
{
    static const char function[] = "WdfIoQueueRetrieveRequestByFileObject";
    struct queue *queue = object_of(handle, KIND_QUEUE, function);
    struct file *file = object_of(file_handle, KIND_FILE, function);

    UNREFERENCED_PARAMETER(globals);
    if (queue == NULL || file == NULL)
        return STATUS_INVALID_HANDLE;
    return take(queue, file, out, function);
}

static VOID start(PWDF_DRIVER_GLOBALS globals, WDFQUEUE handle)
{
    struct queue *queue = object_of(handle, KIND_QUEUE, "WdfIoQueueStart");

    UNREFERENCED_PARAMETER(globals);
    irql_at_most(DISPATCH_LEVEL, "WdfIoQueueStart");
    if (queue == NULL)
        return;
    enter();
    queue->accepts = true;
    queue->dispatches = true;
    leave();
    queue_added(queue, queue->first != NULL);
}

/* One of those who wait for the driver to own nothing, at a time. */
static void set_idle(struct queue *queue, PFN_WDF_IO_QUEUE_STATE idle, WDFCONTEXT context,
                     const char *function)
{
    enter();
    if (idle != NULL && queue->idle != NULL)
        report("waits-twice", "%s", function);
    if (idle != NULL) {
        queue->idle = idle;
        queue->idle_context = context;
    }
    leave();
}

static VOID stop(PWDF_DRIVER_GLOBALS globals, WDFQUEUE handle, PFN_WDF_IO_QUEUE_STATE idle,
                 WDFCONTEXT context)
{
    struct queue *queue = object_of(handle, KIND_QUEUE, "WdfIoQueueStop");

    UNREFERENCED_PARAMETER(globals);
    irql_at_most(DISPATCH_LEVEL, "WdfIoQueueStop");
    if (queue == NULL)
        return;
    enter();
    queue->dispatches = false;
    leave();
    set_idle(queue, idle, context, "WdfIoQueueStop");
    tell_idle(queue);
}

/* What waits for the driver must not be called by the driver about that very queue. */
static bool may_wait(const struct queue *queue, const char *function)
{
    if (!irql_at_most(PASSIVE_LEVEL, function))
        return false;
    if (thread_here()->queue == queue) {
        report("waits-in-callback", "%s", function);
        return false;
    }
    return true;
}

static VOID stop_synchronously(PWDF_DRIVER_GLOBALS globals, WDFQUEUE handle)
{
    struct queue *queue = object_of(handle, KIND_QUEUE, "WdfIoQueueStopSynchronously");

    UNREFERENCED_PARAMETER(globals);
    if (queue == NULL || !may_wait(queue, "WdfIoQueueStopSynchronously"))
        return;
    enter();
    queue->dispatches = false;
    leave();
    wait_not_owned(queue, "WdfIoQueueStopSynchronously");
}

static void purge_begin(struct queue *queue)
{
    enter();
    queue->accepts = false;
    leave();
    queue_flush(queue);
    cancel_owned(queue);
}

static VOID purge(PWDF_DRIVER_GLOBALS globals, WDFQUEUE handle, PFN_WDF_IO_QUEUE_STATE idle,
                  WDFCONTEXT context)
{
    struct queue *queue = object_of(handle, KIND_QUEUE, "WdfIoQueuePurge");

    UNREFERENCED_PARAMETER(globals);
    irql_at_most(DISPATCH_LEVEL, "WdfIoQueuePurge");
    if (queue == NULL)
        return;
    purge_begin(queue);
    set_idle(queue, idle, context, "WdfIoQueuePurge");
    tell_idle(queue);
}

static VOID purge_synchronously(PWDF_DRIVER_GLOBALS globals, WDFQUEUE handle)
{
    struct queue *queue = object_of(handle, KIND_QUEUE, "WdfIoQueuePurgeSynchronously");

    UNREFERENCED_PARAMETER(globals);
    if (queue == NULL || !may_wait(queue, "WdfIoQueuePurgeSynchronously"))
        return;
    purge_begin(queue);
    wait_not_owned(queue, "WdfIoQueuePurgeSynchronously");
}

static NTSTATUS ready_notify(PWDF_DRIVER_GLOBALS globals, WDFQUEUE handle,
                             PFN_WDF_IO_QUEUE_STATE ready, WDFCONTEXT context)
{
    struct queue *queue = object_of(handle, KIND_QUEUE, "WdfIoQueueReadyNotify");
    NTSTATUS status = STATUS_SUCCESS;
    bool tell = false;

    UNREFERENCED_PARAMETER(globals);
    irql_at_most(DISPATCH_LEVEL, "WdfIoQueueReadyNotify");
    if (queue == NULL)
        return STATUS_INVALID_HANDLE;
    enter();
    if (queue->config.DispatchType != WdfIoQueueDispatchManual ||
        (ready != NULL && queue->ready != NULL) || (ready == NULL && queue->dispatches)) {
        status = STATUS_INVALID_DEVICE_REQUEST;
    } else {
        queue->ready = ready;
        queue->ready_context = context;
        tell = ready != NULL && queue->first != NULL;
    }
    leave();
    if (tell)
        queue_added(queue, true);
    return status;
}

void table_queues(WDFFUNC *table)
{
    SET(WdfIoQueueCreate, create);
    SET(WdfIoQueueGetState, get_state);
    SET(WdfIoQueueStart, start);
    SET(WdfIoQueueStop, stop);
    SET(WdfIoQueueStopSynchronously, stop_synchronously);
    SET(WdfIoQueueGetDevice, get_device);
    SET(WdfIoQueueRetrieveNextRequest, retrieve_next);
    SET(WdfIoQueueRetrieveRequestByFileObject, retrieve_by_file);
    SET(WdfIoQueuePurgeSynchronously, purge_synchronously);
    SET(WdfIoQueuePurge, purge);
    SET(WdfIoQueueReadyNotify, ready_notify);
}
