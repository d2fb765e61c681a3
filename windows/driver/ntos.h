/* SPDX-License-Identifier: MIT */
/*
 * The kernel, as the driver sees it: what mingw-w64's headers leave out of what the WDK declares,
 * and what both leave out but the kernel exports.
 */
#ifndef WINDOWS_DRIVER_NTOS_H
#define WINDOWS_DRIVER_NTOS_H

#include <ntifs.h>
#include <wdf.h>

/* "Rrll", as a debugger shows it. */
#define POOL_TAG 0x6c6c7252u

#ifdef __MINGW32__

#define DPFLTR_IHVDRIVER_ID 77u

NTKERNELAPI VOID NTAPI KeQuerySystemTimePrecise(PLARGE_INTEGER time);
NTKERNELAPI ULONG64 NTAPI KeQueryInterruptTimePrecise(PULONG64 counter);
NTKERNELAPI NTSTATUS NTAPI PsGetProcessExitStatus(PEPROCESS process);

#endif

/* The first 15 bytes of the image's name, ended by NUL; they live as long as the process. */
NTKERNELAPI PUCHAR NTAPI PsGetProcessImageFileName(PEPROCESS process);

/* Class 5 (the processes of the system) is documented for user mode's NtQuerySystemInformation. */
NTSYSAPI NTSTATUS NTAPI ZwQuerySystemInformation(ULONG class, PVOID buffer, ULONG room,
                                                 PULONG needed);

/* What stands there for a process; its threads follow, which are not looked at. */
struct system_process {
    ULONG next; /* bytes to the next one; 0: the last */
    ULONG threads;
    LARGE_INTEGER unused[3];
    LARGE_INTEGER create_time;
    LARGE_INTEGER times[2];
    UNICODE_STRING image_name;
    LONG base_priority;
    HANDLE pid;
    HANDLE ppid;
};

C_ASSERT(offsetof(struct system_process, create_time) == 0x20);
C_ASSERT(offsetof(struct system_process, pid) == 0x50);
C_ASSERT(offsetof(struct system_process, ppid) == 0x58);

#endif
