/* SPDX-License-Identifier: MIT */
/* Stands for cmd.exe where `rollcall bench` makes processes: it raises its own creation and its end,
 * as Wine raises neither. */
#include "tests/wine/lib/test.h"

#include <winternl.h>

static DWORD parent(void)
{
    PROCESS_BASIC_INFORMATION basic = {0};

    NtQueryInformationProcess(GetCurrentProcess(), ProcessBasicInformation, &basic, sizeof(basic),
                              NULL);
    return (DWORD)basic.InheritedFromUniqueProcessId;
}

int main(void)
{
    DWORD pid = GetCurrentProcessId();
    struct process process = {.pid = pid,
                              .ppid = parent(),
                              .creator_tid = 4,
                              .image = L"\\??\\C:\\windows\\system32\\cmd.exe",
                              .command = GetCommandLineW()};

    raise_create(&process);
    raise_exit(pid, 0);
    return 0;
}
