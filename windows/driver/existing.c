/* SPDX-License-Identifier: MIT */
/*
 * Notifications begin before it is known who is there, else somebody could be missed in between.
 * So a process can be in the list and be notified too: as created, when it was in the list before
 * the kernel got to notifying; as exited, at any time. Who tells of it, and in which order:
 *
 * - The list is made with the lock held, from the subscription on. A notification meanwhile waits
 *   for it, not for any consumer; what makes the list waits for nobody who is being notified.
 * - Each process of the list has a state, and whoever posts its first event moves it from UNTOLD to
 *   TOLD, both with the lock held: the announcer with `exists`; its creation with `create`, but when
 *   it was TOLD there is nothing left to post; its exit with `exists` too, before the exit itself. So
 *   there is one first event, and who finds TOLD knows that it has been posted.
 * - Records are made before the lock is taken: what is held is as short as a post.
 * - When all are announced nobody but the process's own notifications changes its state, and these
 *   come one after the other: the lock is not taken any more. A process that was already ending
 *   when it was listed stays UNTOLD: if its exit comes it is told then, if that was before the
 *   subscription it never will be.
 */
#include "windows/driver/existing.h"

#include "windows/driver/clock.h"
#include "windows/driver/draft.h"
#include "windows/driver/host.h"
#include "windows/driver/trace.h"

#include <stdint.h>
#include <string.h>

#define LIST_FIRST    (256u << 10) /* bytes */
#define LIST_TRIES    12u          /* each with twice the room */
#define PROCESS_CLASS 5u           /* SystemProcessInformation */

enum state { UNTOLD, TOLD };

struct entry {
    int64_t create_time;
    uint32_t pid; /* 0: none is here */
    uint32_t ppid;
    enum state state;
};

static WDFWAITLOCK lock;
static volatile bool announcing;
static struct entry *entries; /* by pid, at its hash or behind */
static size_t room;           /* a power of two, more than twice the entries */

/* ---- the table ---- */

static size_t place_of(uint32_t pid)
{
    return (pid >> 2) * 2654435761u & (room - 1);
}

static struct entry *find_pid(uint32_t pid)
{
    size_t at = place_of(pid);

    while (entries[at].pid != 0 && entries[at].pid != pid)
        at = (at + 1) & (room - 1);
    return &entries[at];
}

/* Another process can have the pid by now. */
static struct entry *find(PEPROCESS process)
{
    struct entry *entry;

    if (entries == NULL)
        return NULL;
    entry = find_pid(HandleToULong(PsGetProcessId(process)));
    return entry->pid != 0 && entry->create_time == PsGetProcessCreateTimeQuadPart(process) ? entry
                                                                                            : NULL;
}

/* ---- the list ---- */

static NTSTATUS query(void **list, ULONG *size)
{
    NTSTATUS status = STATUS_INFO_LENGTH_MISMATCH;
    ULONG wanted = LIST_FIRST;

    for (unsigned i = 0; i < LIST_TRIES && status == STATUS_INFO_LENGTH_MISMATCH; i++) {
        *list = ExAllocatePoolWithTag(PagedPool, wanted, POOL_TAG);
        if (*list == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        *size = wanted;
        status = ZwQuerySystemInformation(PROCESS_CLASS, *list, wanted, NULL);
        if (!NT_SUCCESS(status))
            ExFreePoolWithTag(*list, POOL_TAG);
        wanted *= 2;
    }
    return status;
}

static const struct system_process *next_of(const void *list, ULONG size,
                                            const struct system_process *process)
{
    size_t at = (size_t)((const char *)process - (const char *)list) + process->next;

    if (process->next == 0 || at > size || size - at < sizeof(*process))
        return NULL;
    return (const void *)((const char *)list + at);
}

static void note(const struct system_process *process)
{
    uint32_t pid = HandleToULong(process->pid);
    struct entry *entry = find_pid(pid);

    entry->pid = pid;
    entry->ppid = HandleToULong(process->ppid);
    entry->create_time = process->create_time.QuadPart;
    entry->state = UNTOLD;
}

static NTSTATUS make_table(const void *list, ULONG size)
{
    const struct system_process *process;
    size_t count = 0;

    for (process = list; process != NULL; process = next_of(list, size, process))
        count++;
    for (room = 64; room < 2 * count + 1;)
        room *= 2;
    entries = ExAllocatePoolWithTag(PagedPool, room * sizeof(*entries), POOL_TAG);
    if (entries == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    memset(entries, 0, room * sizeof(*entries));
    /* Pid 0 is no process but the idle time. */
    for (process = list; process != NULL; process = next_of(list, size, process))
        if (process->pid != NULL)
            note(process);
    return STATUS_SUCCESS;
}

static NTSTATUS list_processes(void)
{
    void *list;
    ULONG size;
    NTSTATUS status = query(&list, &size);

    if (!NT_SUCCESS(status))
        return status;
    status = make_table(list, size);
    ExFreePoolWithTag(list, POOL_TAG);
    return status;
}

NTSTATUS existing_begin(NTSTATUS (*subscribe)(void))
{
    NTSTATUS status = WdfWaitLockCreate(WDF_NO_OBJECT_ATTRIBUTES, &lock);

    if (!NT_SUCCESS(status))
        return status;
    announcing = true;
    WdfWaitLockAcquire(lock, NULL);
    status = subscribe();
    if (NT_SUCCESS(status))
        status = list_processes();
    WdfWaitLockRelease(lock);
    return status;
}

void existing_end(void)
{
    if (entries != NULL)
        ExFreePoolWithTag(entries, POOL_TAG);
    entries = NULL;
}

/* ---- announcing ---- */

/* Of a process that lives or is about to end; its image's name needs no file. */
static void draft_exists(struct draft *draft, PEPROCESS process, const struct entry *entry,
                         PUNICODE_STRING *image)
{
    const struct entry *parent = find_pid(entry->ppid);
    bool known = entry->ppid != 0 && parent->pid != 0 && parent->create_time <= entry->create_time;

    draft_begin(draft, ROLLCALL_EXISTS, process);
    draft_parent(draft, entry->ppid, known ? clock_from_wall(parent->create_time) : 0);
    if (!NT_SUCCESS(SeLocateProcessImageName(process, image)))
        *image = NULL;
    else if ((*image)->Length > 0)
        draft_text(draft, ROLLCALL_EXE, 0, *image);
}

static void announce(PEPROCESS process, struct entry *entry)
{
    struct draft draft;
    PUNICODE_STRING image;
    const struct rollcall_event *record;

    draft_exists(&draft, process, entry, &image);
    record = draft_record(&draft);
    WdfWaitLockAcquire(lock, NULL);
    if (entry->state == UNTOLD) {
        entry->state = TOLD;
        engine_post(host_engine(), record);
    }
    WdfWaitLockRelease(lock);
    draft_release(&draft);
    if (image != NULL)
        ExFreePoolWithTag(image, 0);
}

/* Unless it has ended, or is about to. */
static void announce_if_alive(struct entry *entry)
{
    PEPROCESS process;

    if (!NT_SUCCESS(PsLookupProcessByProcessId(ULongToHandle(entry->pid), &process)))
        return;
    if (find(process) == entry && PsGetProcessExitStatus(process) == STATUS_PENDING)
        announce(process, entry);
    ObDereferenceObject(process);
}

void existing_announce(void)
{
    struct rollcall_event synced = {
        .size = sizeof(synced), .version = ROLLCALL_EVENT_VERSION, .type = ROLLCALL_SYNCED};

    for (size_t i = 0; i < room; i++)
        if (entries[i].pid != 0)
            announce_if_alive(&entries[i]);
    synced.mono_ns = clock_mono_ns();
    engine_post(host_engine(), &synced);
    WdfWaitLockAcquire(lock, NULL);
    announcing = false;
    WdfWaitLockRelease(lock);
}

/* ---- notifications ---- */

static bool enter(void)
{
    bool locked = announcing;

    if (locked)
        WdfWaitLockAcquire(lock, NULL);
    return locked;
}

static void leave(bool locked)
{
    if (locked)
        WdfWaitLockRelease(lock);
}

enum engine_status existing_post_create(PEPROCESS process, const struct rollcall_event *create,
                                        bool refusable)
{
    enum engine_status status = ENGINE_OK;
    bool locked = enter();
    struct entry *entry = find(process);

    if (entry == NULL || entry->state == UNTOLD)
        status = refusable ? engine_post_create(host_engine(), create)
                           : engine_post(host_engine(), create);
    if (entry != NULL)
        entry->state = TOLD;
    leave(locked);
    return status;
}

void existing_tell(PEPROCESS process)
{
    bool locked = enter();
    struct entry *entry = find(process);
    bool untold = entry != NULL && entry->state == UNTOLD;

    leave(locked);
    if (untold)
        announce(process, entry);
}
