/* SPDX-License-Identifier: MIT */
#include "linux/place.h"

#include <stdatomic.h>
#include <string.h>

static uint64_t load_version(const struct place *place)
{
    return atomic_load_explicit((const _Atomic uint64_t *)&place->version, memory_order_acquire);
}

static void store_version(struct place *place, uint64_t version)
{
    atomic_store_explicit((_Atomic uint64_t *)&place->version, version, memory_order_release);
}

static unsigned newest(const struct control *control)
{
    return load_version(&control->places[1]) > load_version(&control->places[0]);
}

void place_load(const struct control *control, struct place *place)
{
    memcpy(place, &control->places[newest(control)], sizeof(*place));
}

void place_store(struct control *control, struct place *place)
{
    unsigned last = newest(control);
    struct place *to = &control->places[!last];

    place->version = load_version(&control->places[last]) + 1;
    store_version(to, 0);
    atomic_thread_fence(memory_order_release);
    to->position = place->position;
    to->seq = place->seq;
    memcpy(to->lost, place->lost, sizeof(to->lost));
    to->acked_seq = place->acked_seq;
    store_version(to, place->version);
}
