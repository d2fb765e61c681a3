/* SPDX-License-Identifier: MIT */
#include "core/consumers.h"

#include "core/request.h"

#include <string.h>

/* ---- finding ---- */

struct consumer *consumers_find(struct engine *engine, uint64_t id)
{
    struct consumer *consumer = &engine->consumers[id % ROLLCALL_CONSUMERS_MAX];

    return id != 0 && consumer->id == id ? consumer : NULL;
}

struct consumer *consumers_named(struct engine *engine, const char *name, uint32_t name_size)
{
    for (uint32_t i = 0; i < engine->places; i++) {
        struct consumer *consumer = &engine->consumers[i];

        if (consumer->taken && consumer->name_size == name_size &&
            memcmp(consumer->name, name, name_size) == 0)
            return consumer;
    }
    return NULL;
}

static bool has_consumer(const struct engine *engine, const void *owner)
{
    for (uint32_t i = 0; i < engine->places; i++)
        if (engine->consumers[i].id && engine->consumers[i].owner == owner)
            return true;
    return false;
}

/* ---- what is kept ---- */

bool consumers_acknowledge(struct engine *engine, struct consumer *consumer, uint64_t seq)
{
    if (seq >= consumer->next_seq)
        return false;
    if (seq > consumer->acked_seq) {
        consumer->acked_seq = seq;
        log_acknowledged(engine_cursor(engine, consumer), seq);
    }
    return true;
}

/* While there is no durable consumer the first one that comes must miss nothing. */
static uint64_t acknowledged_by_all(const struct engine *engine)
{
    uint64_t least = LOG_ANY_SEQ;
    bool durable = false;

    for (uint32_t i = 0; i < engine->places; i++) {
        const struct consumer *consumer = &engine->consumers[i];

        if (!consumer->taken)
            continue;
        durable = durable || consumer->name_size;
        if (consumer->acked_seq < least)
            least = consumer->acked_seq;
    }
    return durable ? least : 0;
}

uint64_t consumers_deny_limit(const struct engine *engine)
{
    uint64_t limit = LOG_ANY_SEQ;

    for (uint32_t i = 0; i < engine->places; i++)
        if (engine->consumers[i].deny && engine->consumers[i].acked_seq < limit)
            limit = engine->consumers[i].acked_seq;
    return limit;
}

size_t consumers_reserve_max(const struct engine *engine)
{
    if (consumers_deny_limit(engine) == LOG_ANY_SEQ)
        return 0;
    return (size_t)(engine->options.budget / 2 / sizeof(struct rollcall_event));
}

void consumers_settle(struct engine *engine)
{
    if (engine->reserved > consumers_reserve_max(engine))
        engine->reserved = consumers_reserve_max(engine);
    while (log_trim(&engine->log, acknowledged_by_all(engine), engine->reserved)) {
        engine_unlock(engine);
        engine_lock(engine);
    }
}

/* ---- coming and going ---- */

static struct consumer *free_place(struct engine *engine)
{
    for (uint32_t i = 0; i < ROLLCALL_CONSUMERS_MAX; i++)
        if (!engine->consumers[i].taken) {
            engine->places = i < engine->places ? engine->places : i + 1;
            return &engine->consumers[i];
        }
    return NULL;
}

void consumers_remove(struct engine *engine, struct consumer *consumer)
{
    memset(consumer, 0, sizeof(*consumer));
    memset(engine_cursor(engine, consumer), 0, sizeof(struct cursor));
    while (engine->places && !engine->consumers[engine->places - 1].taken)
        engine->places--;
}

static struct consumer *create(struct engine *engine, const struct rollcall_attach *request)
{
    struct consumer *consumer = free_place(engine);
    bool oldest = request->request.flags & ROLLCALL_ATTACH_OLDEST;

    if (!consumer)
        return NULL;
    consumer->taken = true;
    consumer->acked_seq = oldest ? engine->log.released_seq : engine->log.last_seq;
    if (!oldest)
        log_skip_all(&engine->log, engine_cursor(engine, consumer));
    consumer->told_seq = consumer->acked_seq;
    consumer->name_size = request->name_size;
    memcpy(consumer->name, request->name, sizeof(consumer->name));
    return consumer;
}

/* It begins, again, behind what it has acknowledged. */
static void begin(struct engine *engine, struct consumer *consumer, void *owner, uint32_t pid,
                  unsigned flags)
{
    uint64_t place = (uint64_t)(consumer - engine->consumers);

    consumer->id = ++engine->generation * ROLLCALL_CONSUMERS_MAX + place;
    consumer->owner = owner;
    consumer->pid = pid;
    consumer->pended = false;
    consumer->next_seq = consumer->acked_seq + 1;
    consumer->deny =
        (flags & ROLLCALL_ATTACH_DENY) || (engine->options.deny && consumer->name_size);
}

static enum engine_status attach(struct engine *engine, const struct rollcall_attach *request,
                                 void *owner, uint32_t pid, struct rollcall_attached *attached,
                                 uint64_t *id)
{
    struct consumer *consumer = NULL;

    if (has_consumer(engine, owner))
        return ENGINE_BUSY;
    if (request->name_size)
        consumer = consumers_named(engine, request->name, request->name_size);
    if (consumer && consumer->id)
        return ENGINE_BUSY;
    if (!consumer && (request->request.flags & ROLLCALL_ATTACH_CONTINUE))
        return ENGINE_ABSENT;
    attached->continued = consumer ? 1 : 0;
    if (consumer)
        log_rewind(engine_cursor(engine, consumer));
    else
        consumer = create(engine, request);
    if (!consumer)
        return ENGINE_LIMIT;
    begin(engine, consumer, owner, pid, request->request.flags);
    attached->epoch = engine->options.epoch;
    attached->acked_seq = consumer->acked_seq;
    attached->last_seq = engine->log.last_seq;
    attached->wall_offset_ns = engine->options.wall_offset_ns;
    attached->record_max = engine_record_max(engine);
    *id = consumer->id;
    return ENGINE_OK;
}

enum engine_status engine_attach(struct engine *engine, const void *request, size_t size,
                                 void *owner, uint32_t pid, struct rollcall_attached *attached,
                                 uint64_t *consumer)
{
    struct rollcall_attach checked;
    enum engine_status status;

    if (!request_attach(request, size, &checked))
        return ENGINE_INVALID;
    engine_lock(engine);
    status = attach(engine, &checked, owner, pid, attached, consumer);
    consumers_settle(engine);
    engine_unlock(engine);
    return status;
}

static enum engine_status attach_at(struct engine *engine, uint64_t seq, void *owner, uint32_t pid,
                                    uint64_t *id)
{
    struct consumer *consumer;

    if (seq > engine->log.last_seq)
        return ENGINE_INVALID;
    if (has_consumer(engine, owner))
        return ENGINE_BUSY;
    if (seq + 1 < log_oldest(&engine->log))
        return ENGINE_BEHIND;
    consumer = free_place(engine);
    if (!consumer)
        return ENGINE_LIMIT;
    consumer->taken = true;
    consumer->acked_seq = seq;
    consumer->told_seq = seq;
    if (seq == engine->log.last_seq)
        log_skip_all(&engine->log, engine_cursor(engine, consumer));
    begin(engine, consumer, owner, pid, 0);
    *id = consumer->id;
    return ENGINE_OK;
}

enum engine_status engine_attach_at(struct engine *engine, uint64_t seq, void *owner, uint32_t pid,
                                    uint64_t *consumer)
{
    enum engine_status status;

    engine_lock(engine);
    status = attach_at(engine, seq, owner, pid, consumer);
    engine_unlock(engine);
    return status;
}

void engine_close(struct engine *engine, uint64_t id)
{
    struct consumer *consumer;

    engine_lock(engine);
    consumer = consumers_find(engine, id);
    if (consumer && consumer->name_size) {
        consumer->id = 0;
        consumer->owner = NULL;
        consumer->pid = 0;
        consumer->deny = false;
        consumer->pended = false;
    } else if (consumer) {
        consumers_remove(engine, consumer);
    }
    consumers_settle(engine);
    engine_unlock(engine);
}

enum engine_status engine_detach(struct engine *engine, const void *request, size_t size)
{
    struct rollcall_detach_request checked;
    enum engine_status status = ENGINE_OK;
    struct consumer *consumer;

    if (!request_detach(request, size, &checked))
        return ENGINE_INVALID;
    engine_lock(engine);
    consumer = consumers_named(engine, checked.name, checked.name_size);
    if (!consumer)
        status = ENGINE_ABSENT;
    else if (consumer->id)
        status = ENGINE_BUSY;
    else
        consumers_remove(engine, consumer);
    consumers_settle(engine);
    engine_unlock(engine);
    return status;
}
