/* SPDX-License-Identifier: MIT */
#include "linux/existing.h"

#include "linux/link.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_ROOM (sizeof(struct rollcall_reply) + ROLLCALL_REPLY_MAX)
#define LIST_MAX  (1u << 30) /* bytes */

static int reserve(struct existing *existing)
{
    size_t room = existing->room ? 2 * existing->room : 2 * PAGE_ROOM;
    char *records;

    if (existing->room - existing->size >= PAGE_ROOM)
        return 0;
    records = room <= LIST_MAX ? realloc(existing->records, room) : NULL;
    if (!records)
        return -ENOMEM;
    existing->records = records;
    existing->room = room;
    return 0;
}

/* Whether the page holds what it says; *synced: its last record ends the list. */
static bool is_whole(const struct rollcall_reply *reply, const char *records, size_t size,
                     bool *synced)
{
    uint32_t count = 0;
    size_t at = 0;

    if (reply->size != size)
        return false;
    while (at < size) {
        const struct rollcall_event *event = (const void *)(records + at);

        if (*synced || !rollcall_event_valid(event, size - at) || event->seq != 0)
            return false;
        *synced = event->type == ROLLCALL_SYNCED;
        if (!*synced && event->type != ROLLCALL_EXISTS)
            return false;
        at += event->size;
        count++;
    }
    return count == reply->count;
}

/* The page is read behind what is there, and its head taken away. */
static int read_page(struct existing *existing, int link, bool *synced)
{
    struct rollcall_request request;
    struct rollcall_reply reply;
    char *page;
    int got = reserve(existing);

    if (got < 0)
        return got;
    page = existing->records + existing->size;
    got = link_ask(link, ROLLCALL_CODE_EXISTING, 0, &request, sizeof(request), page, PAGE_ROOM);
    if (got < 0)
        return got;
    if ((size_t)got < sizeof(reply))
        return -EBADMSG;
    memcpy(&reply, page, sizeof(reply));
    memmove(page, page + sizeof(reply), (size_t)got - sizeof(reply));
    if (!is_whole(&reply, page, (size_t)got - sizeof(reply), synced))
        return -EBADMSG;
    existing->size += reply.size;
    existing->count += reply.count;
    existing->epoch = reply.epoch;
    existing->next_seq = reply.first_seq;
    return existing->count <= INT_MAX ? 0 : -EBADMSG;
}

int existing_read(struct existing *existing, int link)
{
    bool synced = false;
    int err = 0;

    *existing = (struct existing){0};
    while (err == 0 && !synced)
        err = read_page(existing, link, &synced);
    if (err < 0)
        existing_free(existing);
    return err;
}

int existing_take(const struct existing *existing, struct rollcall_batch *batch)
{
    batch->first = (const void *)existing->records;
    batch->size = existing->size;
    batch->count = existing->count;
    batch->epoch = existing->epoch;
    batch->first_seq = 0;
    batch->last_seq = 0;
    return (int)existing->count;
}

void existing_free(struct existing *existing)
{
    free(existing->records);
    existing->records = NULL;
}
