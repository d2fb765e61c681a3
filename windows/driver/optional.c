/* SPDX-License-Identifier: MIT */
#include "windows/driver/optional.h"

struct optional optional;

static PVOID find(PCWSTR name)
{
    UNICODE_STRING counted;

    RtlInitUnicodeString(&counted, name);
    return MmGetSystemRoutineAddress(&counted);
}

void optional_start(void)
{
    optional.set_notify_ex2 = find(L"PsSetCreateProcessNotifyRoutineEx2");
    optional.start_key = find(L"PsGetProcessStartKey");
    optional.is_protected = find(L"PsIsProtectedProcess");
    optional.parent_pid = find(L"PsGetProcessInheritedFromUniqueProcessId");
}
