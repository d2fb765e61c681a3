/* SPDX-License-Identifier: MIT */
/*
 * The measurements of rollcall itself, through librollcall's interface alone. Each waits until
 * the reader is attached and the machine quiet again before it begins: loading programs into
 * the kernel is slow, and is not what is to be measured.
 *
 * Where no event comes at all nothing can be measured, and that is an error.
 *
 * Functions return 0, or a negative errno value and a text for rollcall_error().
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <rollcall/rollcall.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEASURE_WORKERS   2u
#define MEASURE_SETTLE_NS 300000000u /* from the reader's start to the first process */
#define MEASURE_PAUSE_NS  10000000u  /* between two processes on an idle machine */

/* Processes per second that two workers make meanwhile, with or without a reader. exec: as in
 * struct work_order. */
int measure_rate(bool exec, uint64_t run_ns, bool reader, double *rate);

/* Nanoseconds from the kernel's time stamp of each of `count` creations to this code, on an idle
 * machine or (`burst`) while one worker makes processes as fast as it can. opts: as for
 * rollcall_open(). */
int measure_latency(const struct rollcall_options *opts, bool burst, uint64_t *ns, size_t count);

/* What a burst left behind while nobody read. */
struct measure_burst {
    uint64_t expected; /* events that the processes of the burst must give */
    uint64_t seen;     /* those of them that came */
    uint64_t lost;     /* events lost, as the gaps say */
    double rate;       /* events per second, of all that came, when it was read afterwards */
};

/* Makes so many processes while nobody reads, then reads. */
int measure_burst(bool exec, uint64_t count, struct measure_burst *burst);

#endif
