/* SPDX-License-Identifier: MIT */
/* What a wake-up costs on this machine, whoever asks for it. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <stddef.h>
#include <stdint.h>

/* Measures `count` times, with a pause before each, how long it takes from just before a write
 * to an eventfd to the code of another process, which waits for it. 0 or -errno. */
int floor_measure(uint64_t *ns, size_t count, uint64_t pause_ns);

#endif
