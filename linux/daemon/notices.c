/* SPDX-License-Identifier: MIT */
#include "linux/daemon/notices.h"

#include "linux/clock.h"

#include <string.h>

#define LOOK_NS 1000000000u

static const char *advice(uint32_t reason)
{
    switch (reason) {
    case ROLLCALL_LOST_FULL:
        return "its ring was full: give it more by ring-size, or look why the journal is slow";
    case ROLLCALL_LOST_FAILED:
        return "it had no memory";
    case ROLLCALL_LOST_SKIPPED:
        return "it skipped the programs, which another tracer of the same hooks can cause";
    default:
        return "the programs had been taken out for a time: look who removes what is in "
               "/sys/fs/bpf/rollcall";
    }
}

void notices_batch(struct notices *notices, const struct rollcall_batch *batch)
{
    const struct rollcall_event *event = NULL;

    while ((event = rollcall_batch_next(batch, event))) {
        if (event->type != ROLLCALL_GAP)
            continue;
        if (event->flags & ROLLCALL_UNCOUNTED)
            log_limited(&notices->interruptions, LOG_WARNING,
                        "an unknown number of events is missing at number %llu: %s",
                        (unsigned long long)event->seq, advice(event->reason));
        else
            log_limited(&notices->losses, LOG_WARNING,
                        "the kernel lost %llu events, from number %llu on: %s",
                        (unsigned long long)event->lost, (unsigned long long)event->seq,
                        advice(event->reason));
    }
}

void notices_pins(struct notices *notices, struct rollcall *rc)
{
    uint64_t now = clock_mono_ns();
    char text[512];

    if (now < notices->look_at)
        return;
    notices->look_at = now + LOOK_NS;
    if (pins_watch_look(&notices->pins, rc, text, sizeof(text)))
        log_limited(notices->pins.unpinned ? &notices->unpinned : &notices->repinned, LOG_WARNING,
                    "%s", text);
}

void notices_retained(struct retained *retained, struct journal *journal, struct places *places,
                      uint64_t epoch)
{
    struct journal_place list[PLACES_MAX];
    bool is_open[PLACES_MAX];
    uint64_t begin = 0;
    size_t count;

    if (journal_begin_seq(journal, epoch, &begin) < 0 || begin <= retained->begin_seq)
        return;
    retained->begin_seq = begin;
    count = places_list(places, list, is_open, PLACES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (list[i].epoch > epoch || (list[i].epoch == epoch && list[i].seq >= begin))
            continue;
        log_limited(&retained->passed, LOG_WARNING,
                    "retention has removed events that the durable consumer '%s' had not "
                    "acknowledged: keep more (keep-size, keep-age), or `rollcall detach %s`",
                    list[i].name, list[i].name);
    }
}
