/* SPDX-License-Identifier: MIT */
/*
 * A load with exact ground truth: worker processes create a known number of processes and write
 * down each one, in the order of creation. The truth is one block of shared memory, or a file
 * mapped as such.
 * Each worker writes into its own part of the records, so that a worker that is killed leaves a
 * truth that is right up to its last process but one.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TRUTH_MAGIC        0x68747572u
#define LOAD_WORKERS_MAX   256u
#define LOAD_METHODS       4u
#define LOAD_METHODS_ALL   "fork,vfork,spawn,clone3"
#define LOAD_COUNT_MAX     100000000u
#define LOAD_EXIT_STATUSES 100u

/* How a process was created. */
enum load_method { LOAD_FORK, LOAD_VFORK, LOAD_SPAWN, LOAD_CLONE3 };

/* One created process. */
struct truth_record {
    uint32_t pid;
    uint16_t method; /* enum load_method */
    uint16_t execs;  /* how many programs it ran: 0 or 1 */
    uint32_t status; /* as wait(2) gave it */
    uint32_t unused;
};

struct truth_worker {
    uint32_t pid;
    uint32_t first;        /* its first record */
    uint32_t share;        /* how many it has to create */
    _Atomic uint32_t made; /* how many it has created and written down */
};

struct truth {
    uint32_t magic;
    uint32_t workers;
    uint32_t count;        /* records: the shares of all workers together */
    uint32_t starter;      /* the process that created the workers */
    _Atomic uint32_t stop; /* not 0: create no more */
    uint32_t unused;
    struct truth_worker worker[LOAD_WORKERS_MAX];
    struct truth_record record[];
};

struct load_options {
    uint32_t workers;
    uint32_t count;      /* processes, of all workers together */
    const char *mix;     /* names of methods, separated by commas, taken in turn */
    const char *program; /* what each process executes, with its exit status as argument; NULL:
                            nothing. Needed for spawn and vfork */
    uint32_t rate;       /* processes in a second, of all workers together; 0: as many as can be */
    uint32_t keep;       /* so many of each worker's processes, the first ones, live until the
                            worker has created all others, and are killed then */
};

struct load {
    struct truth *truth;
    size_t size; /* of the shared memory */
    bool ended[LOAD_WORKERS_MAX];
    bool failed; /* a worker did not end as it should */
};

/* How many processes have been created by now. */
uint32_t truth_made(const struct truth *truth);

/* Makes the truth, in the file `path` or (NULL) in memory that the children share. Returns 0 or
 * a negative errno value, -EINVAL with a wrong option. */
int load_init(struct load *load, const struct load_options *opts, const char *path);

/* Creates the workers, children of the caller. The options are those given to load_init(). */
int load_start(struct load *load, const struct load_options *opts);

/* Takes what workers have ended. Returns how many are left, or -EIO: one has failed. */
int load_poll(struct load *load);

/* Waits for all workers. Returns 0 or -EIO. */
int load_wait(struct load *load);

/* Tells the workers to create no more, waits for them, and frees the truth. */
void load_end(struct load *load);

#endif
