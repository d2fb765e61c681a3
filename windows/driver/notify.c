/* SPDX-License-Identifier: MIT */
/*
 * The routine is called in the thread that creates the process, or that was its last one, which
 * goes on when it returns. So everything is copied here, and nobody is waited for: not for a
 * consumer, a file or another process.
 */
#include "windows/driver/notify.h"

#include "windows/driver/clock.h"
#include "windows/driver/draft.h"
#include "windows/driver/exempt.h"
#include "windows/driver/existing.h"
#include "windows/driver/host.h"
#include "windows/driver/optional.h"
#include "windows/driver/refused.h"
#include "windows/driver/trace.h"

/* What a creation that the policy refuses fails with: as if memory were short, which it is. */
#define STATUS_REFUSED STATUS_INSUFFICIENT_RESOURCES

static enum { NOT_SUBSCRIBED, SUBSCRIBED, SUBSCRIBED_EX2 } subscription;

/* When the process with this pid started, if it is older than its child; else 0: it is another one
 * that got the pid later. */
static uint64_t parent_start(HANDLE ppid, PEPROCESS child)
{
    uint64_t start_ns = 0;
    PEPROCESS parent;

    if (!NT_SUCCESS(PsLookupProcessByProcessId(ppid, &parent)))
        return 0;
    if (PsGetProcessCreateTimeQuadPart(parent) <= PsGetProcessCreateTimeQuadPart(child))
        start_ns = clock_from_wall(PsGetProcessCreateTimeQuadPart(parent));
    ObDereferenceObject(parent);
    return start_ns;
}

static void created(PEPROCESS process, PPS_CREATE_NOTIFY_INFO info)
{
    struct draft draft;
    const struct rollcall_event *record;
    bool refused;

    draft_begin(&draft, ROLLCALL_CREATE, process);
    draft_parent(&draft, HandleToULong(info->ParentProcessId),
                 parent_start(info->ParentProcessId, process));
    draft.base.creator_pid = HandleToULong(info->CreatingThreadId.UniqueProcess);
    draft.base.creator_tid = HandleToULong(info->CreatingThreadId.UniqueThread);
    draft.base.present |= ROLLCALL_HAS_CREATOR;
    draft_text(&draft, ROLLCALL_EXE, info->FileOpenNameAvailable ? 0 : ROLLCALL_TEXT_INEXACT,
               info->ImageFileName);
    draft_text(&draft, ROLLCALL_COMMAND, 0, info->CommandLine);
    record = draft_record(&draft);
    /* What somebody else has refused exits too, and is an event as any other. */
    refused = existing_post_create(process, record, !exempt_is(process, IoGetCurrentProcess())) ==
              ENGINE_REFUSED;
    if (refused)
        refused_add(record->pid, PsGetProcessCreateTimeQuadPart(process));
    if (refused && NT_SUCCESS(info->CreationStatus))
        info->CreationStatus = STATUS_REFUSED;
    draft_release(&draft);
}

static void exited(PEPROCESS process)
{
    struct draft draft;

    draft_begin(&draft, ROLLCALL_EXIT, process);
    draft.base.status = (uint32_t)PsGetProcessExitStatus(process);
    draft.base.flags |= ROLLCALL_NTSTATUS;
    draft.base.present |= ROLLCALL_HAS_STATUS;
    if (optional.parent_pid != NULL)
        draft_parent(&draft, HandleToULong(optional.parent_pid(process)), 0);
    engine_post(host_engine(), draft_record(&draft));
    draft_release(&draft);
}

static VOID NTAPI notified(PEPROCESS process, HANDLE pid, PPS_CREATE_NOTIFY_INFO info)
{
    if (info != NULL) {
        created(process, info);
        return;
    }
    if (refused_remove(HandleToULong(pid), PsGetProcessCreateTimeQuadPart(process)))
        return;
    existing_tell(process);
    exited(process);
}

static NTSTATUS subscribe(void)
{
    NTSTATUS status;

    if (optional.set_notify_ex2 != NULL) {
        status = optional.set_notify_ex2(NOTIFY_SUBSYSTEMS, notified, FALSE);
        if (NT_SUCCESS(status))
            subscription = SUBSCRIBED_EX2;
    } else {
        status = PsSetCreateProcessNotifyRoutineEx(notified, FALSE);
        if (NT_SUCCESS(status))
            subscription = SUBSCRIBED;
    }
    if (!NT_SUCCESS(status))
        TRACE(TRACE_ERROR, "no notifications of processes: 0x%08x%s", (unsigned)status,
              status == STATUS_ACCESS_DENIED ? ": the image is not linked with /INTEGRITYCHECK"
                                             : "");
    return status;
}

NTSTATUS notify_start(void)
{
    NTSTATUS status = existing_begin(subscribe);

    if (!NT_SUCCESS(status)) {
        TRACE(TRACE_ERROR, "the processes that are there cannot be told: 0x%08x", (unsigned)status);
        notify_stop();
        return status;
    }
    existing_announce();
    return status;
}

void notify_stop(void)
{
    if (subscription == SUBSCRIBED_EX2)
        optional.set_notify_ex2(NOTIFY_SUBSYSTEMS, notified, TRUE);
    else if (subscription == SUBSCRIBED)
        PsSetCreateProcessNotifyRoutineEx(notified, TRUE);
    subscription = NOT_SUBSCRIBED;
    existing_end();
}
