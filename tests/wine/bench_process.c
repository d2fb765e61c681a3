/* SPDX-License-Identifier: MIT */
/* Stands for cmd.exe where `rollcall bench` makes processes: it raises its own creation and its end,
 * as Wine raises neither; if it is told to, processes of others between them. */
#include "tests/wine/lib/test.h"

#include <winternl.h>

#include <stdlib.h>

#define OTHERS       20u
#define OTHERS_PID   200000u
#define COMMAND_SIZE 40000u

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
    if (getenv("ROLLCALL_OTHERS"))
        raise_bulk(OTHERS_PID + 4 * OTHERS * pid, OTHERS, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH,
                   COMMAND_SIZE);
    raise_exit(pid, 0);
    return 0;
}
