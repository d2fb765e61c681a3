/* SPDX-License-Identifier: MIT */
#include "lab/table.h"

#include <inttypes.h>

const char *table_verdict(const struct lab_result *result)
{
    if (result->waiting > 0)
        return "hangs";
    if (result->lost > result->told)
        return "loses";
    return result->told > 0 ? "tells" : "complete";
}

void table_head(FILE *file)
{
    fputs("design\tschedule\tverdict\toffered\tdelivered\ttwice\tlost\tdropped\ttold\tin_hand\t"
          "waiting\tcalls\tbytes_most\tlate_median_us\tlate_p99_us\tlate_max_us\tbytes_pended\n",
          file);
}

void table_line(FILE *file, const char *design, const char *schedule, const struct lab_result *r)
{
    fprintf(file,
            "%s\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
            "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%.1f\t%.1f\t%.1f\t%" PRIu64 "\n",
            design, schedule, table_verdict(r), r->offered, r->delivered, r->twice, r->lost,
            r->dropped, r->told, r->in_hand, r->waiting, r->calls, r->bytes_most, r->late.median,
            r->late.p99, r->late.max, r->bytes_pended);
}
