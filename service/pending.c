/* SPDX-License-Identifier: MIT */
#include "service/pending.h"

#include "lib/error.h"

#include <errno.h>
#include <stdlib.h>

int pending_open(struct pending *pending, size_t most)
{
    *pending = (struct pending){.room = most};
    pending->events = calloc(pending->room, sizeof(*pending->events));
    return pending->events ? 0 : rollcall_fail(-ENOMEM, "out of memory");
}

void pending_close(struct pending *pending)
{
    free(pending->events);
    *pending = (struct pending){.room = 0};
}

size_t pending_count(const struct pending *pending)
{
    return (size_t)(pending->end - pending->first);
}

static struct pending_event *at(const struct pending *pending, uint64_t id)
{
    return &pending->events[id % pending->room];
}

/* Gives up those at the front that are done. */
static void settle(struct pending *pending)
{
    while (pending->first < pending->end && at(pending, pending->first)->done) {
        const struct pending_event *event = at(pending, pending->first++);

        pending->epoch = event->epoch;
        pending->until = event->until;
    }
}

uint64_t pending_add(struct pending *pending, uint64_t epoch, uint64_t seq, uint64_t until)
{
    *at(pending, pending->end) = (struct pending_event){.epoch = epoch, .seq = seq, .until = until};
    return pending->end++;
}

void pending_pass(struct pending *pending, uint64_t epoch, uint64_t until)
{
    struct pending_event *newest =
        pending->first < pending->end ? at(pending, pending->end - 1) : NULL;

    if (newest && newest->epoch == epoch)
        newest->until = until;
    else
        pending_finish(pending, pending_add(pending, epoch, until, until));
}

void pending_finish(struct pending *pending, uint64_t id)
{
    at(pending, id)->done = true;
    settle(pending);
}

void pending_finish_all(struct pending *pending)
{
    for (uint64_t id = pending->first; id < pending->end; id++)
        at(pending, id)->done = true;
    settle(pending);
}

/* The newest number of an epoch that the handler has, at least. */
static bool covers(const struct pending *pending, uint64_t epoch, uint64_t seq)
{
    for (uint64_t id = pending->end; id-- > pending->first;)
        if (at(pending, id)->epoch == epoch)
            return seq <= at(pending, id)->until;
    /* What was answered before may be answered once more. */
    return epoch == pending->epoch && seq <= pending->until;
}

int pending_answer(struct pending *pending, bool has_epoch, uint64_t epoch, uint64_t seq)
{
    int count = 0;

    if (!has_epoch)
        epoch = pending->first < pending->end ? at(pending, pending->first)->epoch : pending->epoch;
    if (!covers(pending, epoch, seq))
        return rollcall_fail(-EPROTO, "it answered %llu, which it was not given",
                             (unsigned long long)seq);
    for (uint64_t id = pending->first; id < pending->end; id++) {
        struct pending_event *event = at(pending, id);

        if (event->epoch > epoch || (event->epoch == epoch && event->seq > seq))
            break;
        count += !event->done;
        event->done = true;
    }
    settle(pending);
    return count;
}
