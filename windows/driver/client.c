/* SPDX-License-Identifier: MIT */
/*
 * How a handle ends. The framework calls client_cleanup() when the last handle is closed, and only
 * then cancels what is queued; a request that another thread has sent can be under way even after
 * that. Such a request must not pend for ever, nor attach a consumer that nobody closes. So:
 *
 * - cleanup sets `closing` under the client's lock; an attach that comes later sees it, one that
 *   came before has left the consumer there for cleanup to close;
 * - the engine is told next, after which nobody takes from the queue, then the queue is purged: that
 *   cancels what is in it and refuses what comes, both atomically in the framework.
 *
 * A release of all handles walks over the clients with a lock that cleanup takes too, before it does
 * anything else: so it finds only clients whose queue is there.
 *
 * The file object itself, with lock and queue, stays until its last request has been completed.
 */
#include "windows/driver/client.h"

#include "core/request.h"
#include "windows/driver/exempt.h"
#include "windows/driver/host.h"

#include <string.h>

static WDFWAITLOCK clients_lock;
static LIST_ENTRY clients;

NTSTATUS clients_start(void)
{
    InitializeListHead(&clients);
    return WdfWaitLockCreate(WDF_NO_OBJECT_ATTRIBUTES, &clients_lock);
}

static NTSTATUS create_queue(WDFDEVICE device, WDFFILEOBJECT file, WDFQUEUE *queue)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_IO_QUEUE_CONFIG config;

    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = file;
    WDF_IO_QUEUE_CONFIG_INIT(&config, WdfIoQueueDispatchManual);
    config.PowerManaged = WdfFalse;
    return WdfIoQueueCreate(device, &config, &attributes, queue);
}

VOID client_create(WDFDEVICE device, WDFREQUEST request, WDFFILEOBJECT file)
{
    struct client *client = client_of(file);
    WDF_OBJECT_ATTRIBUTES attributes;
    NTSTATUS status;

    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = file;
    status = WdfWaitLockCreate(&attributes, &client->lock);
    if (NT_SUCCESS(status))
        status = create_queue(device, file, &client->queue);
    if (NT_SUCCESS(status)) {
        WdfWaitLockAcquire(clients_lock, NULL);
        InsertTailList(&clients, &client->link);
        WdfWaitLockRelease(clients_lock);
    }
    WdfRequestComplete(request, status);
}

VOID client_cleanup(WDFFILEOBJECT file)
{
    struct client *client = client_of(file);
    uint64_t consumer;
    PEPROCESS process;

    /* One whose creation failed has no queue and never had a request. */
    if (client->queue == NULL)
        return;
    WdfWaitLockAcquire(clients_lock, NULL);
    RemoveEntryList(&client->link);
    WdfWaitLockRelease(clients_lock);
    WdfWaitLockAcquire(client->lock, NULL);
    client->closing = true;
    consumer = client->consumer;
    process = client->process;
    client->consumer = 0;
    client->process = NULL;
    WdfWaitLockRelease(client->lock);

    /* First: so there are never more of them than consumers of the engine. */
    if (process != NULL) {
        exempt_remove(process);
        ObDereferenceObject(process);
    }
    engine_close(host_engine(), consumer);
    WdfIoQueuePurge(client->queue, NULL, NULL);
}

uint64_t client_consumer(struct client *client)
{
    uint64_t consumer;

    WdfWaitLockAcquire(client->lock, NULL);
    consumer = client->consumer;
    WdfWaitLockRelease(client->lock);
    return consumer;
}

bool client_is_closing(struct client *client)
{
    bool closing;

    WdfWaitLockAcquire(client->lock, NULL);
    closing = client->closing;
    WdfWaitLockRelease(client->lock);
    return closing;
}

bool client_released(struct client *client)
{
    bool released;

    WdfWaitLockAcquire(client->lock, NULL);
    released = client->released;
    WdfWaitLockRelease(client->lock);
    return released;
}

static void release(struct client *client)
{
    WdfWaitLockAcquire(client->lock, NULL);
    client->released = true;
    WdfWaitLockRelease(client->lock);
    WdfIoQueuePurge(client->queue, NULL, NULL);
}

NTSTATUS clients_release(const void *request, size_t size)
{
    if (!request_plain(request, size))
        return STATUS_INVALID_PARAMETER;
    WdfWaitLockAcquire(clients_lock, NULL);
    for (LIST_ENTRY *link = clients.Flink; link != &clients; link = link->Flink)
        release(CONTAINING_RECORD(link, struct client, link));
    WdfWaitLockRelease(clients_lock);
    return STATUS_SUCCESS;
}

static uint32_t pid_of(PEPROCESS process)
{
    return process != NULL ? HandleToULong(PsGetProcessId(process)) : 0;
}

NTSTATUS client_attach(struct client *client, PEPROCESS process, const void *request, size_t size,
                       void *answer)
{
    struct rollcall_attached attached = {.epoch = 0};
    NTSTATUS status = STATUS_CANCELLED;

    WdfWaitLockAcquire(client->lock, NULL);
    if (client->released)
        status = STATUS_DEVICE_REMOVED;
    else if (!client->closing)
        status = host_status(engine_attach(host_engine(), request, size, client, pid_of(process),
                                           &attached, &client->consumer));
    if (NT_SUCCESS(status) && process != NULL) {
        ObReferenceObject(process);
        client->process = process;
        exempt_add(process);
    }
    WdfWaitLockRelease(client->lock);
    if (NT_SUCCESS(status))
        memcpy(answer, &attached, sizeof(attached));
    return status;
}

/* With the lock held: what is counted cannot become more before it is forwarded. */
static NTSTATUS pend(struct client *client, WDFREQUEST request, const void *in, size_t in_size,
                     bool wait)
{
    enum engine_status checked;
    ULONG queued = 0;

    if (client->released)
        return STATUS_DEVICE_REMOVED;
    WdfIoQueueGetState(client->queue, &queued, NULL);
    if (queued >= ROLLCALL_PENDED_MAX)
        return STATUS_QUOTA_EXCEEDED;
    checked = wait ? engine_wait(host_engine(), client->consumer, in, in_size)
                   : engine_fetch(host_engine(), client->consumer, in, in_size);
    if (checked != ENGINE_OK)
        return host_status(checked);
    return WdfRequestForwardToIoQueue(request, client->queue);
}

NTSTATUS client_pend(struct client *client, WDFREQUEST request, const void *in, size_t in_size,
                     const struct pended *pended)
{
    uint64_t consumer;
    NTSTATUS status;

    *pended_of(request) = *pended;
    WdfWaitLockAcquire(client->lock, NULL);
    consumer = client->consumer;
    status = pend(client, request, in, in_size, pended->wait);
    WdfWaitLockRelease(client->lock);
    if (!NT_SUCCESS(status))
        /* Busy: the handle has been closed, the queue purged. */
        return status == STATUS_WDF_BUSY ? STATUS_CANCELLED : status;
    /* If the consumer is closed by now, the queue is or will be purged. */
    engine_match(host_engine(), consumer);
    return STATUS_PENDING;
}
