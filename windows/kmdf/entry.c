/* SPDX-License-Identifier: MIT */
/*
 * The image's entry: binds to the framework, then calls the driver's DriverEntry. With the WDK it
 * is WdfDriverEntry.lib that does this.
 */
#include "windows/kmdf/wdf.h"

DRIVER_INITIALIZE DriverEntry;
DRIVER_INITIALIZE FxDriverEntry;

PWDF_DRIVER_GLOBALS WdfDriverGlobals;
const WDFFUNC *WdfFunctions;

static WDF_BIND_INFO bind_info = {
    .Size = sizeof(bind_info),
    .Component = (PWCHAR)L"KmdfLibrary",
    .Version = {.Major = 1, .Minor = 15},
    .FuncCount = WDF_FUNCTION_COUNT,
    .FuncTable = (WDFFUNC *)&WdfFunctions,
};

/* The path that the system hands over does not outlive the entry, but unbinding wants it. */
static WCHAR path_buffer[512];
static UNICODE_STRING registry_path = {.MaximumLength = sizeof(path_buffer), .Buffer = path_buffer};
static PDRIVER_UNLOAD framework_unload;

static VOID unload(PDRIVER_OBJECT driver)
{
    if (framework_unload != NULL)
        framework_unload(driver);
    WdfVersionUnbind(&registry_path, &bind_info, WdfDriverGlobals);
}

NTSTATUS NTAPI FxDriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
    NTSTATUS status;

    if (path->Length > registry_path.MaximumLength)
        return STATUS_NAME_TOO_LONG;
    RtlCopyMemory(registry_path.Buffer, path->Buffer, path->Length);
    registry_path.Length = path->Length;

    status = WdfVersionBind(driver, &registry_path, &bind_info, &WdfDriverGlobals);
    if (!NT_SUCCESS(status))
        return status;
    status = DriverEntry(driver, path);
    if (!NT_SUCCESS(status)) {
        WdfVersionUnbind(&registry_path, &bind_info, WdfDriverGlobals);
        return status;
    }
    /* Without an unload routine the driver stays; then there is nothing to chain. */
    if (WdfDriverGlobals->DisplaceDriverUnload) {
        framework_unload = driver->DriverUnload;
        driver->DriverUnload = unload;
    }
    return status;
}
