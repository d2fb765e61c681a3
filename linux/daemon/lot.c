/* SPDX-License-Identifier: MIT */
#include "linux/daemon/lot.h"

#include <stdlib.h>
#include <string.h>

static bool make_room(struct lot *lot, size_t size)
{
    size_t room = lot->room ? lot->room : 65536;
    unsigned char *data;

    while (room - lot->batch.size < size)
        room *= 2;
    if (room == lot->room)
        return true;
    data = realloc(lot->data, room);
    if (!data)
        return false;
    lot->data = data;
    lot->room = room;
    return true;
}

bool lot_add(struct lot *lot, const struct rollcall_batch *batch)
{
    struct rollcall_batch *all = &lot->batch;

    if (!make_room(lot, batch->size))
        return false;
    memcpy(lot->data + all->size, batch->first, batch->size);
    if (all->count == 0)
        all->first_seq = batch->first_seq;
    all->first = (const void *)lot->data;
    all->size += batch->size;
    all->count += batch->count;
    all->epoch = batch->epoch;
    all->last_seq = batch->last_seq;
    all->wall_offset_ns = batch->wall_offset_ns;
    return true;
}

void lot_clear(struct lot *lot)
{
    lot->batch = (struct rollcall_batch){.count = 0};
}

void lot_free(struct lot *lot)
{
    free(lot->data);
    *lot = (struct lot){.data = NULL};
}
