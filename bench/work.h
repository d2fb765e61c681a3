/* SPDX-License-Identifier: MIT */
/*
 * Work for the machine: processes that are created, perhaps execute a program, and end.
 *
 * The workers belong to a process of their own, which is made before the measuring one opens its
 * consumer. On Linux whoever has mapped a large ring pays for it at each fork; on Windows what
 * the process of a consumer creates is exempt from the policy `deny`. Neither is to be measured.
 * They wait until they are told to go.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WORK_WORKERS_MAX 64u

/* How processes are made here. */
struct work_kind {
    const char *name; /* for people */
    const char *key;  /* in JSON */
    bool exec;        /* as in an order */
};

#define WORK_KINDS_MAX 2u

/* Each platform has its own; one without name ends them. */
extern const struct work_kind work_kinds[WORK_KINDS_MAX + 1];

/* How many events each process gives. */
unsigned work_events(bool exec);

/* What may be wrong when processes cannot be made, as a question. */
extern const char work_question[];

/* What is to be done. */
struct work_order {
    unsigned workers; /* 1 .. WORK_WORKERS_MAX */
    bool exec;        /* Linux: each process executes a program; on Windows each does anyway */
    const char
        *program;      /* Linux, with exec: executed after a vfork; NULL: /bin/true after a fork */
    uint64_t count;    /* so many processes, of all workers together; 0: until run_ns is over */
    uint64_t run_ns;   /* how long, if there is no count */
    uint64_t pause_ns; /* between the end of one process and the next, of each worker */
};

/* What one worker says; the others' are on other cache lines. */
struct work_report {
    _Alignas(64) _Atomic uint64_t made;
    uint64_t elapsed_ns;
    pid_t pid;
    bool failed;
};

struct work {
    struct work_order order;
    struct work_report *reports; /* of each worker; shared with them */
    pid_t *pids;                 /* Linux: of each process made, if there is a count; shared too */
    size_t size;                 /* bytes of both */
    intptr_t leader;             /* the platform's: the workers' process, ... */
    intptr_t go;                 /* ... and what it waits for */
};

/* Makes the workers' process, which waits. 0 or -errno; on failure nothing is left. */
int work_prepare(struct work *work, const struct work_order *order);

/* Lets them begin. */
void work_go(struct work *work);

/* Whether they have ended. Does not wait. */
bool work_done(struct work *work);

/* Whether this is the pid of one of the workers. */
bool work_is_worker(const struct work *work, uint32_t pid);

/* How many processes were made so far, and how many per second. */
uint64_t work_made(const struct work *work);
double work_rate(const struct work *work);

/* Waits for the end. 0, or -ECHILD: processes could not be made. */
int work_wait(struct work *work);

/* Ends what still runs, and frees all. */
void work_destroy(struct work *work);

#endif
