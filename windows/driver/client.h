/* SPDX-License-Identifier: MIT */
/*
 * Who has opened the device: a handle, with its queue of pended requests, and what the engine knows
 * it by once it has attached.
 */
#ifndef WINDOWS_DRIVER_CLIENT_H
#define WINDOWS_DRIVER_CLIENT_H

#include "windows/driver/ntos.h"

#include <stdbool.h>
#include <stdint.h>

/* The context of a file object. */
struct client {
    WDFQUEUE queue;    /* its pended requests; manual */
    WDFWAITLOCK lock;  /* guards what follows, and each forwarding to the queue */
    uint64_t consumer; /* of the engine; 0: it has not attached */
    PEPROCESS process; /* that attached, referred to; NULL: none */
    bool closing;      /* its last handle is gone: nothing may begin any more */
    bool released;     /* its owner has been asked to close it */
    LIST_ENTRY link;   /* of all clients; guarded by a lock of their own */
};

/* The context of a request: what the engine needs of it, found out before it is pended, so that
 * nothing can fail when an event comes. */
struct pended {
    void *buffer;
    size_t size;
    bool wait; /* ROLLCALL_CODE_WAIT */
};

typedef struct client client_context;
typedef struct pended pended_context;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(client_context, client_of)
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(pended_context, pended_of)

EVT_WDF_DEVICE_FILE_CREATE client_create;
EVT_WDF_FILE_CLEANUP client_cleanup;

/* Call before there is a device. */
NTSTATUS clients_start(void);

/* ROLLCALL_CODE_RELEASE: ends what is pended on each handle, and refuses what comes on them. */
NTSTATUS clients_release(const void *request, size_t size);

/* The consumer; 0: it has not attached, or is closed. */
uint64_t client_consumer(struct client *client);

/* Whether it has been asked to close its handle. */
bool client_released(struct client *client);

/* Its last handle has been closed. */
bool client_is_closing(struct client *client);

/* Attaches; see engine_attach(). `process` sent the request; `answer` is a rollcall_attached. */
NTSTATUS client_attach(struct client *client, PEPROCESS process, const void *request, size_t size,
                       void *answer);

/* Checks a fetch, or a wait, of which `in` came, does what it acknowledges, and pends it with this
 * buffer. STATUS_PENDING: it is not the caller's any more; else nothing has changed. */
NTSTATUS client_pend(struct client *client, WDFREQUEST request, const void *in, size_t in_size,
                     const struct pended *pended);

#endif
