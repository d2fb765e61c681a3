/* SPDX-License-Identifier: MIT */
/* What the platforms' workers have in common, and what each platform does for them. */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include "bench/work.h"

/* In a worker: does its share of the work, all processes that are `index` modulo the number of
 * workers. */
void worker_run(struct work *work, unsigned index);

/* In a worker: one process, from beginning to end. Its pid, or -1. */
pid_t worker_make_process(const struct work_order *order);

/* Whether the workers' process has ended; `wait`: not before it has, if nothing interrupts. */
bool workers_ended(const struct work *work, bool wait);

#endif
