/* SPDX-License-Identifier: MIT */
#include "events/processes.h"

#include <stdlib.h>
#include <string.h>

/* Deeper than any real tree; parents that form a circle end here. */
#define DEPTH_MAX 4096

static void free_process(struct processes *table, struct process *process)
{
    /* With its last entry uthash frees the table and clears table->all, which the analyzer misses. */
    HASH_DEL(table->all, process); /* NOLINT(clang-analyzer-unix.Malloc) */
    free(process->exe);
    free(process->args);
    free(process->command);
    free(process->user);
    free(process);
}

struct process *processes_find(const struct processes *table, uint32_t pid, uint64_t start_ns)
{
    struct process *process;

    HASH_FIND(hh, table->all, &pid, sizeof(pid), process);
    return process && (start_ns == 0 || process->start_ns == start_ns) ? process : NULL;
}

static struct process *parent_of(const struct processes *table, const struct process *process)
{
    return process->ppid ? processes_find(table, process->ppid, process->parent_start_ns) : NULL;
}

/* A new process in the place of one with the same pid, whose exit was lost. */
static struct process *add(struct processes *table, const struct rollcall_event *event)
{
    struct process *before = processes_find(table, event->pid, 0);
    struct process *process = calloc(1, sizeof(*process));

    if (before)
        free_process(table, before);
    if (!process)
        return NULL;
    process->pid = event->pid;
    process->start_ns = event->start_ns;
    HASH_ADD(hh, table->all, pid, sizeof(process->pid), process);
    if (!process->hh.tbl) {
        free(process);
        return NULL;
    }
    return process;
}

bool processes_is(const struct rollcall_event *event, uint32_t pid, uint32_t pid_ns)
{
    return pid_ns ? event->pid_ns == pid_ns && event->ns_pid == pid : event->pid == pid;
}

static bool is_followed_one(const struct processes *table, const struct rollcall_event *event)
{
    if (table->followed_pid == 0 ||
        (table->followed_start_ns && table->followed_start_ns != event->start_ns))
        return false;
    return processes_is(event, table->followed_pid, table->followed_pid_ns);
}

/* What a process has from who made it. */
static void inherit(struct process *process, const struct process *from)
{
    if (!from)
        return;
    process->followed |= from->followed;
    if (!process->exe && from->exe)
        process->exe = strdup(from->exe);
}

static void take_base(struct process *process, const struct rollcall_event *event)
{
    if (event->present & ROLLCALL_HAS_PARENT) {
        process->ppid = event->ppid;
        process->parent_start_ns = event->parent_start_ns;
    }
    if (event->present & ROLLCALL_HAS_USER) {
        process->uid = event->uid;
        process->has_uid = true;
    }
    process->kernel_thread = event->flags & ROLLCALL_KERNEL_THREAD;
    if (event->comm[0])
        memcpy(process->comm, event->comm, sizeof(event->comm));
}

static void take_text(char **to, const struct rollcall_event *event, enum rollcall_text_field field)
{
    struct rollcall_string text;

    if (rollcall_event_text(event, field, &text)) {
        free(*to);
        *to = strndup(text.data, text.size);
    }
}

static void forget_program(struct process *process)
{
    free(process->exe);
    free(process->command);
    free(process->args);
    process->exe = process->command = process->args = NULL;
    process->args_size = 0;
}

static void take_texts(struct process *process, const struct rollcall_event *event)
{
    struct rollcall_string text;

    /* Another program than before, although it is not known which. */
    if (event->type == ROLLCALL_EXEC)
        forget_program(process);
    take_text(&process->exe, event, ROLLCALL_EXE);
    take_text(&process->command, event, ROLLCALL_COMMAND);
    take_text(&process->user, event, ROLLCALL_USER);
    if (rollcall_event_text(event, ROLLCALL_ARGS, &text)) {
        free(process->args);
        process->args = malloc(text.size + 1);
        process->args_size = process->args ? text.size : 0;
        if (process->args)
            memcpy(process->args, text.data, text.size);
    }
}

struct process *processes_update(struct processes *table, const struct rollcall_event *event)
{
    struct process *process;

    if (event->type == ROLLCALL_GAP || event->type == ROLLCALL_SYNCED)
        return NULL;
    process = processes_find(table, event->pid, event->start_ns);
    if (!process) {
        process = add(table, event);
        if (!process)
            return NULL;
        take_base(process, event);
        process->followed = is_followed_one(table, event);
        if (process->followed)
            table->followed_start_ns = process->start_ns;
        if (event->present & ROLLCALL_HAS_CREATOR)
            inherit(process, processes_find(table, event->creator_pid, 0));
        inherit(process, parent_of(table, process));
    }
    take_base(process, event);
    take_texts(process, event);
    return process;
}

void processes_forget(struct processes *table, const struct rollcall_event *event)
{
    struct process *process = processes_find(table, event->pid, event->start_ns);

    if (process)
        free_process(table, process);
}

void processes_follow_existing(struct processes *table)
{
    bool found = true;

    while (found) {
        found = false;
        for (struct process *process = table->all; process; process = process->hh.next) {
            const struct process *parent = parent_of(table, process);

            if (!process->followed && parent && parent->followed) {
                process->followed = true;
                found = true;
            }
        }
    }
}

unsigned processes_depth(const struct processes *table, const struct process *process)
{
    unsigned depth = 0;

    while (depth < DEPTH_MAX && (process = parent_of(table, process)) &&
           (process->followed || !table->followed_pid))
        depth++;
    return depth;
}

static int by_pid_descending(const struct process *a, const struct process *b)
{
    return a->pid < b->pid ? 1 : a->pid > b->pid ? -1 : 0;
}

struct process *processes_link(struct processes *table)
{
    struct process *top = calloc(1, sizeof(*top));

    if (!top)
        return NULL;
    HASH_SORT(table->all, by_pid_descending);
    for (struct process *process = table->all; process; process = process->hh.next)
        process->children = NULL;
    for (struct process *process = table->all; process; process = process->hh.next) {
        struct process *parent = parent_of(table, process);

        if (!parent || parent == process)
            parent = top;
        process->sibling = parent->children;
        parent->children = process;
    }
    return top;
}

void processes_clear(struct processes *table)
{
    struct process *process = table->all;

    while (process) {
        struct process *next = process->hh.next;

        free_process(table, process);
        process = next;
    }
}
