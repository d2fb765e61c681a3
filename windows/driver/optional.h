/* SPDX-License-Identifier: MIT */
/* Functions of the kernel that not every system has. What is not there is NULL. */
#ifndef WINDOWS_DRIVER_OPTIONAL_H
#define WINDOWS_DRIVER_OPTIONAL_H

#include "windows/driver/ntos.h"

/* PSCREATEPROCESSNOTIFYTYPE: also processes of subsystems that are not Windows' own. */
#define NOTIFY_SUBSYSTEMS 0u

struct optional {
    NTSTATUS(NTAPI *set_notify_ex2)
    (ULONG type, PVOID routine, BOOLEAN remove);     /* PsSetCreateProcessNotifyRoutineEx2, 1703 */
    ULONGLONG(NTAPI *start_key)(PEPROCESS process);  /* PsGetProcessStartKey, 1703 */
    BOOLEAN(NTAPI *is_protected)(PEPROCESS process); /* PsIsProtectedProcess */
    HANDLE(NTAPI *parent_pid)(PEPROCESS process);    /* PsGetProcessInheritedFromUniqueProcessId */
};

extern struct optional optional;

void optional_start(void);

#endif
