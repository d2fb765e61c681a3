/* SPDX-License-Identifier: MIT */
#include "core/losses.h"

#include <string.h>

void losses_add(struct losses *losses, const struct loss *loss)
{
    struct loss *last = &losses->ranges[losses->count ? losses->count - 1 : 0];
    int same = losses->count && last->reason == loss->reason && last->flags == loss->flags;

    if (!same && losses->count < LOSSES_MAX) {
        losses->ranges[losses->count++] = *loss;
        return;
    }
    last->last_seq = loss->last_seq;
    last->mono_ns = loss->mono_ns;
    last->flags |= loss->flags;
}

const struct loss *losses_find(const struct losses *losses, uint64_t seq)
{
    uint32_t i = 0;

    while (i + 1 < losses->count && seq > losses->ranges[i].last_seq)
        i++;
    return &losses->ranges[i];
}

void loss_record(const struct loss *loss, uint64_t seq, struct rollcall_event *gap)
{
    memset(gap, 0, sizeof(*gap));
    gap->size = sizeof(*gap);
    gap->version = ROLLCALL_EVENT_VERSION;
    gap->type = ROLLCALL_GAP;
    gap->flags = loss->flags;
    gap->seq = seq;
    gap->mono_ns = loss->mono_ns;
    gap->reason = loss->reason;
    gap->lost = loss->last_seq - seq + 1;
}
