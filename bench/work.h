/* SPDX-License-Identifier: MIT */
/*
 * Work for the machine: processes that are created, perhaps execute a program, and end.
 *
 * The workers are children of a process of their own, which is forked before the measuring one
 * maps a ring: whoever has a large mapping pays for it at each fork, and that is not what is to
 * be measured. They wait until they are told to go.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WORK_PROGRAM     "/bin/true"
#define WORK_WORKERS_MAX 64u

/* What is to be done. */
struct work_order {
    unsigned workers;  /* 1 .. WORK_WORKERS_MAX */
    bool exec;         /* each process executes WORK_PROGRAM */
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
    pid_t *pids;                 /* of each process made, if there is a count; shared too */
    size_t size;                 /* bytes of both */
    pid_t leader;
    int go;
};

/* Forks the workers' parent, which waits. 0 or -errno; on failure nothing is left. */
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
