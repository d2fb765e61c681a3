/* SPDX-License-Identifier: MIT */
#include "tests/core/model.h"

#include "core/losses.h"
#include "tests/core/check.h"
#include "tests/core/host.h"

#include <string.h>

#define BASE ((uint32_t)sizeof(struct rollcall_event))

void model_init(struct model *model, const struct engine_options *options)
{
    memset(model, 0, sizeof(*model));
    model->options = *options;
}

void model_destroy(struct model *model)
{
    free(model->items);
}

uint32_t model_record_max(const struct model *model)
{
    uint64_t quarter = model->options.budget / 4;

    return quarter < model->options.record_max ? (uint32_t)quarter : model->options.record_max;
}

uint64_t model_deny_limit(const struct model *model)
{
    uint64_t limit = MODEL_NONE;

    for (unsigned i = 0; i < ROLLCALL_CONSUMERS_MAX; i++)
        if (model->places[i].deny && model->places[i].acked_seq < limit)
            limit = model->places[i].acked_seq;
    return limit;
}

uint64_t model_living_after(const struct model *model, enum rollcall_type type)
{
    if (type == ROLLCALL_CREATE || type == ROLLCALL_EXISTS)
        return model->living + 1;
    return type == ROLLCALL_EXIT && model->living ? model->living - 1 : model->living;
}

/* ---- the list ---- */

static struct item *add(struct model *model)
{
    struct item *item;

    if (model->count == model->room) {
        model->room = model->room ? 2 * model->room : 256;
        model->items = realloc(model->items, model->room * sizeof(*model->items));
    }
    CHECK(model->items);
    item = &model->items[model->count++];
    memset(item, 0, sizeof(*item));
    return item;
}

static uint32_t bytes_of(const struct item *item)
{
    return item->size ? item->size : BASE;
}

/* Where the item with this number is, or the last one before it. */
static size_t find(const struct model *model, uint64_t seq)
{
    size_t low = 0;
    size_t high = model->count;

    while (low + 1 < high) {
        size_t middle = (low + high) / 2;

        if (model->items[middle].first_seq <= seq)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void model_keep(struct model *model, enum rollcall_type type, uint32_t pid, uint32_t size,
                uint32_t kept)
{
    uint64_t mono_ns = event_mono_ns(pid);
    struct item *item;

    /* A gap tells when the first event after it was. */
    for (; model->open > 0; model->open--)
        model->items[model->count - model->open].mono_ns = mono_ns;
    item = add(model);
    item->first_seq = item->last_seq = ++model->last_seq;
    item->mono_ns = mono_ns;
    item->type = type;
    item->pid = pid;
    item->size = kept;
    model->kept_bytes += kept;
    if (kept < size)
        model->texts_cut++;
}

void model_lose(struct model *model, enum rollcall_reason reason, uint64_t count, uint64_t mono_ns)
{
    uint32_t flags = reason == ROLLCALL_LOST_INTERRUPTED ? ROLLCALL_UNCOUNTED : 0;
    struct item *item = model->open ? &model->items[model->count - 1] : NULL;

    if (!item ||
        (model->open < LOSSES_MAX && (item->reason != (uint32_t)reason || item->flags != flags))) {
        item = add(model);
        item->first_seq = model->last_seq + 1;
        item->reason = reason;
        model->open++;
        model->kept_bytes += BASE;
    }
    item->flags |= flags;
    item->last_seq = model->last_seq + count;
    item->mono_ns = mono_ns;
    model->last_seq += count;
    model->lost[reason] += count;
}

void model_give_up(struct model *model, uint64_t gone_seq)
{
    for (size_t i = find(model, model->gone_seq + 1); i < model->count; i++) {
        const struct item *item = &model->items[i];

        if (item->last_seq > gone_seq)
            break;
        if (item->last_seq <= model->gone_seq)
            continue;
        model->kept_bytes -= bytes_of(item);
        if (item->size && item->first_seq > model->released_seq) {
            model->lost[ROLLCALL_LOST_FULL]++;
            model->given_up++;
        }
    }
    model->gone_seq = gone_seq;
}

/* ---- consumers ---- */

struct place *model_of_owner(struct model *model, unsigned owner)
{
    for (unsigned i = 0; i < ROLLCALL_CONSUMERS_MAX; i++)
        if (model->places[i].id && model->places[i].owner == owner)
            return &model->places[i];
    return NULL;
}

struct place *model_named(struct model *model, const char *name)
{
    for (unsigned i = 0; i < ROLLCALL_CONSUMERS_MAX; i++)
        if (name[0] && model->places[i].taken && strcmp(model->places[i].name, name) == 0)
            return &model->places[i];
    return NULL;
}

/* While nobody is durable the first who is must get all that there is. */
static void release(struct model *model)
{
    uint64_t least = MODEL_NONE;
    bool durable = false;

    for (unsigned i = 0; i < ROLLCALL_CONSUMERS_MAX; i++) {
        const struct place *place = &model->places[i];

        durable = durable || (place->taken && place->name[0]);
        if (place->taken && place->acked_seq < least)
            least = place->acked_seq;
    }
    if (durable && least > model->released_seq)
        model->released_seq = least;
}

static struct place *create(struct model *model, const char *name, bool oldest)
{
    for (unsigned i = 0; i < ROLLCALL_CONSUMERS_MAX; i++) {
        struct place *place = &model->places[i];

        if (place->taken)
            continue;
        place->taken = true;
        place->acked_seq = oldest ? model->released_seq : model->last_seq;
        place->told_seq = place->acked_seq;
        memcpy(place->name, name, strlen(name) + 1);
        return place;
    }
    return NULL;
}

enum engine_status model_attach(struct model *model, unsigned owner, const char *name,
                                unsigned flags, uint32_t pid, struct rollcall_attached *attached)
{
    struct place *place = model_named(model, name);
    bool continued = place;

    if (model_of_owner(model, owner) || (place && place->id))
        return ENGINE_BUSY;
    if (!place && (flags & ROLLCALL_ATTACH_CONTINUE))
        return ENGINE_ABSENT;
    if (!place)
        place = create(model, name, flags & ROLLCALL_ATTACH_OLDEST);
    if (!place)
        return ENGINE_LIMIT;
    place->id = MODEL_NONE;
    place->owner = owner;
    place->pid = pid;
    place->next_seq = place->acked_seq + 1;
    place->deny = (flags & ROLLCALL_ATTACH_DENY) || (model->options.deny && name[0]);
    memset(attached, 0, sizeof(*attached));
    attached->epoch = model->options.epoch;
    attached->acked_seq = place->acked_seq;
    attached->last_seq = model->last_seq;
    attached->wall_offset_ns = model->options.wall_offset_ns;
    attached->record_max = model_record_max(model);
    attached->continued = continued;
    release(model);
    return ENGINE_OK;
}

void model_close(struct model *model, unsigned owner)
{
    struct place *place = model_of_owner(model, owner);

    if (!place)
        return;
    if (!place->name[0])
        memset(place, 0, sizeof(*place));
    place->id = 0;
    place->pid = 0;
    place->deny = false;
    release(model);
}

enum engine_status model_detach(struct model *model, const char *name)
{
    struct place *place = model_named(model, name);

    if (!place)
        return ENGINE_ABSENT;
    if (place->id)
        return ENGINE_BUSY;
    memset(place, 0, sizeof(*place));
    release(model);
    return ENGINE_OK;
}

enum engine_status model_acknowledge(struct model *model, struct place *place, uint64_t seq)
{
    if (!place)
        return ENGINE_CLOSED;
    if (seq >= place->next_seq)
        return ENGINE_INVALID;
    if (seq > place->acked_seq)
        place->acked_seq = seq;
    release(model);
    return ENGINE_OK;
}

/* ---- what a consumer is given ---- */

/* How many there were is not known if that is so for any of them. */
static uint32_t flags_of_gone(const struct model *model, uint64_t seq)
{
    for (size_t i = find(model, seq); i < model->count; i++) {
        if (model->items[i].first_seq > model->gone_seq)
            return 0;
        if (model->items[i].flags & ROLLCALL_UNCOUNTED)
            return ROLLCALL_UNCOUNTED;
    }
    return 0;
}

/* When the first event was that is kept; if none is, the last that was. */
static uint64_t first_kept_ns(const struct model *model)
{
    size_t events = model->count - model->open;
    size_t first = find(model, model->gone_seq + 1);

    return model->items[first < events ? first : events - 1].mono_ns;
}

/* What a consumer finds whose next number is `seq`. */
static struct item item_from(const struct model *model, uint64_t seq)
{
    struct item item = model->items[find(model, seq)];

    if (seq <= model->gone_seq) {
        memset(&item, 0, sizeof(item));
        item.last_seq = model->gone_seq;
        item.mono_ns = first_kept_ns(model);
        item.reason = ROLLCALL_LOST_FULL;
        item.flags = flags_of_gone(model, seq);
    }
    item.first_seq = seq;
    return item;
}

static void write_record(const struct item *item, void *memory)
{
    struct rollcall_event *event = memory;

    make_event(memory, item->size ? item->type : ROLLCALL_GAP, item->pid, bytes_of(item));
    event->seq = item->first_seq;
    if (item->size)
        return;
    event->mono_ns = item->mono_ns;
    event->flags = item->flags;
    event->reason = item->reason;
    event->lost = item->last_seq - item->first_seq + 1;
}

static void take(struct place *place, const struct item *item)
{
    uint64_t told = place->told_seq >= item->first_seq ? place->told_seq : item->first_seq - 1;

    if (item->size == 0 && item->last_seq > place->told_seq) {
        place->lost += item->last_seq - told;
        place->told_seq = item->last_seq;
    }
    place->next_seq = item->last_seq + 1;
}

enum engine_status model_fill(struct model *model, struct place *place, size_t room, void *buffer,
                              size_t *bytes)
{
    struct rollcall_reply *reply = buffer;
    unsigned char *records = (void *)(reply + 1);
    size_t needed = 0;

    *bytes = 0;
    if (room < sizeof(*reply))
        return ENGINE_TOO_SMALL;
    room -= sizeof(*reply);
    if (room > ROLLCALL_REPLY_MAX)
        room = ROLLCALL_REPLY_MAX;
    memset(reply, 0, sizeof(*reply));
    reply->epoch = model->options.epoch;
    reply->first_seq = place->next_seq;
    while (place->next_seq <= model->last_seq) {
        struct item item = item_from(model, place->next_seq);

        needed = bytes_of(&item);
        if (reply->size + needed > room)
            break;
        write_record(&item, records + reply->size);
        reply->size += (uint32_t)needed;
        reply->count++;
        take(place, &item);
    }
    *bytes = sizeof(*reply) + reply->size;
    reply->last_seq = place->next_seq - 1;
    if (reply->count)
        return ENGINE_OK;
    reply->size = (uint32_t)needed;
    return needed ? ENGINE_TOO_SMALL : ENGINE_NOTHING;
}

enum engine_status model_ready(const struct model *model, const struct place *place, size_t room,
                               void *buffer, size_t *bytes)
{
    struct rollcall_ready ready = {.next_seq = place->next_seq, .last_seq = model->last_seq};

    *bytes = room < sizeof(ready) ? 0 : sizeof(ready);
    memcpy(buffer, &ready, *bytes);
    return *bytes ? ENGINE_OK : ENGINE_TOO_SMALL;
}
