/* SPDX-License-Identifier: MIT */
#include "cli/progress.h"

#include "cli/consume.h"
#include "program/size.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define EVERY_NS 500000000u

void progress_begin(struct progress *progress, bool wanted)
{
    progress->on = wanted && isatty(STDERR_FILENO);
    progress->shown_at = consume_now();
}

void progress_count(struct progress *progress, const struct rollcall_batch *batch)
{
    const struct rollcall_event *event = NULL;

    progress->events += batch->count;
    while ((event = rollcall_batch_next(batch, event))) {
        progress->last_ns = event->mono_ns;
        if (event->type == ROLLCALL_GAP)
            progress->lost += event->lost;
    }
}

uint64_t progress_due(const struct progress *progress)
{
    return progress->on ? progress->shown_at + EVERY_NS : CONSUME_FOREVER;
}

/* How old the last stored event is if others wait behind it. */
static double lag_seconds(const struct progress *progress, const struct rollcall_stats *stats)
{
    if (stats->ring_used == 0 || progress->last_ns == 0)
        return 0;
    return ((double)consume_boot_ns() - (double)progress->last_ns) / 1e9;
}

void progress_show(struct progress *progress, struct rollcall *rc, struct journal *journal,
                   bool stuck)
{
    struct rollcall_stats stats;
    char size[SIZE_TEXT];
    char waiting[SIZE_TEXT];
    uint64_t bytes = 0;
    uint64_t now = consume_now();
    double seconds = (double)(now - progress->shown_at) / 1e9;

    if (!progress->on || now < progress_due(progress) ||
        rollcall_stats(rc, &stats, sizeof(stats)) < 0)
        return;
    journal_size(journal, &bytes);
    fprintf(stderr,
            "\r\033[K%" PRIu64 " events, %.0f/s, lag %.1f s, waiting %s, journal %s, lost %" PRIu64
            "%s",
            progress->events, (double)(progress->events - progress->shown_events) / seconds,
            lag_seconds(progress, &stats), size_text(waiting, stats.ring_used),
            size_text(size, bytes), progress->lost, stuck ? ", cannot write" : "");
    progress->shown = true;
    progress->shown_at = now;
    progress->shown_events = progress->events;
}

void progress_end(struct progress *progress)
{
    if (progress->shown)
        fputc('\n', stderr);
}
