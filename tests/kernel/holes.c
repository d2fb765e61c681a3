/* SPDX-License-Identifier: MIT */
#include "tests/kernel/holes.h"

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Two consumers have programs of their own: events on another processor at the same instant can
 * come before for one and after for the other, and where a host stops a virtual processor between
 * the two, an instant is long. So many can be on the wrong side of a gap; gaps are of hundreds. */
#define SLACK 64

/* An event, as both consumers see it: the same process, the same type, the so many-th. */
struct item {
    uint64_t start_ns;
    uint64_t lost; /* a gap */
    uint32_t pid;
    uint32_t type;
    uint32_t ordinal;
    uint32_t index; /* where it stands */
    uint32_t place; /* of the small ring: where it stands in the witness's list */
    bool delivered; /* of the witness: the small ring has it, too */
};

void hear(const struct rollcall_event *event, void *context)
{
    struct events_heard *list = context;

    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 4096;
        list->items = reallocarray(list->items, list->room, sizeof(*list->items));
        if (!list->items)
            err(1, "no memory");
    }
    list->items[list->count] = (struct item){
        .start_ns = event->start_ns,
        .lost = event->lost,
        .pid = event->pid,
        .type = event->type,
        .index = (uint32_t)list->count,
    };
    list->count++;
}

static int by_identity(const void *a, const void *b)
{
    const struct item *x = a;
    const struct item *y = b;

    if (x->pid != y->pid)
        return x->pid < y->pid ? -1 : 1;
    if (x->start_ns != y->start_ns)
        return x->start_ns < y->start_ns ? -1 : 1;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    if (x->ordinal != y->ordinal)
        return x->ordinal < y->ordinal ? -1 : 1;
    return 0;
}

static int by_identity_then_index(const void *a, const void *b)
{
    const struct item *x = a;
    const struct item *y = b;
    int order = by_identity(a, b);

    return order ? order : x->index < y->index ? -1 : x->index > y->index;
}

static int by_index(const void *a, const void *b)
{
    const struct item *x = a;
    const struct item *y = b;

    return x->index < y->index ? -1 : x->index > y->index;
}

/* Gives the execs of one process, and all else that looks the same, numbers. */
static void number_items(struct events_heard *list)
{
    qsort(list->items, list->count, sizeof(*list->items), by_identity_then_index);
    for (size_t i = 1; i < list->count; i++) {
        struct item before = list->items[i - 1];

        before.ordinal = 0;
        if (by_identity(&before, &list->items[i]) == 0)
            list->items[i].ordinal = list->items[i - 1].ordinal + 1;
    }
}

/* The range of the witness that the test is about: between the ends of two markers. */
struct range {
    uint32_t begin;
    uint32_t end;
};

static bool is_exit_of(const struct item *item, pid_t pid)
{
    return item->type == ROLLCALL_EXIT && item->pid == (uint32_t)pid;
}

/* A pid can come again: the first marker is the first one of its pid, the last one the last. */
static struct range find_range(const struct events_heard *witness, pid_t first, pid_t last)
{
    size_t begin = 0;
    size_t end = witness->count;

    while (begin < end && !is_exit_of(&witness->items[begin], first))
        begin++;
    while (end > begin && !is_exit_of(&witness->items[end - 1], last))
        end--;
    if (end == begin)
        errx(1, "the witness has not seen the markers");
    for (size_t i = begin; i < end; i++)
        if (witness->items[i].type == ROLLCALL_GAP)
            errx(1, "the witness has lost events");
    return (struct range){.begin = (uint32_t)begin, .end = (uint32_t)end - 1};
}

/* Marks what of the witness was delivered, and where the small ring's events stand in it. */
static void match(struct events_heard *witness, struct events_heard *small)
{
    for (size_t i = 0; i < small->count; i++) {
        struct item *item = &small->items[i];
        struct item *same =
            bsearch(item, witness->items, witness->count, sizeof(*item), by_identity);

        if (item->type == ROLLCALL_GAP)
            continue;
        if (!same)
            errx(1, "the witness does not know type %u of pid %u", item->type, item->pid);
        same->delivered = true;
        item->place = same->index;
    }
}

/* missing[i]: how many of the first i events of the witness are missing in the small ring. */
static uint32_t *count_missing(const struct events_heard *witness, const struct range *range)
{
    uint32_t *missing = calloc(witness->count + 1, sizeof(*missing));

    if (!missing)
        err(1, "no memory");
    for (size_t i = 0; i < witness->count; i++) {
        bool in_range = i >= range->begin && i <= range->end;

        missing[i + 1] = missing[i] + (in_range && !witness->items[i].delivered);
    }
    return missing;
}

/* After each gap, as many have been lost as the witness has missing before the next event. */
static void compare(const struct events_heard *witness, const struct events_heard *small,
                    const struct range *range)
{
    uint32_t *missing = count_missing(witness, range);
    uint64_t lost = 0;
    unsigned gaps = 0;
    unsigned shifted = 0;

    for (size_t i = 0; i < small->count; i++) {
        const struct item *item = &small->items[i];
        uint32_t place = item->place;
        int64_t difference;

        if (item->type == ROLLCALL_GAP) {
            lost += item->lost;
            gaps++;
            continue;
        }
        if (place < range->begin || place > range->end)
            continue;
        difference = (int64_t)lost - (int64_t)missing[place];
        shifted += difference != 0;
        if (llabs(difference) > SLACK)
            errx(1, "event %zu of the small ring: %llu lost before it, %u are missing", i,
                 (unsigned long long)lost, missing[place]);
    }
    if (lost != missing[witness->count])
        errx(1, "%llu lost, but %u are missing", (unsigned long long)lost, missing[witness->count]);
    if (lost == 0)
        errx(1, "nothing was lost: the test has tested nothing");
    printf("%zu events, %zu delivered, %llu lost in %u gaps, %u beside a shifted gap\n",
           (size_t)(range->end - range->begin), small->count, (unsigned long long)lost, gaps,
           shifted);
    free(missing);
}

void compare_holes(struct events_heard *witnessed, struct events_heard *delivered, pid_t first,
                   pid_t last)
{
    struct range range = find_range(witnessed, first, last);

    number_items(witnessed);
    number_items(delivered);
    match(witnessed, delivered);
    qsort(witnessed->items, witnessed->count, sizeof(*witnessed->items), by_index);
    qsort(delivered->items, delivered->count, sizeof(*delivered->items), by_index);
    compare(witnessed, delivered, &range);
    free(witnessed->items);
    free(delivered->items);
}
