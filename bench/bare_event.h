/* SPDX-License-Identifier: MIT */
/*
 * The record of the usual BPF ring, for comparison: small, a wake-up for each, no more promises.
 * That is the least that any tool of this kind does.
 */
#ifndef BENCH_BARE_EVENT_H
#define BENCH_BARE_EVENT_H

#include <linux/types.h>

enum bare_type { BARE_FORK = 1, BARE_EXEC = 2, BARE_EXIT = 3 };

struct bare_event {
    __u64 mono_ns; /* since boot, as rollcall's */
    __u32 type;    /* enum bare_type */
    __u32 pid;
    __u32 ppid;
    char comm[16];
};

#endif
