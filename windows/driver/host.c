/* SPDX-License-Identifier: MIT */
#include "windows/driver/host.h"

#include "windows/driver/client.h"
#include "windows/driver/clock.h"

static WDFSPINLOCK engine_spin_lock;
static struct engine *engine;

static void lock(void *context)
{
    UNREFERENCED_PARAMETER(context);
    WdfSpinLockAcquire(engine_spin_lock);
}

static void unlock(void *context)
{
    UNREFERENCED_PARAMETER(context);
    WdfSpinLockRelease(engine_spin_lock);
}

/* It is touched with the lock held, at DISPATCH_LEVEL. */
static void *allocate(void *context, size_t size)
{
    UNREFERENCED_PARAMETER(context);
    return ExAllocatePoolWithTag(NonPagedPoolNx, size, POOL_TAG);
}

static void release(void *context, void *memory, size_t size)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(size);
    ExFreePoolWithTag(memory, POOL_TAG);
}

static bool take(void *context, void *owner, struct engine_request *taken)
{
    struct client *client = owner;
    const struct pended *pended;
    WDFREQUEST request;

    UNREFERENCED_PARAMETER(context);
    if (!NT_SUCCESS(WdfIoQueueRetrieveNextRequest(client->queue, &request)))
        return false;
    pended = pended_of(request);
    taken->request = request;
    taken->buffer = pended->buffer;
    taken->size = pended->size;
    taken->wait = pended->wait;
    return true;
}

static void complete(void *context, const struct engine_request *taken, enum engine_status status,
                     size_t bytes)
{
    UNREFERENCED_PARAMETER(context);
    WdfRequestCompleteWithInformation((WDFREQUEST)taken->request, host_status(status), bytes);
}

static uint32_t pended_count(void *context, void *owner)
{
    const struct client *client = owner;
    ULONG queued = 0;

    UNREFERENCED_PARAMETER(context);
    WdfIoQueueGetState(client->queue, &queued, NULL);
    return queued;
}

NTSTATUS host_start(const struct parameters *parameters)
{
    const struct engine_host host = {.lock = lock,
                                     .unlock = unlock,
                                     .allocate = allocate,
                                     .release = release,
                                     .take = take,
                                     .complete = complete,
                                     .pended = pended_count};
    struct engine_options options = {.wall_offset_ns = clock_wall_offset_ns(),
                                     .attached_ns = clock_mono_ns(),
                                     .budget = parameters->budget,
                                     .record_max = parameters->record_max,
                                     .deny = parameters->deny != 0};
    NTSTATUS status;

    /* Microseconds since 1970: what was counted before the driver's start had another number. */
    options.epoch = (options.attached_ns + (uint64_t)options.wall_offset_ns) / 1000;
    status = WdfSpinLockCreate(WDF_NO_OBJECT_ATTRIBUTES, &engine_spin_lock);
    if (!NT_SUCCESS(status))
        return status;
    return host_status(engine_create(&host, &options, &engine));
}

void host_stop(void)
{
    engine_destroy(engine);
    engine = NULL;
}

struct engine *host_engine(void)
{
    return engine;
}

/* Whose request does not fit gets the head of a reply: only a warning lets it be copied back. */
NTSTATUS host_status(enum engine_status status)
{
    switch (status) {
    case ENGINE_OK:
    case ENGINE_NOTHING:
        return STATUS_SUCCESS;
    case ENGINE_TOO_SMALL:
        return STATUS_BUFFER_OVERFLOW;
    case ENGINE_INVALID:
        return STATUS_INVALID_PARAMETER;
    case ENGINE_NO_MEMORY:
    case ENGINE_LOST:
        return STATUS_INSUFFICIENT_RESOURCES;
    case ENGINE_REFUSED:
        return STATUS_INSUFFICIENT_RESOURCES;
    case ENGINE_BUSY:
        return STATUS_DEVICE_BUSY;
    case ENGINE_ABSENT:
        return STATUS_NOT_FOUND;
    case ENGINE_LIMIT:
        return STATUS_QUOTA_EXCEEDED;
    case ENGINE_CLOSED:
    case ENGINE_BEHIND: /* there is no archive */
        return STATUS_INVALID_DEVICE_STATE;
    }
    return STATUS_INTERNAL_ERROR;
}
