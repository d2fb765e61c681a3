/* SPDX-License-Identifier: MIT */
/* The processes that are alive, as the events so far tell. */
#ifndef EVENTS_PROCESSES_H
#define EVENTS_PROCESSES_H

#include <rollcall/rollcall.h>

#include <stdbool.h>

/* uthash ends the program when there is no memory, unless told what else to do. */
#define uthash_nonfatal_oom(process) (void)(process)
#define HASH_NONFATAL_OOM            1
#include <uthash.h>

struct process {
    uint32_t pid;
    uint32_t ppid;
    uint64_t start_ns;
    uint64_t parent_start_ns;
    uint32_t uid;
    bool has_uid;
    bool kernel_thread;
    bool followed; /* it is the followed one, or was created by one that is */
    char comm[17];
    char *exe;  /* the path last executed, by it or who created it; NULL: not known */
    char *args; /* of the last exec: each ended by NUL; NULL: not known */
    size_t args_size;
    char *command;            /* Windows: the command line; NULL: not known */
    char *user;               /* Windows: the user's SID; NULL: not known */
    struct process *children; /* made by processes_link() */
    struct process *sibling;
    UT_hash_handle hh;
};

struct processes {
    struct process *all; /* by pid; iterate with hh.next */
    /* Whom to follow: this pid as the initial pid namespace sees it, or if pid_ns is set, as
     * that namespace sees it. 0: nobody. */
    uint32_t followed_pid;
    uint32_t followed_pid_ns;
    uint64_t followed_start_ns; /* since it was seen: who has its pid later is somebody else */
};

/* Whether the event is of the process that has this pid in that pid namespace; namespace 0: as the
 * kernel sees it. */
bool processes_is(const struct rollcall_event *event, uint32_t pid, uint32_t pid_ns);

/* Takes over what the event says; one that exited is still there until processes_forget(). The
 * event's process, or NULL if it has none (or there is no memory). */
struct process *processes_update(struct processes *table, const struct rollcall_event *event);

/* Removes the process of an `exit`. */
void processes_forget(struct processes *table, const struct rollcall_event *event);

/* NULL: not known. start_ns 0: whoever has the pid now. */
struct process *processes_find(const struct processes *table, uint32_t pid, uint64_t start_ns);

/* Parents of those that were there before may be announced after their children: marks all
 * descendants of the followed process once all are known. */
void processes_follow_existing(struct processes *table);

/* How many known ancestors a process has; if somebody is followed, up to that one. */
unsigned processes_depth(const struct processes *table, const struct process *process);

/* Fills in `children` and `sibling`, in the order of pids; those without known parent are the
 * children of the process that is returned, which is not a process. NULL: no memory. */
struct process *processes_link(struct processes *table);

void processes_clear(struct processes *table);

#endif
