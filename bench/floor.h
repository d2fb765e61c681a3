/* SPDX-License-Identifier: MIT */
/* What a wake-up costs on this machine, whoever asks for it. Each platform has one implementation. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <stddef.h>
#include <stdint.h>

/* By what another process is woken here. */
struct floor_words {
    const char *name; /* in a sentence */
    const char *row;  /* in a table */
    const char *key;  /* in JSON */
};

extern const struct floor_words floor_words;

/* Measures `count` times, with a pause before each, how long it takes from just before the other
 * process is woken to its code. 0 or -errno. */
int floor_measure(uint64_t *ns, size_t count, uint64_t pause_ns);

#endif
