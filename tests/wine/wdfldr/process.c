/* SPDX-License-Identifier: MIT */
/* Processes as the kernel has them: those that a test raises, those that were there before, and, when the driver
 * asks for them, Wine's own. */
#include "tests/wine/wdfldr/process.h"

#include <string.h>

#define BUCKETS       4096u
#define MAGIC         0x73636f7270627272u
#define EXISTING_PID  100000u /* of the processes that were there before, in steps of 4 */
#define QUERY_LIMITED 0x1000u
#define SECOND        10000000 /* of a FILETIME */

static struct process *buckets[BUCKETS];
static uint64_t start_keys;

/* ---- with the lock held ---- */

static struct process **bucket(uint32_t pid)
{
    return &buckets[pid / 4 % BUCKETS];
}

struct process *process_lookup(uint32_t pid)
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

struct process *process_next_raised(const struct process *before)
{
    unsigned i = before != NULL ? (unsigned)(bucket(before->pid) - buckets) : 0;
    struct process *process = before != NULL ? before->next : buckets[0];

    for (;;) {
        for (; process != NULL; process = process->next)
            if (is_raised(process))
                return process;
        if (++i == BUCKETS)
            return NULL;
        process = buckets[i];
    }
}

static int64_t now(void)
{
    LARGE_INTEGER time;

    GetSystemTimeAsFileTime(&time);
    return time.QuadPart;
}

struct process *process_new(uint32_t pid)
{
    struct process *process = memory_new(sizeof(*process));

    process->magic = MAGIC;
    process->pid = pid;
    process->exit_status = (uint32_t)STATUS_PENDING;
    process->create_time = now();
    process->start_key = ++start_keys;
    process->token.magic = TOKEN_MAGIC;
    process->token.process = process;
    process->listed = true;
    process->next = *bucket(pid);
    *bucket(pid) = process;
    return process;
}

void process_unlist(struct process *process)
{
    struct process **link;

    if (!process->listed)
        return;
    for (link = bucket(process->pid); *link != process;)
        link = &(*link)->next;
    *link = process->next;
    process->listed = false;
}

void process_release_if_gone(struct process *process)
{
    if (process->references > 0 || process->token.references > 0 || process->held > 0)
        return;
    if (!process->exited && !process->invented)
        return;
    process_unlist(process);
    process->magic = 0;
    memory_retire(process, NULL);
}

struct process *process_of(const void *pointer, const char *function)
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
        process_unlist(known);
        process_release_if_gone(known);
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

struct process *process_lookup_any(uint32_t pid)
{
    struct process *process = process_lookup(pid);

    return process == NULL || process->real ? process_of_wine(pid, process) : process;
}

struct process *process_current(void)
{
    struct thread *thread = thread_here();
    struct process *process;

    if (thread->process == 0)
        return process_lookup(SYSTEM_PID);
    if (thread->current != NULL)
        return thread->current;
    process = process_lookup_any(thread->process);
    if (process == NULL) {
        process = process_new(thread->process);
        process->invented = true;
        process->create_time = 0;
    }
    process->held++;
    thread->current = process;
    return process;
}

void process_set_name(struct process *process, const wchar_t *image, size_t length)
{
    size_t begin = length, i;

    while (begin > 0 && image[begin - 1] != L'\\')
        begin--;
    for (i = 0; i < sizeof(process->name) - 1 && begin + i < length; i++)
        process->name[i] = (char)image[begin + i];
    for (i = 0; i < TEXT_MAX - 1 && i < length; i++)
        process->image[i] = image[i];
}

/* ---- who runs in it ---- */

void process_let_go(void *object)
{
    struct process *process = object;

    if (process == NULL)
        return;
    enter();
    process->held--;
    process_release_if_gone(process);
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

/* ---- what tests ask ---- */

uint64_t process_start_key(uint32_t pid)
{
    struct process *process;
    uint64_t key;

    enter();
    process = process_lookup(pid);
    key = process != NULL ? process->start_key : 0;
    leave();
    return key;
}

size_t process_pids(uint32_t *pids, size_t room)
{
    struct process *process;
    size_t count = 0;

    enter();
    for (process = process_next_raised(NULL); process != NULL;
         process = process_next_raised(process))
        if (count++ < room)
            pids[count - 1] = process->pid;
    leave();
    return count;
}

/* ---- begin and end ---- */

static void add_existing(uint32_t pid, uint32_t ppid, const wchar_t *image)
{
    struct process *process = process_new(pid);

    process->ppid = ppid;
    process->create_time -= SECOND;
    process_set_name(process, image, wcslen(image));
}

void process_begin(void)
{
    uint32_t i;

    enter();
    if (process_lookup(SYSTEM_PID) == NULL)
        add_existing(SYSTEM_PID, 0, L"System");
    for (i = 0; i < settings.existing_processes; i++)
        if (process_lookup(EXISTING_PID + 4 * i) == NULL)
            add_existing(EXISTING_PID + 4 * i, SYSTEM_PID,
                         L"\\Device\\HarddiskVolume1\\before.exe");
    leave();
}

void process_leaks(void)
{
    struct process *process, *next;
    unsigned i;

    enter();
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
            process_unlist(process);
            process_release_if_gone(process); /* or who is just raising it does */
        }
    }
    leave();
}
