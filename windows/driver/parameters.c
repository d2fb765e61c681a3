/* SPDX-License-Identifier: MIT */
#include "windows/driver/parameters.h"

#include "windows/driver/trace.h"

#include <rollcall/protocol.h>

static uint32_t read(WDFKEY key, PCWSTR name, uint32_t least, uint32_t most, uint32_t otherwise)
{
    UNICODE_STRING counted;
    ULONG value;
    NTSTATUS status;

    RtlInitUnicodeString(&counted, name);
    status = WdfRegistryQueryULong(key, &counted, &value);
    if (status == STATUS_OBJECT_NAME_NOT_FOUND)
        return otherwise;
    if (NT_SUCCESS(status) && value >= least && value <= most)
        return value;
    TRACE(TRACE_WARNING, "Parameters\\%ws must be a number from %u to %u: %u is used instead", name,
          least, most, otherwise);
    return otherwise;
}

void parameters_read(WDFDRIVER driver, struct parameters *parameters)
{
    WDFKEY key;

    parameters->budget = ROLLCALL_BUDGET_DEFAULT;
    parameters->record_max = ROLLCALL_RECORD_MAX;
    parameters->deny = 0;
    if (!NT_SUCCESS(
            WdfDriverOpenParametersRegistryKey(driver, KEY_READ, WDF_NO_OBJECT_ATTRIBUTES, &key)))
        return;
    parameters->budget =
        read(key, L"Budget", ROLLCALL_BUDGET_MIN, ROLLCALL_BUDGET_MAX, ROLLCALL_BUDGET_DEFAULT);
    parameters->record_max =
        read(key, L"RecordMax", ROLLCALL_RECORD_MIN, ROLLCALL_RECORD_MAX, ROLLCALL_RECORD_MAX);
    parameters->deny = read(key, L"Policy", 0, 1, 0);
    WdfRegistryClose(key);
}
