/* SPDX-License-Identifier: MIT */
/* The kernel's functions by which a driver asks about processes. */
#include "tests/wine/wdfldr/process.h"

#include <string.h>
#include <wchar.h>

#define ENTRY 0x150u /* SYSTEM_PROCESS_INFORMATION with one thread */

static NTSTATUS NTAPI lookup_by_id(HANDLE pid, PEPROCESS *out)
{
    struct process *process;

    irql_at_most(APC_LEVEL, "PsLookupProcessByProcessId");
    races_look(HandleToULong(pid));
    enter();
    process = process_lookup_any(HandleToULong(pid));
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
    process = process_of(object, "ObfReferenceObject");
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
    process = process_of(object, "ObfDereferenceObject");
    if (process != NULL && process->references == 0) {
        report("over-dereferenced", "process %u", process->pid);
    } else if (process != NULL) {
        process->references--;
        process_release_if_gone(process);
    }
    leave();
    return 0;
}

static PEPROCESS NTAPI get_current_process(VOID)
{
    struct process *process;

    enter();
    process = process_current();
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
        process = process_lookup_any(request->pid);
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
    struct process *process = process_of(object, "PsGetProcessId");

    return process != NULL ? ULongToHandle(process->pid) : NULL;
}

static HANDLE NTAPI get_parent_id(PEPROCESS object)
{
    struct process *process = process_of(object, "PsGetProcessInheritedFromUniqueProcessId");

    return process != NULL ? ULongToHandle(process->ppid) : NULL;
}

static LONGLONG NTAPI get_create_time(PEPROCESS object)
{
    struct process *process = process_of(object, "PsGetProcessCreateTimeQuadPart");

    return process != NULL ? process->create_time : 0;
}

static NTSTATUS NTAPI get_exit_status(PEPROCESS object)
{
    struct process *process = process_of(object, "PsGetProcessExitStatus");

    return process != NULL ? (NTSTATUS)process->exit_status : 0;
}

static ULONG64 NTAPI get_start_key(PEPROCESS object)
{
    struct process *process = process_of(object, "PsGetProcessStartKey");

    return process != NULL ? process->start_key : 0;
}

static ULONG NTAPI get_session_id(PEPROCESS object)
{
    struct process *process = process_of(object, "PsGetProcessSessionId");

    return process != NULL ? process->session : 0;
}

static PCHAR NTAPI get_image_file_name(PEPROCESS object)
{
    struct process *process = process_of(object, "PsGetProcessImageFileName");

    return process != NULL ? process->name : NULL;
}

static BOOLEAN NTAPI is_protected(PEPROCESS object)
{
    struct process *process = process_of(object, "PsIsProtectedProcess");

    return process != NULL &&
           (process->pid == SYSTEM_PID || (process->flags & CONTROL_PROTECTED) != 0);
}

static PACCESS_TOKEN NTAPI reference_token(PEPROCESS object)
{
    struct process *process = process_of(object, "PsReferencePrimaryToken");

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
        process_release_if_gone(token->process);
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
    struct process *process = process_of(object, "SeLocateProcessImageName");
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
    struct process *process = NULL;
    struct process idle = {.pid = 0};
    uint8_t *entry = buffer, *last = buffer;
    size_t size = ENTRY + 32;

    enter();
    while ((process = process_next_raised(process)) != NULL)
        size += ENTRY + 32;
    if (needed != NULL)
        *needed = (ULONG)size;
    if (size > room) {
        leave();
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    entry = list_entry(entry, &idle);
    while ((process = process_next_raised(process)) != NULL) {
        last = entry;
        entry = list_entry(entry, process);
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
    import_add("PsGetProcessStartKey", new_system ? (void *)get_start_key : NULL);
    import_add("PsIsProtectedProcess", is_protected);
}
