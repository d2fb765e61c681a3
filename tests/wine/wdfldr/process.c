/* SPDX-License-Identifier: MIT */
/*
 * Processes as the kernel shows them to a driver, and the notify routine. There are those that a
 * test raises, those that were there before, and, when the driver asks for them, Wine's own.
 */
#include "tests/wine/wdfldr/kernel.h"

#include <string.h>

#define BUCKETS           4096u
#define MAGIC             0x73636f7270627272u
#define TOKEN_MAGIC       0x6e656b6f74627272u
#define SYSTEM_PID        4u
#define EXISTING_PID      100000u /* of the processes that were there before, in steps of 4 */
#define QUERY_LIMITED     0x1000u
#define FORCE_INTEGRITY   0x80u
#define TEXT_MAX          96u
#define ENTRY             0x150u /* SYSTEM_PROCESS_INFORMATION with one thread */
#define SUBSYSTEM_PROCESS 2u     /* IsSubsystemProcess, which this header has not */

struct token {
    uint64_t magic;
    struct process *process;
    unsigned references;
};

struct process {
    uint64_t magic;
    struct process *next;
    uint32_t pid, ppid, session;
    uint32_t flags;
    uint32_t sub_authority;
    int64_t create_time;
    uint32_t exit_status;
    bool exited;
    bool real;           /* one of Wine's own, */
    bool invented;       /* or nobody: a test has named it as a creator */
    unsigned references; /* of the driver */
    unsigned held;       /* of the runtime: being told about, or somebody runs in it */
    bool listed;
    uint64_t start_key;
    wchar_t image[TEXT_MAX];
    char name[16];
    struct token token;
};

typedef VOID(NTAPI *notify_routine)(PEPROCESS process, HANDLE pid, PPS_CREATE_NOTIFY_INFO info);

static struct process *buckets[BUCKETS];
static uint64_t start_keys;
static notify_routine notify;
static uint32_t notify_kind;
static unsigned notifying;
static struct process_facts told;

/* ---- with the lock held ---- */

static struct process **bucket(uint32_t pid)
{
    return &buckets[pid / 4 % BUCKETS];
}

static struct process *lookup(uint32_t pid)
{
    struct process *process = *bucket(pid);

    while (process != NULL && process->pid != pid)
        process = process->next;
    return process;
}

/* By a test or before the start; it lives. */
static bool is_raised(const struct process *process)
{
    return !process->exited && !process->real && !process->invented;
}

static struct process *process_new(uint32_t pid)
{
    struct process *process = memory_new(sizeof(*process));

    process->magic = MAGIC;
    process->pid = pid;
    process->exit_status = (uint32_t)STATUS_PENDING;
    process->start_key = ++start_keys;
    process->token.magic = TOKEN_MAGIC;
    process->token.process = process;
    process->listed = true;
    process->next = *bucket(pid);
    *bucket(pid) = process;
    return process;
}

static void unlist(struct process *process)
{
    struct process **link;

    if (!process->listed)
        return;
    for (link = bucket(process->pid); *link != process;)
        link = &(*link)->next;
    *link = process->next;
    process->listed = false;
}

/* Those that have exited, or never were, go when nobody refers to them. */
static void release_if_gone(struct process *process)
{
    if (process->references > 0 || process->token.references > 0 || process->held > 0)
        return;
    if (!process->exited && !process->invented)
        return;
    unlist(process);
    process->magic = 0;
    memory_retire(process, NULL);
}

static struct process *of(const void *pointer, const char *function)
{
    const struct process *process = pointer;

    if (process != NULL && process->magic == MAGIC)
        return (struct process *)(uintptr_t)process;
    report("not-a-process", "%s: %p", function, pointer);
    return NULL;
}

/* When the process of Wine's with that pid began; 0: there is none. */
static int64_t began_in_wine(uint32_t pid)
{
    LARGE_INTEGER times[4] = {{.QuadPart = 0}};
    HANDLE handle;

    handle = OpenProcess(QUERY_LIMITED, 0, pid);
    if (handle == NULL)
        return 0;
    if (!GetProcessTimes(handle, &times[0], &times[1], &times[2], &times[3]))
        times[0].QuadPart = 0;
    CloseHandle(handle);
    return times[0].QuadPart;
}

/* One of Wine's processes, if there is one of that pid: the same as long as that lives. */
static struct process *process_of_wine(uint32_t pid, struct process *known)
{
    int64_t began = began_in_wine(pid);
    struct process *process;

    if (known != NULL && known->create_time == began)
        return known;
    if (known != NULL) {
        known->exited = true;
        unlist(known);
        release_if_gone(known);
    }
    if (began == 0)
        return NULL;
    process = process_new(pid);
    process->create_time = began;
    process->real = true;
    memcpy(process->image, L"\\Device\\wine", sizeof(L"\\Device\\wine"));
    memcpy(process->name, "wine", 5);
    return process;
}

static struct process *lookup_any(uint32_t pid)
{
    struct process *process = lookup(pid);

    return process == NULL || process->real ? process_of_wine(pid, process) : process;
}

/* The process that a thread of the runtime stands for: somebody always runs. */
static struct process *current(void)
{
    struct thread *thread = thread_here();
    struct process *process;

    if (thread->process == 0)
        return lookup(SYSTEM_PID);
    if (thread->current != NULL)
        return thread->current;
    process = lookup_any(thread->process);
    if (process == NULL) {
        process = process_new(thread->process);
        process->invented = true;
    }
    process->held++;
    thread->current = process;
    return process;
}

/* ---- who runs in it ---- */

void process_let_go(void *object)
{
    struct process *process = object;

    if (process == NULL)
        return;
    enter();
    process->held--;
    release_if_gone(process);
    leave();
}

struct stay process_enter(uint32_t pid, uint32_t tid)
{
    struct thread *thread = thread_here();
    struct stay stay = {thread->process, thread->id, thread->current};

    thread->process = pid;
    thread->id = tid;
    thread->current = NULL;
    return stay;
}

void process_leave(struct stay stay)
{
    struct thread *thread = thread_here();

    process_let_go(thread->current);
    thread->process = stay.process;
    thread->id = stay.id;
    thread->current = stay.current;
}

/* ---- the kernel's functions ---- */

static NTSTATUS NTAPI lookup_by_id(HANDLE pid, PEPROCESS *out)
{
    struct process *process;

    irql_at_most(APC_LEVEL, "PsLookupProcessByProcessId");
    races_look(HandleToULong(pid));
    enter();
    process = lookup_any(HandleToULong(pid));
    /* As the kernel: one that has exited is not found by its pid any more. */
    if (process != NULL && process->exited)
        process = NULL;
    if (process != NULL)
        process->references++;
    leave();
    races_looked(HandleToULong(pid));
    *out = (PEPROCESS)process;
    return process != NULL ? STATUS_SUCCESS : STATUS_INVALID_CID;
}

static LONG_PTR NTAPI reference_object(PVOID object)
{
    struct process *process;

    enter();
    process = of(object, "ObfReferenceObject");
    if (process != NULL)
        process->references++;
    leave();
    return 1;
}

static LONG_PTR NTAPI dereference_object(PVOID object)
{
    struct process *process;

    irql_at_most(DISPATCH_LEVEL, "ObfDereferenceObject");
    enter();
    process = of(object, "ObfDereferenceObject");
    if (process != NULL && process->references == 0) {
        report("over-dereferenced", "process %u", process->pid);
    } else if (process != NULL) {
        process->references--;
        release_if_gone(process);
    }
    leave();
    return 0;
}

static PEPROCESS NTAPI get_current_process(VOID)
{
    struct process *process;

    enter();
    process = current();
    leave();
    return (PEPROCESS)process;
}

static HANDLE NTAPI get_current_process_id(VOID)
{
    uint32_t pid = thread_here()->process;

    return ULongToHandle(pid != 0 ? pid : SYSTEM_PID);
}

static HANDLE NTAPI get_current_thread_id(VOID)
{
    uint32_t id = thread_here()->id;

    return ULongToHandle(id != 0 ? id : (uint32_t)GetCurrentThreadId());
}

static PEPROCESS NTAPI get_requestor_process(PIRP irp)
{
    struct request *request = irp->Tail.Overlay.DriverContext[0];
    struct process *process;

    enter();
    process = request->process;
    if (process == NULL)
        process = lookup_any(request->pid);
    if (process != NULL && request->process == NULL) {
        process->held++;
        request->process = process;
    }
    leave();
    return (PEPROCESS)process;
}

static ULONG NTAPI get_requestor_process_id(PIRP irp)
{
    struct request *request = irp->Tail.Overlay.DriverContext[0];

    return request->pid;
}

static HANDLE NTAPI get_process_id(PEPROCESS object)
{
    struct process *process = of(object, "PsGetProcessId");

    return process != NULL ? ULongToHandle(process->pid) : NULL;
}

static HANDLE NTAPI get_parent_id(PEPROCESS object)
{
    struct process *process = of(object, "PsGetProcessInheritedFromUniqueProcessId");

    return process != NULL ? ULongToHandle(process->ppid) : NULL;
}

static LONGLONG NTAPI get_create_time(PEPROCESS object)
{
    struct process *process = of(object, "PsGetProcessCreateTimeQuadPart");

    return process != NULL ? process->create_time : 0;
}

static NTSTATUS NTAPI get_exit_status(PEPROCESS object)
{
    struct process *process = of(object, "PsGetProcessExitStatus");

    return process != NULL ? (NTSTATUS)process->exit_status : 0;
}

static ULONG64 NTAPI get_start_key(PEPROCESS object)
{
    struct process *process = of(object, "PsGetProcessStartKey");

    return process != NULL ? process->start_key : 0;
}

static ULONG NTAPI get_session_id(PEPROCESS object)
{
    struct process *process = of(object, "PsGetProcessSessionId");

    return process != NULL ? process->session : 0;
}

static PCHAR NTAPI get_image_file_name(PEPROCESS object)
{
    struct process *process = of(object, "PsGetProcessImageFileName");

    return process != NULL ? process->name : NULL;
}

static BOOLEAN NTAPI is_protected(PEPROCESS object)
{
    struct process *process = of(object, "PsIsProtectedProcess");

    return process != NULL &&
           (process->pid == SYSTEM_PID || (process->flags & CONTROL_PROTECTED) != 0);
}

static PACCESS_TOKEN NTAPI reference_token(PEPROCESS object)
{
    struct process *process = of(object, "PsReferencePrimaryToken");

    irql_at_most(PASSIVE_LEVEL, "PsReferencePrimaryToken");
    if (process == NULL)
        return NULL;
    enter();
    process->token.references++;
    leave();
    return &process->token;
}

static struct token *token_of(PACCESS_TOKEN object, const char *function)
{
    struct token *token = object;

    if (token != NULL && token->magic == TOKEN_MAGIC && token->references > 0)
        return token;
    report("not-a-token", "%s: %p", function, object);
    return NULL;
}

static VOID NTAPI dereference_token(PACCESS_TOKEN object)
{
    struct token *token;

    irql_at_most(PASSIVE_LEVEL, "PsDereferencePrimaryToken");
    enter();
    token = token_of(object, "PsDereferencePrimaryToken");
    if (token != NULL) {
        token->references--;
        release_if_gone(token->process);
    }
    leave();
}

struct token_user {
    struct {
        PSID sid;
        ULONG attributes;
    } user;
    SID sid;
    ULONG more[4];
};

static NTSTATUS NTAPI query_token(PACCESS_TOKEN object, TOKEN_INFORMATION_CLASS class, PVOID *out)
{
    struct token *token = token_of(object, "SeQueryInformationToken");
    static const SID_IDENTIFIER_AUTHORITY nt_authority = {{0, 0, 0, 0, 0, 5}};
    struct token_user *user;
    ULONG *sub;

    irql_at_most(PASSIVE_LEVEL, "SeQueryInformationToken");
    *out = NULL;
    if (token == NULL || class != TokenUser)
        return STATUS_INVALID_PARAMETER;
    if ((token->process->flags & CONTROL_NO_USER) != 0)
        return STATUS_ACCESS_DENIED;
    user = kernel_allocate_pool(PagedPool, sizeof(*user), 0x6f546553);
    if (user == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    memset(user, 0, sizeof(*user));
    user->user.sid = &user->sid;
    user->sid.Revision = 1;
    user->sid.IdentifierAuthority = nt_authority;
    sub = user->sid.SubAuthority;
    if (token->process->pid == SYSTEM_PID) {
        user->sid.SubAuthorityCount = 1;
        sub[0] = 18;
    } else {
        user->sid.SubAuthorityCount = 5;
        sub[0] = 21;
        sub[1] = 1;
        sub[2] = 2;
        sub[3] = 3;
        sub[4] = token->process->sub_authority != 0 ? token->process->sub_authority : 1001;
    }
    *out = user;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI query_token_session(PACCESS_TOKEN object, PULONG session)
{
    struct token *token = token_of(object, "SeQuerySessionIdToken");

    irql_at_most(PASSIVE_LEVEL, "SeQuerySessionIdToken");
    if (token == NULL)
        return STATUS_INVALID_PARAMETER;
    *session = token->process->session;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI locate_image(PEPROCESS object, PUNICODE_STRING *out)
{
    struct process *process = of(object, "SeLocateProcessImageName");
    size_t size;

    irql_at_most(PASSIVE_LEVEL, "SeLocateProcessImageName");
    *out = NULL;
    if (process == NULL)
        return STATUS_INVALID_PARAMETER;
    races_name(process->pid);
    size = wcslen(process->image) * sizeof(wchar_t);
    *out = kernel_allocate_pool(PagedPool, sizeof(**out) + size + sizeof(wchar_t), 0x6e496553);
    if (*out == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    (*out)->Buffer = (wchar_t *)(*out + 1);
    (*out)->Length = (USHORT)size;
    (*out)->MaximumLength = (USHORT)(size + sizeof(wchar_t));
    memcpy((*out)->Buffer, process->image, size + sizeof(wchar_t));
    return STATUS_SUCCESS;
}

/* The offsets are those of SYSTEM_PROCESS_INFORMATION on x64. */
static uint8_t *list_entry(uint8_t *entry, const struct process *process)
{
    size_t name = strlen(process->name);
    UNICODE_STRING *image = (UNICODE_STRING *)(entry + 0x38);
    wchar_t *text = (wchar_t *)(entry + ENTRY);
    size_t i;

    memset(entry, 0, ENTRY + 32);
    *(uint32_t *)entry = ENTRY + 32;
    *(uint32_t *)(entry + 4) = 1;
    *(int64_t *)(entry + 0x20) = process->create_time;
    for (i = 0; i < name; i++)
        text[i] = (wchar_t)process->name[i];
    image->Length = (USHORT)(name * sizeof(wchar_t));
    image->MaximumLength = image->Length;
    image->Buffer = name != 0 ? text : NULL;
    *(uint64_t *)(entry + 0x50) = process->pid;
    *(uint64_t *)(entry + 0x58) = process->ppid;
    *(uint32_t *)(entry + 0x64) = process->session;
    return entry + ENTRY + 32;
}

static NTSTATUS list(uint8_t *buffer, ULONG room, PULONG needed)
{
    struct process *process;
    struct process idle = {.pid = 0};
    uint8_t *entry = buffer, *last = buffer;
    size_t size = ENTRY + 32;
    unsigned i;

    enter();
    for (i = 0; i < BUCKETS; i++)
        for (process = buckets[i]; process != NULL; process = process->next)
            size += is_raised(process) ? ENTRY + 32 : 0;
    if (needed != NULL)
        *needed = (ULONG)size;
    if (size > room) {
        leave();
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    entry = list_entry(entry, &idle);
    for (i = 0; i < BUCKETS; i++) {
        for (process = buckets[i]; process != NULL; process = process->next) {
            if (!is_raised(process))
                continue;
            last = entry;
            entry = list_entry(entry, process);
        }
    }
    *(uint32_t *)last = 0;
    leave();
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI query_system(ULONG class, PVOID buffer, ULONG room, PULONG needed)
{
    irql_at_most(PASSIVE_LEVEL, "ZwQuerySystemInformation");
    if (class != 5)
        return STATUS_INVALID_INFO_CLASS;
    races_list();
    return list(buffer, room, needed);
}

/* ---- the notify routine ---- */

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

static int64_t now(void)
{
    LARGE_INTEGER time;

    GetSystemTimeAsFileTime(&time);
    return time.QuadPart;
}

/* The last part of a path, in the 15 characters that the kernel keeps. */
static void set_name(struct process *process, const wchar_t *image, size_t length)
{
    size_t begin = length, i;

    while (begin > 0 && image[begin - 1] != L'\\')
        begin--;
    for (i = 0; i < sizeof(process->name) - 1 && begin + i < length; i++)
        process->name[i] = (char)image[begin + i];
    for (i = 0; i < TEXT_MAX - 1 && i < length; i++)
        process->image[i] = image[i];
}

/* In the list, as a process is before its creation is told. Returns it, held. */
static struct process *appear(const struct control_process *what)
{
    struct process *process;

    enter();
    process = lookup(what->pid);
    if (process == NULL || (what->flags & CONTROL_LISTED) == 0) {
        if (process != NULL)
            unlist(process); /* that pid is used again */
        process = process_new(what->pid);
        process->ppid = what->ppid;
        process->session = what->session;
        process->sub_authority = what->sub_authority;
        process->create_time = what->create_time != 0 ? what->create_time : now();
        set_name(process, (const wchar_t *)(const void *)(what + 1),
                 what->image_size / sizeof(wchar_t));
    }
    process->flags = what->flags;
    process->held++;
    leave();
    return process;
}

static void let_go(struct process *process)
{
    enter();
    process->held--;
    release_if_gone(process);
    leave();
}

void process_appear(const struct control_process *what)
{
    let_go(appear(what));
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
    let_go(process);
    return (uint32_t)info.CreationStatus;
}

/* Returns the process, held, or NULL. */
static struct process *tell_exit(uint32_t pid, uint32_t status, struct control_result *result)
{
    struct process *process;

    enter();
    process = lookup(pid);
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
    unlist(process);
    leave();
    let_go(process);
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
        let_go(process);
}

void process_ending(uint32_t pid)
{
    struct process *process;

    enter();
    process = lookup(pid);
    if (process != NULL)
        process->exit_status = 0;
    leave();
}

void process_vanish(uint32_t pid)
{
    struct process *process;

    enter();
    process = lookup(pid);
    if (process != NULL)
        process->held++;
    leave();
    if (process != NULL)
        vanish(process);
}

/* ---- what tests ask ---- */

void process_facts_get(struct process_facts *facts)
{
    enter();
    *facts = told;
    facts->notify = notify_kind;
    leave();
}

uint64_t process_start_key(uint32_t pid)
{
    struct process *process;
    uint64_t key;

    enter();
    process = lookup(pid);
    key = process != NULL ? process->start_key : 0;
    leave();
    return key;
}

size_t process_pids(uint32_t *pids, size_t room)
{
    struct process *process;
    size_t count = 0;
    unsigned i;

    enter();
    for (i = 0; i < BUCKETS; i++)
        for (process = buckets[i]; process != NULL; process = process->next)
            if (is_raised(process) && count++ < room)
                pids[count - 1] = process->pid;
    leave();
    return count;
}

/* ---- begin and end ---- */

static void add_existing(uint32_t pid, uint32_t ppid, const wchar_t *image)
{
    struct process *process = process_new(pid);

    process->ppid = ppid;
    process->create_time = now() - 10000000;
    set_name(process, image, wcslen(image));
}

void process_begin(void)
{
    uint32_t i;

    enter();
    memset(&told, 0, sizeof(told));
    if (lookup(SYSTEM_PID) == NULL)
        add_existing(SYSTEM_PID, 0, L"System");
    for (i = 0; i < settings.existing_processes; i++)
        if (lookup(EXISTING_PID + 4 * i) == NULL)
            add_existing(EXISTING_PID + 4 * i, SYSTEM_PID,
                         L"\\Device\\HarddiskVolume1\\before.exe");
    leave();
}

void process_leaks(void)
{
    struct process *process, *next;
    unsigned i;

    enter();
    if (notify != NULL)
        report("notify-leak", "the notify routine is still registered");
    notify = NULL;
    notify_kind = 0;
    for (i = 0; i < BUCKETS; i++) {
        for (process = buckets[i]; process != NULL; process = next) {
            next = process->next;
            if (process->references > 0)
                report("process-leak", "process %u, %u references", process->pid,
                       process->references);
            if (process->token.references > 0)
                report("token-leak", "process %u, %u references", process->pid,
                       process->token.references);
            process->references = 0;
            process->token.references = 0;
            process->exited = true;
            unlist(process);
            release_if_gone(process); /* or who is just raising it does */
        }
    }
    leave();
}

void process_imports(void)
{
    bool new_system = !settings.without_ex2;

    import_add("PsLookupProcessByProcessId", lookup_by_id);
    import_add("ObfReferenceObject", reference_object);
    import_add("ObfDereferenceObject", dereference_object);
    import_add("ObReferenceObject", reference_object);
    import_add("ObDereferenceObject", dereference_object);
    import_add("IoGetCurrentProcess", get_current_process);
    import_add("PsGetCurrentProcess", get_current_process);
    import_add("PsGetCurrentProcessId", get_current_process_id);
    import_add("PsGetCurrentThreadId", get_current_thread_id);
    import_add("IoGetRequestorProcess", get_requestor_process);
    import_add("IoGetRequestorProcessId", get_requestor_process_id);
    import_add("PsGetProcessId", get_process_id);
    import_add("PsGetProcessInheritedFromUniqueProcessId", get_parent_id);
    import_add("PsGetProcessCreateTimeQuadPart", get_create_time);
    import_add("PsGetProcessExitStatus", get_exit_status);
    import_add("PsGetProcessSessionId", get_session_id);
    import_add("PsGetProcessImageFileName", get_image_file_name);
    import_add("PsReferencePrimaryToken", reference_token);
    import_add("PsDereferencePrimaryToken", dereference_token);
    import_add("SeQueryInformationToken", query_token);
    import_add("SeQuerySessionIdToken", query_token_session);
    import_add("SeLocateProcessImageName", locate_image);
    import_add("ZwQuerySystemInformation", query_system);
    import_add("PsSetCreateProcessNotifyRoutineEx", set_notify_ex);
    import_add("PsSetCreateProcessNotifyRoutineEx2", new_system ? (void *)set_notify_ex2 : NULL);
    import_add("PsGetProcessStartKey", new_system ? (void *)get_start_key : NULL);
    import_add("PsIsProtectedProcess", is_protected);
}
