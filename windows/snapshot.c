/* SPDX-License-Identifier: MIT */
#include "windows/snapshot.h"

#include "lib/error.h"
#include "lib/utf8.h"
#include "windows/clock.h"
#include "windows/wide.h"

#include <windows.h>

#include <sddl.h>
#include <winternl.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LIST_SIZE  (1u << 20)
#define LIST_MAX   (64u << 20)
#define PATH_ROOM  32768u
#define UNIX_EPOCH 116444736000000000ll /* 1970 in 100 ns since 1601 */
#define SAME_NS    1000000u             /* start times that differ by less are of one process */
#define TOO_SMALL  ((NTSTATUS)0xc0000004)
#define PROCESSES  5 /* SystemProcessInformation */

/* One process of NtQuerySystemInformation(SystemProcessInformation), its beginning. */
struct listed {
    ULONG next; /* bytes from here to the next; 0: the last */
    ULONG threads;
    LARGE_INTEGER reserved[3];
    LARGE_INTEGER create_time; /* 100 ns since 1601 */
    LARGE_INTEGER user_time;
    LARGE_INTEGER kernel_time;
    UNICODE_STRING name;
    LONG priority;
    HANDLE pid;
    HANDLE ppid;
    ULONG handles;
    ULONG session;
};

_Static_assert(offsetof(struct listed, create_time) == 32, "as Windows has it");
_Static_assert(offsetof(struct listed, pid) == 80, "as Windows has it");
_Static_assert(offsetof(struct listed, session) == 100, "as Windows has it");

/* ---- writing records ---- */

static int reserve(struct snapshot *snapshot, size_t size)
{
    size_t room = snapshot->room ? snapshot->room : 65536;
    char *data;

    while (room - snapshot->size < size)
        room *= 2;
    if (room == snapshot->room)
        return 0;
    data = realloc(snapshot->data, room);
    if (!data)
        return rollcall_fail(-ENOMEM, "out of memory");
    snapshot->data = data;
    snapshot->room = room;
    return 0;
}

/* Begins a record at the end; the pointer holds until the next reserve(). */
static int begin(struct snapshot *snapshot, enum rollcall_type type, size_t *at)
{
    struct rollcall_event *event;
    int err = reserve(snapshot, sizeof(*event));

    if (err < 0)
        return err;
    *at = snapshot->size;
    event = (void *)(snapshot->data + *at);
    memset(event, 0, sizeof(*event));
    event->size = sizeof(*event);
    event->version = ROLLCALL_EVENT_VERSION;
    event->type = (uint16_t)type;
    event->mono_ns = clock_boot_ns();
    snapshot->size += sizeof(*event);
    snapshot->count++;
    return 0;
}

static int add_text(struct snapshot *snapshot, size_t at, enum rollcall_text_field field,
                    const char *text)
{
    size_t size = strlen(text);
    size_t space = sizeof(struct rollcall_text) + ROLLCALL_ALIGN(size);
    struct rollcall_text *head;
    int err = reserve(snapshot, space);

    if (err < 0)
        return err;
    head = (void *)(snapshot->data + snapshot->size);
    memset(head, 0, space);
    head->field = (uint16_t)field;
    head->size = (uint32_t)size;
    head->full_size = size;
    memcpy(head + 1, text, size);
    snapshot->size += space;
    ((struct rollcall_event *)(void *)(snapshot->data + at))->size += (uint32_t)space;
    return 0;
}

/* ---- what is asked of a process ---- */

/* Its program's path, to be freed; NULL: that may not be known. */
static char *path_of(HANDLE process)
{
    wchar_t *path = malloc(PATH_ROOM * sizeof(*path));
    DWORD size = PATH_ROOM;
    char *text = NULL;

    if (path && QueryFullProcessImageNameW(process, 0, path, &size))
        text = wide_to(path);
    free(path);
    return text;
}

/* Its user's SID, to be freed; NULL: that may not be known. */
static char *user_of(HANDLE process)
{
    union {
        TOKEN_USER user;
        char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } token_user;
    wchar_t *sid = NULL;
    char *text = NULL;
    HANDLE token;
    DWORD size;

    if (!OpenProcessToken(process, TOKEN_QUERY, &token))
        return NULL;
    if (GetTokenInformation(token, TokenUser, &token_user, sizeof(token_user), &size) &&
        ConvertSidToStringSidW(token_user.user.User.Sid, &sid)) {
        text = wide_to(sid);
        LocalFree(sid);
    }
    CloseHandle(token);
    return text;
}

static int add_texts(struct snapshot *snapshot, size_t at, uint32_t pid)
{
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    char *path = process ? path_of(process) : NULL;
    char *user = process ? user_of(process) : NULL;
    int err = path ? add_text(snapshot, at, ROLLCALL_EXE, path) : 0;

    if (err == 0 && user)
        err = add_text(snapshot, at, ROLLCALL_USER, user);
    free(path);
    free(user);
    if (process)
        CloseHandle(process);
    return err;
}

/* As much of the program's name as fits, in whole characters. */
static void set_comm(struct rollcall_event *event, const UNICODE_STRING *name)
{
    size_t room = sizeof(event->comm) - 1;
    size_t used = 0;
    wchar_t wide[MAX_PATH] = L"";
    size_t length = name->Length / sizeof(wchar_t);
    char *text;
    size_t n;

    if (length >= MAX_PATH)
        length = MAX_PATH - 1;
    if (length > 0)
        memcpy(wide, name->Buffer, length * sizeof(wchar_t));
    text = wide_to(wide);
    while (text && text[used] && (n = utf8_character(text + used, strlen(text + used))) > 0 &&
           used + n <= room)
        used += n;
    if (text)
        memcpy(event->comm, text, used);
    free(text);
}

/* ---- the list ---- */

static uint64_t start_of(const struct listed *process, int64_t wall_offset_ns)
{
    int64_t wall = (process->create_time.QuadPart - UNIX_EPOCH) * 100;

    return wall > wall_offset_ns ? (uint64_t)(wall - wall_offset_ns) : 0;
}

static const struct listed *next_of(const struct listed *process)
{
    return process->next ? (const void *)((const char *)process + process->next) : NULL;
}

/* Who has the parent's pid now is the parent only if it is the older one. */
static void set_parent(struct rollcall_event *event, const struct listed *list,
                       const struct listed *process, int64_t wall_offset_ns)
{
    for (const struct listed *p = list; p; p = next_of(p)) {
        if (p->pid != process->ppid || p->create_time.QuadPart > process->create_time.QuadPart)
            continue;
        event->present |= ROLLCALL_HAS_PARENT;
        event->ppid = (uint32_t)(uintptr_t)p->pid;
        event->parent_start_ns = start_of(p, wall_offset_ns);
        return;
    }
}

static int add_process(struct snapshot *snapshot, const struct listed *list,
                       const struct listed *process, int64_t wall_offset_ns)
{
    uint32_t pid = (uint32_t)(uintptr_t)process->pid;
    struct rollcall_event *event;
    size_t at;
    int err = begin(snapshot, ROLLCALL_EXISTS, &at);

    if (err < 0)
        return err;
    event = (void *)(snapshot->data + at);
    event->pid = pid;
    event->start_ns = start_of(process, wall_offset_ns);
    event->session = process->session;
    event->present = ROLLCALL_HAS_SESSION;
    set_parent(event, list, process, wall_offset_ns);
    set_comm(event, &process->name);
    return add_texts(snapshot, at, pid);
}

/* To be freed; NULL: the text is set. */
static struct listed *list_processes(void)
{
    for (ULONG room = LIST_SIZE; room <= LIST_MAX; room *= 2) {
        struct listed *list = malloc(room);
        NTSTATUS status =
            list ? NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)PROCESSES, list, room, NULL)
                 : TOO_SMALL;

        if (list && status >= 0)
            return list;
        free(list);
        if (status != TOO_SMALL)
            break;
    }
    rollcall_fail(-EIO, "the processes that are there cannot be listed");
    return NULL;
}

int snapshot_take(struct snapshot *snapshot, int64_t wall_offset_ns)
{
    struct listed *list = list_processes();
    int err = list ? 0 : -EIO;

    for (const struct listed *process = list; err == 0 && process; process = next_of(process))
        if (process->pid) /* 0: not a process but the processors' idle time */
            err = add_process(snapshot, list, process, wall_offset_ns);
    free(list);
    return err;
}

void snapshot_drop(struct snapshot *snapshot, const struct rollcall_event *create)
{
    for (size_t at = 0; at < snapshot->size;) {
        const struct rollcall_event *event = (const void *)(snapshot->data + at);
        uint64_t apart = event->start_ns > create->start_ns ? event->start_ns - create->start_ns
                                                            : create->start_ns - event->start_ns;
        size_t size = event->size;

        if (event->pid == create->pid && apart < SAME_NS) {
            memmove(snapshot->data + at, snapshot->data + at + size, snapshot->size - at - size);
            snapshot->size -= size;
            snapshot->count--;
            return;
        }
        at += size;
    }
}

int snapshot_end(struct snapshot *snapshot)
{
    size_t at;

    return begin(snapshot, ROLLCALL_SYNCED, &at);
}

void snapshot_clear(struct snapshot *snapshot)
{
    free(snapshot->data);
    memset(snapshot, 0, sizeof(*snapshot));
}
