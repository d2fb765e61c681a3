/* SPDX-License-Identifier: MIT */
/*
 * All codes are METHOD_BUFFERED: the request and its answer share one buffer of the kernel's, which
 * nobody else can change. The engine copies a request before it looks at it, and writes its answer
 * after that.
 */
#include "windows/driver/requests.h"

#include "windows/driver/client.h"
#include "windows/driver/host.h"

struct exchange {
    WDFREQUEST request;
    struct client *client;
    void *in;
    size_t in_size;
    void *out;
    size_t room;
    size_t answer; /* bytes of `out` that are the answer */
};

static NTSTATUS attach(struct exchange *x)
{
    PEPROCESS process = IoGetRequestorProcess(WdfRequestWdmGetIrp(x->request));
    NTSTATUS status = client_attach(x->client, process, x->in, x->in_size, x->out);

    x->answer = NT_SUCCESS(status) ? sizeof(struct rollcall_attached) : 0;
    return status;
}

static NTSTATUS pend(struct exchange *x, bool wait)
{
    struct pended pended = {.buffer = x->out, .size = x->room, .wait = wait};

    return client_pend(x->client, x->request, x->in, x->in_size, &pended);
}

static NTSTATUS fetch(struct exchange *x)
{
    return pend(x, false);
}

static NTSTATUS wait(struct exchange *x)
{
    return pend(x, true);
}

static NTSTATUS drain(struct exchange *x)
{
    if (client_released(x->client))
        return STATUS_DEVICE_REMOVED;
    return host_status(engine_drain(host_engine(), client_consumer(x->client), x->in, x->in_size,
                                    x->out, x->room, &x->answer));
}

static NTSTATUS acknowledge(struct exchange *x)
{
    return host_status(
        engine_acknowledge(host_engine(), client_consumer(x->client), x->in, x->in_size));
}

static NTSTATUS stats(struct exchange *x)
{
    return host_status(engine_stats(host_engine(), x->in, x->in_size, x->out, x->room, &x->answer));
}

static NTSTATUS configure(struct exchange *x)
{
    return host_status(engine_configure(host_engine(), x->in, x->in_size));
}

static NTSTATUS detach(struct exchange *x)
{
    return host_status(engine_detach(host_engine(), x->in, x->in_size));
}

static NTSTATUS release(struct exchange *x)
{
    return clients_release(x->in, x->in_size);
}

/* `least`: the room that an answer always needs, looked at before anything else. */
static const struct handler {
    ULONG code;
    size_t least;
    NTSTATUS (*handle)(struct exchange *x);
} handlers[] = {
    {ROLLCALL_CODE_ATTACH, sizeof(struct rollcall_attached), attach},
    {ROLLCALL_CODE_FETCH, sizeof(struct rollcall_reply), fetch},
    {ROLLCALL_CODE_DRAIN, sizeof(struct rollcall_reply), drain},
    {ROLLCALL_CODE_WAIT, sizeof(struct rollcall_ready), wait},
    {ROLLCALL_CODE_ACKNOWLEDGE, 0, acknowledge},
    {ROLLCALL_CODE_STATS, sizeof(struct rollcall_engine_stats), stats},
    {ROLLCALL_CODE_CONFIGURE, 0, configure},
    {ROLLCALL_CODE_DETACH, 0, detach},
    {ROLLCALL_CODE_RELEASE, 0, release},
};

static const struct handler *find(ULONG code)
{
    for (size_t i = 0; i < RTL_NUMBER_OF(handlers); i++)
        if (handlers[i].code == code)
            return &handlers[i];
    return NULL;
}

/* The framework has no buffer of no bytes. */
static NTSTATUS buffers(struct exchange *x, size_t in_size, size_t room)
{
    NTSTATUS status = STATUS_SUCCESS;

    if (in_size > 0)
        status = WdfRequestRetrieveInputBuffer(x->request, 1, &x->in, &x->in_size);
    if (NT_SUCCESS(status) && room > 0)
        status = WdfRequestRetrieveOutputBuffer(x->request, 1, &x->out, &x->room);
    return status;
}

VOID requests_control(WDFQUEUE queue, WDFREQUEST request, size_t room, size_t in_size, ULONG code)
{
    struct exchange x = {.request = request, .client = client_of(WdfRequestGetFileObject(request))};
    const struct handler *handler = find(code);
    NTSTATUS status;

    UNREFERENCED_PARAMETER(queue);
    if (handler == NULL)
        status = STATUS_INVALID_DEVICE_REQUEST;
    else if (room < handler->least)
        status = STATUS_BUFFER_TOO_SMALL;
    else
        status = buffers(&x, in_size, room);
    if (NT_SUCCESS(status))
        status = handler->handle(&x);
    /* It was on its way when the handle was closed, and found no consumer any more. */
    if (status == STATUS_INVALID_DEVICE_STATE && client_is_closing(x.client))
        status = STATUS_CANCELLED;
    if (status != STATUS_PENDING)
        WdfRequestCompleteWithInformation(request, status, x.answer);
}
