/* SPDX-License-Identifier: MIT */
/*
 * rollcall.sys. Its beginning and, in the opposite order, its end: engine, device, notifications.
 * These come last, and the device is open only when nothing can fail any more. Windows unloads a
 * driver when its last handle is closed, so at the end there are no requests.
 */
#include "windows/driver/client.h"
#include "windows/driver/clock.h"
#include "windows/driver/device.h"
#include "windows/driver/exempt.h"
#include "windows/driver/host.h"
#include "windows/driver/notify.h"
#include "windows/driver/optional.h"
#include "windows/driver/parameters.h"
#include "windows/driver/refused.h"
#include "windows/driver/trace.h"

DRIVER_INITIALIZE DriverEntry;

static VOID unload(WDFDRIVER driver)
{
    UNREFERENCED_PARAMETER(driver);
    notify_stop();
    host_stop();
}

static NTSTATUS create_driver(PDRIVER_OBJECT object, PUNICODE_STRING path, WDFDRIVER *driver)
{
    WDF_DRIVER_CONFIG config;

    WDF_DRIVER_CONFIG_INIT(&config, WDF_NO_EVENT_CALLBACK);
    config.DriverInitFlags = WdfDriverInitNonPnpDriver;
    config.DriverPoolTag = POOL_TAG;
    config.EvtDriverUnload = unload;
    return WdfDriverCreate(object, path, WDF_NO_OBJECT_ATTRIBUTES, &config, driver);
}

static NTSTATUS start_engine(WDFDRIVER driver)
{
    struct parameters parameters;
    NTSTATUS status;

    clock_start();
    optional_start();
    parameters_read(driver, &parameters);
    status = clients_start();
    if (NT_SUCCESS(status))
        status = exempt_start();
    if (NT_SUCCESS(status))
        status = refused_start();
    return NT_SUCCESS(status) ? host_start(&parameters) : status;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT object, PUNICODE_STRING path)
{
    WDFDRIVER driver;
    WDFDEVICE device;
    NTSTATUS status = create_driver(object, path, &driver);

    if (NT_SUCCESS(status))
        status = start_engine(driver);
    if (!NT_SUCCESS(status))
        return status;
    status = device_create(driver, &device);
    if (NT_SUCCESS(status))
        status = notify_start();
    if (!NT_SUCCESS(status)) {
        TRACE(TRACE_ERROR, "the driver does not start: 0x%08x", (unsigned)status);
        host_stop();
        return status;
    }
    device_open(device);
    TRACE(TRACE_INFO, "started, %llu ns after boot", clock_mono_ns());
    return status;
}
