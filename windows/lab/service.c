/* SPDX-License-Identifier: MIT */
#include "windows/lab/service.h"

#include "lab/service.h"
#include "windows/clock.h"

#include <rollcall/protocol.h>

#include <winternl.h>

#include <stdio.h>
#include <stdlib.h>

#define ATTACH_TRIES 3000u

NTSTATUS NTAPI NtDelayExecution(BOOLEAN alertable, const LARGE_INTEGER *time);

struct slot {
    OVERLAPPED overlapped;
    struct rollcall_fetch request; /* what waits sends its head only */
    void *buffer;
};

struct process {
    struct service_memory *memory;
    struct lab_account *account;
    const struct lab_design *design;
    HANDLE device;
    HANDLE port;
    HANDLE held, go;
    struct slot slots[LAB_REQUESTS_MAX];
};

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "the lab's service: %s: %lu\n", what, GetLastError());
    ExitProcess(1);
}

/* ---- the port ---- */

static bool port_send(void *context, unsigned number, uint32_t code, uint64_t acked_seq)
{
    struct process *p = context;
    struct slot *slot = &p->slots[number];
    bool wait = code == ROLLCALL_CODE_WAIT;
    size_t size = wait ? sizeof(slot->request.request) : sizeof(slot->request);

    slot->overlapped = (OVERLAPPED){.hEvent = NULL};
    slot->request = (struct rollcall_fetch){
        .request = {.version = ROLLCALL_PROTOCOL_VERSION, .size = (uint32_t)size},
        .acked_seq = acked_seq};
    p->account->sent++;
    p->account->calls++;
    if (!DeviceIoControl(p->device, code, &slot->request, (DWORD)size, slot->buffer,
                         (DWORD)lab_design_room(p->design), NULL, &slot->overlapped) &&
        GetLastError() != ERROR_IO_PENDING)
        give_up("a request is refused");
    return true;
}

static void spend(uint32_t us)
{
    const LARGE_INTEGER time = {.QuadPart = -10 * (int64_t)us};

    if (us > 0)
        NtDelayExecution(FALSE, &time);
}

static bool port_work(void *context, const struct rollcall_event *event)
{
    struct process *p = context;

    lab_account_reach(p->account, event, clock_mono_ns());
    spend(p->memory->work_us);
    if (p->memory->held && event->start_ns == 0) {
        SetEvent(p->held);
        WaitForSingleObject(p->go, INFINITE);
    }
    lab_account_done(p->account, event);
    return true;
}

/* ---- its life ---- */

static HANDLE open_event(const char *name)
{
    HANDLE event = OpenEventA(EVENT_MODIFY_STATE | SYNCHRONIZE, FALSE, name);

    if (event == NULL)
        give_up(name);
    return event;
}

static struct service_memory *open_memory(void)
{
    HANDLE mapping = OpenFileMappingA(FILE_MAP_WRITE, FALSE, SERVICE_MEMORY);
    struct service_memory *memory =
        mapping != NULL ? MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 0) : NULL;

    if (memory == NULL)
        give_up("no memory is shared");
    return memory;
}

static DWORD attach_once(HANDLE device, struct rollcall_attached *attached)
{
    struct rollcall_request request = {.version = ROLLCALL_PROTOCOL_VERSION,
                                       .size = sizeof(request)};
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    DWORD bytes, error = 0;

    if (!DeviceIoControl(device, ROLLCALL_CODE_ATTACH, &request, sizeof(request), attached,
                         sizeof(*attached), NULL, &overlapped))
        error = GetLastError();
    if (error == 0 || error == ERROR_IO_PENDING)
        error = GetOverlappedResult(device, &overlapped, &bytes, TRUE) ? 0 : GetLastError();
    CloseHandle(overlapped.hEvent);
    return error;
}

/* The handle of the one that was killed may not be closed yet. */
static void attach(HANDLE device, struct rollcall_attached *attached)
{
    DWORD error = ERROR_BUSY;

    for (unsigned i = 0; i < ATTACH_TRIES && error == ERROR_BUSY; i++) {
        if (i > 0)
            Sleep(1);
        error = attach_once(device, attached);
    }
    SetLastError(error);
    if (error != 0)
        give_up("it cannot attach");
}

/* Attaches before there is the port, which is told of every request. */
static void begin(struct process *p, struct rollcall_attached *attached)
{
    p->memory = open_memory();
    p->account = service_account(p->memory);
    p->design = lab_design_at(p->memory->design);
    p->held = open_event(SERVICE_HELD);
    p->go = open_event(SERVICE_GO);
    for (unsigned i = 0; i < LAB_REQUESTS_MAX; i++)
        if ((p->slots[i].buffer = malloc(lab_design_room(p->design))) == NULL)
            give_up("no memory");
    p->device = CreateFileW(ROLLCALL_DEVICE_PATH, GENERIC_READ | GENERIC_WRITE, 0, NULL,
                            OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    if (p->device == INVALID_HANDLE_VALUE)
        give_up("the driver is not there");
    attach(p->device, attached);
    p->port = CreateIoCompletionPort(p->device, NULL, 0, 1);
    if (p->port == NULL)
        give_up("no completion port");
    p->memory->thread = GetCurrentThreadId();
}

/* The slot that is answered. */
static unsigned receive(struct process *p)
{
    OVERLAPPED *overlapped = NULL;
    ULONG_PTR key;
    DWORD bytes;

    p->account->calls++;
    if (!GetQueuedCompletionStatus(p->port, &bytes, &key, &overlapped, INFINITE))
        give_up("a request fails");
    return (unsigned)(CONTAINING_RECORD(overlapped, struct slot, overlapped) - p->slots);
}

int service_run(void)
{
    static struct process p;
    static const struct lab_port port = {.context = &p, .send = port_send, .work = port_work};
    struct rollcall_attached attached;
    struct lab_service service;
    unsigned slot;

    begin(&p, &attached);
    if (!lab_service_start(&service, p.design, &port, &attached))
        return 1;
    p.memory->started = 1;
    do {
        slot = receive(&p);
        if (!lab_service_answer(&service, slot, p.slots[slot].buffer))
            return 1;
        p.account->handled++;
    } while (true);
}
