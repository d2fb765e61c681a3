/* SPDX-License-Identifier: MIT */
#include "lab/design.h"

#include <rollcall/event.h>
#include <rollcall/protocol.h>

#include <string.h>

#define BATCH (64u << 10)

static const struct lab_design designs[] = {
    {"single", "one request at a time, no event queue", LAB_FETCH, 1, 0, ROLLCALL_BUDGET_DEFAULT,
     true, false},
    {"signal-and-drain", "X is completed when the counter becomes 1; Y drains; then X again",
     LAB_SIGNAL, 1, LAB_UNBOUNDED, ROLLCALL_BUDGET_MAX, false, false},
    {"signal-first", "the same, with X sent again before Y", LAB_SIGNAL_FIRST, 1, LAB_UNBOUNDED,
     ROLLCALL_BUDGET_MAX, false, false},
    {"ready-and-drain", "X is completed when something is there, however long it was there",
     LAB_READY, 1, LAB_UNBOUNDED, ROLLCALL_BUDGET_MAX, false, false},
    {"overlapped", "16 requests, no event queue", LAB_FETCH, 16, 0, ROLLCALL_BUDGET_DEFAULT, true,
     false},
    {"one-queue", "64 requests, no event queue", LAB_FETCH, 64, 0, ROLLCALL_BUDGET_DEFAULT, true,
     false},
    {"two-queues", "16 requests and 48 events that may wait", LAB_FETCH, 16, 48,
     ROLLCALL_BUDGET_DEFAULT, true, false},
    {"event-list", "16 requests and a list of events without a bound", LAB_FETCH, 16, LAB_UNBOUNDED,
     ROLLCALL_BUDGET_MAX, true, false},
    {"commit-and-fetch", "rollcall: 2 requests, batches, kept until acknowledged", LAB_FETCH, 2,
     LAB_UNBOUNDED, ROLLCALL_BUDGET_DEFAULT, false, true},
    {"commit-and-fetch-64k", "the same with the smallest budget, which can be spent", LAB_FETCH, 2,
     LAB_UNBOUNDED, ROLLCALL_BUDGET_MIN, false, true},
};

const struct lab_design *lab_design_at(size_t index)
{
    return index < sizeof(designs) / sizeof(designs[0]) ? &designs[index] : NULL;
}

const struct lab_design *lab_design_find(const char *name)
{
    const struct lab_design *design;

    for (size_t i = 0; (design = lab_design_at(i)) != NULL; i++)
        if (strcmp(design->name, name) == 0)
            return design;
    return NULL;
}

size_t lab_design_room(const struct lab_design *design)
{
    return sizeof(struct rollcall_reply) + (design->one ? sizeof(struct rollcall_event) : BATCH);
}
