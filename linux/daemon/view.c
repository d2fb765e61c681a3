/* SPDX-License-Identifier: MIT */
#include "linux/daemon/view.h"

#include <stdbool.h>
#include <string.h>

static bool shows(const struct view *view, const struct rollcall_event *event)
{
    if (event->type == ROLLCALL_GAP)
        return true;
    return (event->present & ROLLCALL_HAS_USER) && event->uid == view->uid;
}

static void renumber(struct view *view, struct rollcall_event *event)
{
    event->seq = ++view->last_seq;
    if (event->type != ROLLCALL_GAP)
        return;
    event->lost = 1;
    event->flags = ROLLCALL_UNCOUNTED;
}

size_t view_filter(struct view *view, void *reply)
{
    struct rollcall_reply head;
    unsigned char *records = (unsigned char *)reply + sizeof(head);
    size_t kept = 0;
    size_t at = 0;
    uint32_t count = 0;

    memcpy(&head, reply, sizeof(head));
    head.first_seq = view->last_seq + 1;
    while (at < head.size) {
        struct rollcall_event *event = (void *)(records + at);
        uint32_t size = event->size;

        at += size;
        if (!shows(view, event))
            continue;
        renumber(view, event);
        memmove(records + kept, event, size);
        kept += size;
        count++;
    }
    head.epoch = view->epoch;
    head.last_seq = view->last_seq;
    head.count = count;
    head.size = (uint32_t)kept;
    memcpy(reply, &head, sizeof(head));
    return sizeof(head) + kept;
}
