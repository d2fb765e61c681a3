/* SPDX-License-Identifier: MIT */
/* Events that no process caused, written into a consumer's ring by a program that is run by hand. What
 * fails ends the process with a message. */
#ifndef BENCH_PRODUCER_H
#define BENCH_PRODUCER_H

#include <stdint.h>

struct producer;

/* For the ring of the durable consumer `name`, which must be there. */
struct producer *producer_open(const char *name);
void producer_close(struct producer *producer);

/* So many exits. */
void producer_exits(const struct producer *producer, uint64_t count);

/* So many processes, each with create, exec and exit, whose pids begin with first_pid (not 0). */
void producer_processes(const struct producer *producer, uint64_t count, uint32_t first_pid);

#endif
