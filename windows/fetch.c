/* SPDX-License-Identifier: MIT */
#include "windows/fetch.h"

#include "windows/device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ABORTED_MAX (2 * FETCHES_MAX)

int fetches_open(struct fetches *fetches, HANDLE device, HANDLE event, unsigned count, size_t room)
{
    memset(fetches, 0, sizeof(*fetches));
    fetches->device = device;
    fetches->event = event;
    fetches->count = count;
    for (unsigned i = 0; i < count; i++) {
        fetches->all[i].reply = malloc(room);
        fetches->all[i].room = room;
        if (!fetches->all[i].reply) {
            fetches_close(fetches);
            return -ENOMEM;
        }
    }
    return 0;
}

void fetches_close(struct fetches *fetches)
{
    DWORD bytes;

    for (unsigned i = 0; i < fetches->count; i++)
        if (fetches->all[i].state == FETCH_SENT)
            CancelIoEx(fetches->device, &fetches->all[i].overlapped);
    for (unsigned i = 0; i < fetches->count; i++) {
        struct fetch *fetch = &fetches->all[i];

        /* The event object is everyone's: it may be signalled for another one. */
        while (fetch->state == FETCH_SENT && !HasOverlappedIoCompleted(&fetch->overlapped)) {
            ResetEvent(fetches->event);
            if (!HasOverlappedIoCompleted(&fetch->overlapped))
                GetOverlappedResult(fetches->device, &fetch->overlapped, &bytes, TRUE);
        }
        free(fetch->reply);
    }
    memset(fetches, 0, sizeof(*fetches));
}

static DWORD send(struct fetches *fetches, struct fetch *fetch, uint64_t acked_seq)
{
    struct rollcall_fetch request;
    DWORD error;

    device_request(&request.request, sizeof(request), 0);
    request.acked_seq = acked_seq;
    memset(&fetch->overlapped, 0, sizeof(fetch->overlapped));
    fetch->overlapped.hEvent = fetches->event;
    if (DeviceIoControl(fetches->device, ROLLCALL_CODE_FETCH, &request, sizeof(request),
                        fetch->reply, (DWORD)fetch->room, NULL, &fetch->overlapped))
        error = ERROR_SUCCESS;
    else
        error = GetLastError();
    /* ERROR_MORE_DATA: too small, which its reply says. */
    if (error != ERROR_SUCCESS && error != ERROR_IO_PENDING && error != ERROR_MORE_DATA)
        return error;
    fetch->state = FETCH_SENT;
    return ERROR_SUCCESS;
}

DWORD fetches_send(struct fetches *fetches, uint64_t *acked_seq)
{
    DWORD error = ERROR_SUCCESS;

    for (unsigned i = 0; error == ERROR_SUCCESS && i < fetches->count; i++) {
        if (fetches->all[i].state != FETCH_IDLE)
            continue;
        error = send(fetches, &fetches->all[i], *acked_seq);
        if (error == ERROR_SUCCESS)
            *acked_seq = 0;
    }
    return error;
}

/* The next record does not fit: a larger buffer for the next time. */
static DWORD grow(struct fetch *fetch, size_t bytes)
{
    size_t room = sizeof(*fetch->reply) + fetch->reply->size;
    void *larger;

    if (bytes < sizeof(*fetch->reply) || fetch->reply->count > 0 || room <= fetch->room ||
        fetch->reply->size > ROLLCALL_RECORD_MAX)
        return ERROR_INVALID_DATA;
    larger = malloc(room);
    if (!larger)
        return ERROR_NOT_ENOUGH_MEMORY;
    free(fetch->reply);
    fetch->reply = larger;
    fetch->room = room;
    fetch->state = FETCH_IDLE;
    return ERROR_SUCCESS;
}

static DWORD look(struct fetches *fetches, struct fetch *fetch)
{
    DWORD bytes = 0;
    DWORD error = ERROR_SUCCESS;

    if (!GetOverlappedResult(fetches->device, &fetch->overlapped, &bytes, FALSE))
        error = GetLastError();
    fetch->state = FETCH_IDLE;
    if (error == ERROR_MORE_DATA)
        return grow(fetch, bytes);
    /* The thread that sent it has ended; or the driver is, and does so again and again. */
    if (error == ERROR_OPERATION_ABORTED && ++fetches->aborted <= ABORTED_MAX)
        return ERROR_SUCCESS;
    if (error != ERROR_SUCCESS)
        return error;
    if (bytes < sizeof(*fetch->reply) || fetch->reply->count == 0 ||
        fetch->reply->size != bytes - sizeof(*fetch->reply))
        return ERROR_INVALID_DATA;
    fetches->aborted = 0;
    fetch->state = FETCH_ARRIVED;
    return ERROR_SUCCESS;
}

DWORD fetches_look(struct fetches *fetches)
{
    DWORD error = ERROR_SUCCESS;

    for (unsigned i = 0; error == ERROR_SUCCESS && i < fetches->count; i++) {
        struct fetch *fetch = &fetches->all[i];

        if (fetch->state == FETCH_SENT && HasOverlappedIoCompleted(&fetch->overlapped))
            error = look(fetches, fetch);
    }
    return error;
}

struct fetch *fetches_find(struct fetches *fetches, uint64_t first_seq)
{
    for (unsigned i = 0; i < fetches->count; i++) {
        struct fetch *fetch = &fetches->all[i];

        if (fetch->state == FETCH_ARRIVED && fetch->reply->first_seq == first_seq)
            return fetch;
    }
    return NULL;
}
