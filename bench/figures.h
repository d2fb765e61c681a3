/* SPDX-License-Identifier: MIT */
/* What many measured numbers say together. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stddef.h>

struct figures {
    size_t count;
    double min;
    double median;
    double p99;
    double max;
};

/* Sorts `values`. All figures of no values are 0. */
void figures_of(double *values, size_t count, struct figures *figures);

#endif
