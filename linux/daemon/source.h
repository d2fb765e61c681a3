/* SPDX-License-Identifier: MIT */
/*
 * The thread that takes the events: from the kernel into the engine, where consumers get them at once,
 * and in lots to the writer of the journal; acknowledged to the kernel when the journal has them on the
 * disk. Whatever instruction it is killed at: what was not acknowledged comes again, the journal leaves
 * what it has, and the engine begins behind what the journal has. A consumer that had more by then waits until
 * that has come again.
 *
 * It is the only one that uses the consumer of the kernel.
 */
#ifndef LINUX_DAEMON_SOURCE_H
#define LINUX_DAEMON_SOURCE_H

#include "linux/daemon/host.h"
#include "linux/daemon/measures.h"
#include "linux/daemon/notices.h"
#include "linux/daemon/waiting.h"
#include "linux/daemon/writer.h"

#include <pthread.h>
#include <stdatomic.h>

struct source {
    struct waker waker; /* more is on the disk, `stop`, or host_hurry() */
    struct host *host;
    struct measures *measures;
    struct notices notices;
    struct writer writer;
    struct lot lot;      /* what is being gathered ... */
    uint64_t gathers_to; /* ... until then: clock_mono_ns() */
    size_t lot_max;      /* bytes, about */
    atomic_bool stop;
    int failed; /* why it ended by itself: a negative errno; 0: it has not */
    void (*on_failure)(void);
    pthread_t thread;
    uint64_t acked_seq; /* to the kernel */
};

/* Starts the writer too. 0 or a negative errno (rollcall_fail). */
int source_start(struct source *source);

/* Ends it and the writer, after the places have been stored and what was taken is on the disk. Returns
 * why it, or the writer, had ended by itself; 0: it had not. */
int source_stop(struct source *source);

#endif
