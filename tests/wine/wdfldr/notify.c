/* SPDX-License-Identifier: MIT */
/* The notify routine, and what it is told: processes come and go as tests want it. */
#include "tests/wine/wdfldr/process.h"

#include <string.h>

#define FORCE_INTEGRITY   0x80u
#define SUBSYSTEM_PROCESS 2u /* IsSubsystemProcess, which this header has not */

typedef VOID(NTAPI *notify_routine)(PEPROCESS process, HANDLE pid, PPS_CREATE_NOTIFY_INFO info);

static notify_routine notify;
static uint32_t notify_kind;
static unsigned notifying;
static struct process_facts told;

static NTSTATUS set_notify(PVOID routine, BOOLEAN removing, uint32_t kind, const char *function)
{
    const uint8_t *base = the_driver != NULL ? the_driver->object->DriverStart : NULL;
    NTSTATUS status = STATUS_SUCCESS;

    irql_at_most(PASSIVE_LEVEL, function);
    /* DllCharacteristics, in the optional header. */
    if (base != NULL && (*(const uint16_t *)(base + *(const uint32_t *)(base + 0x3c) + 24 + 70) &
                         FORCE_INTEGRITY) == 0)
        return STATUS_ACCESS_DENIED;
    if (allocation_fails())
        return STATUS_INSUFFICIENT_RESOURCES;
    enter();
    if (!removing && notify == NULL) {
        notify = (notify_routine)(uintptr_t)routine;
        notify_kind = kind;
    } else if (!removing) {
        status = STATUS_INVALID_PARAMETER;
    } else if (notify != (notify_routine)(uintptr_t)routine || notify_kind != kind) {
        report("notify-removed-wrongly", "%s: it is not registered", function);
        status = STATUS_PROCEDURE_NOT_FOUND;
    } else {
        if (thread_here()->in_notification)
            report("notify-removed-inside", "%s: waits for itself", function);
        notify = NULL;
        notify_kind = 0;
        while (notifying > 0 && !thread_here()->in_notification)
            wait_changed(WIN32_INFINITE);
    }
    leave();
    WakeAllConditionVariable(&runtime_changed);
    return status;
}

static NTSTATUS NTAPI set_notify_ex(PVOID routine, BOOLEAN removing)
{
    return set_notify(routine, removing, 1, "PsSetCreateProcessNotifyRoutineEx");
}

static NTSTATUS NTAPI set_notify_ex2(ULONG type, PVOID routine, BOOLEAN removing)
{
    if (type != 0)
        return STATUS_INVALID_PARAMETER;
    return set_notify(routine, removing, 2, "PsSetCreateProcessNotifyRoutineEx2");
}

bool process_notified(void)
{
    return notify_kind != 0;
}

/* At PASSIVE_LEVEL, in a critical region, in the thread that creates or is the last to exit. */
static bool notify_call(struct process *process, uint32_t pid, uint32_t tid,
                        PS_CREATE_NOTIFY_INFO *info)
{
    struct thread *thread = thread_here();
    notify_routine routine;
    struct call call;
    struct stay stay;

    enter();
    routine = notify;
    if ((process->flags & CONTROL_SUBSYSTEM) != 0 && notify_kind != 2)
        routine = NULL;
    if (routine != NULL) {
        notifying++;
        if (info != NULL)
            told.creations++;
        else
            told.exits++;
    }
    leave();
    if (routine == NULL)
        return false;
    stay = process_enter(pid, tid);
    thread->critical++;
    thread->in_notification = true;
    races_told();
    call = call_begin();
    routine((PEPROCESS)process, ULongToHandle(process->pid), info);
    call_end(call,
             info != NULL ? "the notify routine of a creation" : "the notify routine of an exit");
    thread->in_notification = false;
    thread->critical--;
    process_leave(stay);
    enter();
    notifying--;
    leave();
    WakeAllConditionVariable(&runtime_changed);
    return true;
}

/* In the list, as a process is before its creation is told. Returns it, held. */
static struct process *appear(const struct control_process *what)
{
    struct process *process;

    enter();
    process = process_lookup(what->pid);
    if (process == NULL || (what->flags & CONTROL_LISTED) == 0) {
        if (process != NULL)
            process_unlist(process); /* that pid is used again */
        process = process_new(what->pid);
        process->ppid = what->ppid;
        process->session = what->session;
        process->sub_authority = what->sub_authority;
        if (what->create_time != 0)
            process->create_time = what->create_time;
        process_set_name(process, (const wchar_t *)(const void *)(what + 1),
                         what->image_size / sizeof(wchar_t));
    }
    process->flags = what->flags;
    process->held++;
    leave();
    return process;
}

void process_appear(const struct control_process *what)
{
    process_let_go(appear(what));
}

uint32_t process_create(const struct control_process *what, struct control_result *result)
{
    const uint8_t *texts = (const uint8_t *)(what + 1);
    UNICODE_STRING image = {(USHORT)what->image_size, (USHORT)what->image_size,
                            (wchar_t *)(uintptr_t)texts};
    UNICODE_STRING command = {(USHORT)what->command_size, (USHORT)what->command_size,
                              (wchar_t *)(uintptr_t)(texts + what->image_size)};
    PS_CREATE_NOTIFY_INFO info = {.Size = sizeof(info)};
    struct process *process = appear(what);

    info.Flags = (what->flags & CONTROL_SUBSYSTEM) != 0 ? SUBSYSTEM_PROCESS : 0;
    info.FileOpenNameAvailable = (what->flags & CONTROL_INEXACT_IMAGE) == 0;
    info.ParentProcessId = ULongToHandle(what->ppid);
    info.CreatingThreadId.UniqueProcess = ULongToHandle(what->creator_pid);
    info.CreatingThreadId.UniqueThread = ULongToHandle(what->creator_tid);
    info.ImageFileName = (what->flags & CONTROL_NO_IMAGE) != 0 ? NULL : &image;
    info.CommandLine = (what->flags & CONTROL_NO_COMMAND) != 0 ? NULL : &command;
    info.CreationStatus = (what->flags & CONTROL_REFUSED) != 0 ? STATUS_ACCESS_DENIED : 0;
    result->called += notify_call(process, what->creator_pid, what->creator_tid, &info);
    if (NT_SUCCESS(info.CreationStatus) && (what->flags & CONTROL_REFUSED_AFTER) != 0)
        info.CreationStatus = STATUS_ACCESS_DENIED;
    result->status = (uint32_t)info.CreationStatus;

    /* A process that is refused has had its first thread: it exits, and that is told. */
    if (!NT_SUCCESS(info.CreationStatus) && (what->flags & CONTROL_NO_EXIT) != 0)
        process_vanish(what->pid);
    else if (!NT_SUCCESS(info.CreationStatus) && (what->flags & CONTROL_EXIT_LATER) == 0)
        process_exit(what->pid, (uint32_t)info.CreationStatus, result);
    process_let_go(process);
    return (uint32_t)info.CreationStatus;
}

/* Returns the process, held, or NULL. */
static struct process *tell_exit(uint32_t pid, uint32_t status, struct control_result *result)
{
    struct process *process;

    enter();
    process = process_lookup(pid);
    if (process != NULL) {
        process->held++;
        process->exit_status = status;
    }
    leave();
    if (process != NULL)
        result->called += notify_call(process, pid, pid + 1, NULL);
    return process;
}

static void vanish(struct process *process)
{
    enter();
    process->exited = true;
    process_unlist(process);
    leave();
    process_let_go(process);
}

void process_exit(uint32_t pid, uint32_t status, struct control_result *result)
{
    struct process *process = tell_exit(pid, status, result);

    if (process != NULL)
        vanish(process);
}

void process_tell_exit(uint32_t pid, uint32_t status, struct control_result *result)
{
    struct process *process = tell_exit(pid, status, result);

    if (process != NULL)
        process_let_go(process);
}

void process_ending(uint32_t pid)
{
    struct process *process;

    enter();
    process = process_lookup(pid);
    if (process != NULL)
        process->exit_status = 0;
    leave();
}

void process_vanish(uint32_t pid)
{
    struct process *process;

    enter();
    process = process_lookup(pid);
    if (process != NULL)
        process->held++;
    leave();
    if (process != NULL)
        vanish(process);
}

void process_facts_get(struct process_facts *facts)
{
    enter();
    *facts = told;
    facts->notify = notify_kind;
    leave();
}

void notify_begin(void)
{
    enter();
    memset(&told, 0, sizeof(told));
    leave();
}

void notify_leaks(void)
{
    enter();
    if (notify != NULL)
        report("notify-leak", "the notify routine is still registered");
    notify = NULL;
    notify_kind = 0;
    leave();
}

void notify_imports(void)
{
    import_add("PsSetCreateProcessNotifyRoutineEx", set_notify_ex);
    import_add("PsSetCreateProcessNotifyRoutineEx2",
               !settings.without_ex2 ? (void *)set_notify_ex2 : NULL);
}
