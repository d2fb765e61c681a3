/* SPDX-License-Identifier: MIT */
/* The device that tests talk to. */
#include "tests/wine/wdfldr/kernel.h"

#include <string.h>

#define NAME_TRIES 6000u

__declspec(dllimport) NTSTATUS NTAPI IoCreateDriver(PUNICODE_STRING name, PDRIVER_INITIALIZE init);

static bool started;

static NTSTATUS check_process(const struct control_process *what, size_t size)
{
    size_t texts = size - sizeof(*what);

    if (size < sizeof(*what) || what->image_size > 2 * CONTROL_TEXT_MAX ||
        what->command_size > 2 * CONTROL_TEXT_MAX || (what->image_size & 1) != 0 ||
        texts != what->image_size + what->command_size)
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

static void bulk(const struct control_bulk *bulk, struct control_result *result)
{
    static const wchar_t image[] = L"\\Device\\HarddiskVolume1\\bulk.exe";
    size_t size = sizeof(struct control_process) + sizeof(image) - 2 + bulk->command_size;
    struct control_process *process = memory_new(size);
    struct control_result one = {0};
    uint8_t *texts = (uint8_t *)(process + 1);
    uint32_t i;

    process->ppid = bulk->ppid;
    process->creator_pid = bulk->ppid;
    process->creator_tid = bulk->ppid + 1;
    process->flags = bulk->flags;
    process->image_size = sizeof(image) - 2;
    process->command_size = bulk->command_size & ~1u;
    memcpy(texts, image, process->image_size);
    for (i = 0; i < process->command_size; i += 2)
        texts[process->image_size + i] = 'x';
    for (i = 0; i < bulk->count; i++) {
        process->pid = bulk->first_pid + 4 * i;
        one.status = 0;
        if ((bulk->flags & CONTROL_CREATE_EACH) != 0)
            process_create(process, &one);
        if (one.status != 0)
            result->status++;
        else if ((bulk->flags & CONTROL_EXIT_EACH) != 0)
            process_exit(process->pid, bulk->status, &one);
    }
    result->called = one.called;
    memory_free(process);
}

static void facts_get(struct control_facts *facts)
{
    struct process_facts processes;

    process_facts_get(&processes);
    memset(facts, 0, sizeof(*facts));
    facts->reports = report_count();
    facts->objects = objects_alive(false);
    facts->notify = processes.notify;
    facts->creations = processes.creations;
    facts->exits = processes.exits;
    facts->raising = races_raising();
    facts->fail_in = allocation_fail_in();
    facts->characteristics = device_facts.characteristics;
    facts->exclusive = device_facts.exclusive;
    memcpy(facts->sddl, device_facts.sddl, sizeof(facts->sddl));
    pool_facts(facts);
}

static NTSTATUS set_failure(ULONG code, const void *buffer, size_t size)
{
    if (size != sizeof(uint32_t))
        return STATUS_INVALID_PARAMETER;
    if (code == CONTROL_FAIL_ALLOCATION)
        allocation_fail_at(*(const uint32_t *)buffer);
    else if (code == CONTROL_FAIL_ALL)
        allocation_fail_all(*(const uint32_t *)buffer != 0);
    else
        return STATUS_INVALID_DEVICE_REQUEST;
    return STATUS_SUCCESS;
}

/* Questions about processes, else about allocations. */
static NTSTATUS answer_process(ULONG code, void *buffer, size_t size, size_t room, size_t *bytes)
{
    size_t count;

    switch (code) {
    case CONTROL_START_KEY:
        if (size != sizeof(uint32_t) || room < sizeof(uint64_t))
            return STATUS_INVALID_PARAMETER;
        *(uint64_t *)buffer = process_start_key(*(uint32_t *)buffer);
        *bytes = sizeof(uint64_t);
        return STATUS_SUCCESS;
    case CONTROL_PIDS:
        count = process_pids(buffer, room / sizeof(uint32_t));
        *bytes = count * sizeof(uint32_t);
        return *bytes <= room ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    default:
        return set_failure(code, buffer, size);
    }
}

/* Answers in the buffer that the question came in. Returns the status. */
static NTSTATUS answer(ULONG code, void *buffer, size_t size, size_t room, size_t *bytes)
{
    struct control_result result = {0};
    NTSTATUS status;

    *bytes = 0;
    switch (code) {
    case CONTROL_CREATE:
        status = check_process(buffer, size);
        if (!NT_SUCCESS(status) || room < sizeof(result))
            return STATUS_INVALID_PARAMETER;
        process_create(buffer, &result);
        break;
    case CONTROL_EXIT:
        if (size != sizeof(struct control_exit) || room < sizeof(result))
            return STATUS_INVALID_PARAMETER;
        process_exit(((struct control_exit *)buffer)->pid, ((struct control_exit *)buffer)->status,
                     &result);
        break;
    case CONTROL_BULK:
        if (size != sizeof(struct control_bulk) || room < sizeof(result) ||
            ((struct control_bulk *)buffer)->command_size > 2 * CONTROL_TEXT_MAX)
            return STATUS_INVALID_PARAMETER;
        bulk(buffer, &result);
        break;
    case CONTROL_FACTS:
        if (room < sizeof(struct control_facts))
            return STATUS_INVALID_PARAMETER;
        facts_get(buffer);
        *bytes = sizeof(struct control_facts);
        return STATUS_SUCCESS;
    default:
        return answer_process(code, buffer, size, room, bytes);
    }
    memcpy(buffer, &result, sizeof(result));
    *bytes = sizeof(result);
    return STATUS_SUCCESS;
}

static void serve(void *context)
{
    IRP *irp = context;
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    size_t bytes;

    irp->IoStatus.Status =
        answer(stack->Parameters.DeviceIoControl.IoControlCode, irp->AssociatedIrp.SystemBuffer,
               stack->Parameters.DeviceIoControl.InputBufferLength,
               stack->Parameters.DeviceIoControl.OutputBufferLength, &bytes);
    irp->IoStatus.Information = bytes;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
}

static NTSTATUS NTAPI control(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    IoMarkIrpPending(irp);
    work_raise(serve, irp);
    return STATUS_PENDING;
}

static NTSTATUS NTAPI succeed(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    irp->IoStatus.Status = STATUS_SUCCESS;
    irp->IoStatus.Information = 0;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

/* A driver process that is about to end has the name until it has ended, or, if it hangs then, until it is
 * killed: see run.sh. */
static NTSTATUS create_device(DRIVER_OBJECT *driver, UNICODE_STRING *name, DEVICE_OBJECT **device)
{
    NTSTATUS status = STATUS_OBJECT_NAME_COLLISION;

    for (unsigned i = 0; i < NAME_TRIES && status == STATUS_OBJECT_NAME_COLLISION; i++) {
        if (i > 0)
            Sleep(10);
        status = IoCreateDevice(driver, 0, name, FILE_DEVICE_UNKNOWN, 0, FALSE, device);
    }
    return status;
}

static NTSTATUS NTAPI entry(DRIVER_OBJECT *driver, PUNICODE_STRING path)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\rollcall-test");
    UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\DosDevices\\rollcall-test");
    DEVICE_OBJECT *device;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(path);
    driver->MajorFunction[IRP_MJ_CREATE] = succeed;
    driver->MajorFunction[IRP_MJ_CLOSE] = succeed;
    driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = control;
    status = create_device(driver, &name, &device);
    IoDeleteSymbolicLink(&link); /* of a driver process that has ended */
    if (NT_SUCCESS(status))
        status = IoCreateSymbolicLink(&link, &name);
    return status;
}

void control_start(void)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Driver\\rollcall-test");

    if (started)
        return;
    started = true;
    if (!NT_SUCCESS(IoCreateDriver(&name, entry)))
        report("control", "the device for tests cannot be made");
}
