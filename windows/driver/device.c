/* SPDX-License-Identifier: MIT */
#include "windows/driver/device.h"

#include "windows/driver/client.h"
#include "windows/driver/requests.h"

#include <rollcall/protocol.h>

/* The system and administrators, nobody else. */
static const UNICODE_STRING sddl = RTL_CONSTANT_STRING(L"D:P(A;;GA;;;SY)(A;;GA;;;BA)");
static const UNICODE_STRING name = RTL_CONSTANT_STRING(ROLLCALL_DEVICE_NAME);
static const UNICODE_STRING link = RTL_CONSTANT_STRING(ROLLCALL_DEVICE_LINK);

static NTSTATUS prepare(PWDFDEVICE_INIT init)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_FILEOBJECT_CONFIG files;

    WdfDeviceInitSetDeviceType(init, FILE_DEVICE_UNKNOWN);
    WdfDeviceInitSetCharacteristics(init, FILE_DEVICE_SECURE_OPEN, TRUE);
    WDF_FILEOBJECT_CONFIG_INIT(&files, client_create, WDF_NO_EVENT_CALLBACK, client_cleanup);
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, client_context);
    WdfDeviceInitSetFileObjectConfig(init, &files, &attributes);
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, pended_context);
    WdfDeviceInitSetRequestAttributes(init, &attributes);
    return WdfDeviceInitAssignName(init, &name);
}

/* Requests of one handle can come at the same time, and at PASSIVE_LEVEL only. */
static NTSTATUS create_queue(WDFDEVICE device)
{
    WDF_IO_QUEUE_CONFIG config;
    WDFQUEUE queue;

    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchParallel);
    config.PowerManaged = WdfFalse;
    config.EvtIoDeviceControl = requests_control;
    return WdfIoQueueCreate(device, &config, WDF_NO_OBJECT_ATTRIBUTES, &queue);
}

NTSTATUS device_create(WDFDRIVER driver, WDFDEVICE *device)
{
    PWDFDEVICE_INIT init = WdfControlDeviceInitAllocate(driver, &sddl);
    WDF_OBJECT_ATTRIBUTES attributes;
    NTSTATUS status;

    if (init == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = prepare(init);
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ExecutionLevel = WdfExecutionLevelPassive;
    if (NT_SUCCESS(status))
        status = WdfDeviceCreate(&init, &attributes, device);
    if (!NT_SUCCESS(status)) {
        WdfDeviceInitFree(init);
        return status;
    }
    status = create_queue(*device);
    if (NT_SUCCESS(status))
        status = WdfDeviceCreateSymbolicLink(*device, &link);
    return status;
}

void device_open(WDFDEVICE device)
{
    WdfControlFinishInitializing(device);
}
