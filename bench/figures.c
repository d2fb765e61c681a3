/* SPDX-License-Identifier: MIT */
#include "bench/figures.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

void figures_of(double *values, size_t count, struct figures *figures)
{
    memset(figures, 0, sizeof(*figures));
    figures->count = count;
    if (count == 0)
        return;
    qsort(values, count, sizeof(*values), compare);
    figures->min = values[0];
    figures->median = (values[(count - 1) / 2] + values[count / 2]) / 2;
    figures->p99 = values[(count * 99 + 99) / 100 - 1];
    figures->max = values[count - 1];
}
