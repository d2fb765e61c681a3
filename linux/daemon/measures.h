/* SPDX-License-Identifier: MIT */
/* What the source's thread notes of its own work, for the other one to look at. */
#ifndef LINUX_DAEMON_MEASURES_H
#define LINUX_DAEMON_MEASURES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEASURES_CLASSES 11u

/* Upper bounds of the classes of commit times, in nanoseconds; what took longer is in the last class. */
static const uint64_t measures_bounds[MEASURES_CLASSES - 1] = {
    1000000,  2000000,   5000000,   10000000,  20000000,
    50000000, 100000000, 200000000, 500000000, 1000000000};

struct measures {
    uint64_t started_ns;    /* mono_ns when the daemon started; does not change */
    uint64_t started_seq;   /* the newest number then; does not change */
    _Atomic uint64_t turns; /* that the thread has made: it lives if that grows */
    _Atomic uint64_t commits[MEASURES_CLASSES];
    _Atomic uint64_t commit_ns;
    _Atomic uint64_t keep_bytes;
    _Atomic uint64_t keep_seconds;
    atomic_bool is_blocked; /* the journal cannot be written */
};

/* A transaction of the journal took so long. */
static inline void measures_commit(struct measures *measures, uint64_t ns)
{
    size_t class = 0;

    while (class < MEASURES_CLASSES - 1 && ns > measures_bounds[class])
        class ++;
    atomic_fetch_add(&measures->commits[class], 1);
    atomic_fetch_add(&measures->commit_ns, ns);
}

static inline uint64_t measures_commits(const struct measures *measures)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < MEASURES_CLASSES; i++)
        sum += atomic_load(&measures->commits[i]);
    return sum;
}

#endif
