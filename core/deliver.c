/* SPDX-License-Identifier: MIT */
/*
 * Why no request waits while there is something for it. A request is in its queue before
 * engine_match() is called for it, and `pended` is set and the queue is looked at in one critical
 * section; so is an event appended and the consumers with `pended` looked at. Whichever comes
 * second sees the other. `pended` is cleared only by who finds the queue empty, and with the lock
 * held: a request that comes into the queue afterwards has its engine_match() still before it.
 *
 * Why it ends once: who takes it out of the queue is the only one to have it.
 */
#include "core/deliver.h"

#include "core/consumers.h"

#include <string.h>

/* What one critical section copies, about. */
#define BYTES_MAX ROLLCALL_REPLY_MAX

static bool has_something(const struct engine *engine, const struct consumer *consumer)
{
    return consumer->next_seq <= engine->log.last_seq;
}

bool deliver_behind(struct engine *engine, struct consumer *consumer)
{
    const struct engine_host *host = &engine->host;

    if (!host->behind || consumer->next_seq > engine->log.evicted_seq)
        return false;
    /* Nothing more is taken from its queue, as the host does so now. */
    consumer->pended = false;
    host->behind(host->context, consumer->owner, consumer->next_seq);
    return true;
}

/* ---- filling ---- */

static void deliver_record(struct consumer *consumer, const struct rollcall_event *record)
{
    uint64_t last = record_last_seq(record);

    if (record->type == ROLLCALL_GAP && last > consumer->told_seq) {
        uint64_t told = consumer->told_seq >= record->seq ? consumer->told_seq : record->seq - 1;

        consumer->lost += last - told;
        consumer->told_seq = last;
    }
    consumer->next_seq = last + 1;
}

enum engine_status deliver_fill(struct engine *engine, struct consumer *consumer, void *buffer,
                                size_t room, size_t *bytes)
{
    struct rollcall_reply reply = {.epoch = engine->options.epoch, .first_seq = consumer->next_seq};
    unsigned char *records = (unsigned char *)buffer + sizeof(reply);
    const struct rollcall_event *record;
    enum engine_status status = ENGINE_NOTHING;
    struct rollcall_event gap;
    size_t size = 0;

    *bytes = 0;
    if (room < sizeof(reply))
        return ENGINE_TOO_SMALL;
    room -= sizeof(reply);
    if (room > ROLLCALL_REPLY_MAX)
        room = ROLLCALL_REPLY_MAX;
    while ((record = log_read(&engine->log, engine_cursor(engine, consumer), consumer->next_seq,
                              &gap))) {
        if (record->size > room - size)
            break;
        memcpy(records + size, record, record->size);
        size += record->size;
        deliver_record(consumer, record);
        reply.count++;
        status = ENGINE_OK;
    }
    if (record && reply.count == 0) {
        status = ENGINE_TOO_SMALL;
        reply.size = record->size;
    } else {
        reply.size = (uint32_t)size;
    }
    reply.last_seq = consumer->next_seq - 1;
    memcpy(buffer, &reply, sizeof(reply));
    *bytes = sizeof(reply) + size;
    return status;
}

static enum engine_status fill_ready(const struct engine *engine, const struct consumer *consumer,
                                     void *buffer, size_t room, size_t *bytes)
{
    struct rollcall_ready ready = {.next_seq = consumer->next_seq,
                                   .last_seq = engine->log.last_seq};

    *bytes = 0;
    if (room < sizeof(ready))
        return ENGINE_TOO_SMALL;
    memcpy(buffer, &ready, sizeof(ready));
    *bytes = sizeof(ready);
    return ENGINE_OK;
}

/* ---- matching ---- */

void deliver_complete(const struct engine *engine, struct completions *done)
{
    for (unsigned i = 0; i < done->count; i++)
        engine->host.complete(engine->host.context, &done->list[i].request, done->list[i].status,
                              done->list[i].bytes);
    done->count = 0;
    done->bytes = 0;
}

static bool take(struct engine *engine, struct consumer *consumer, struct completion *one)
{
    if (!engine->host.take(engine->host.context, consumer->owner, &one->request)) {
        consumer->pended = false;
        return false;
    }
    if (one->request.wait)
        one->status =
            fill_ready(engine, consumer, one->request.buffer, one->request.size, &one->bytes);
    else
        one->status =
            deliver_fill(engine, consumer, one->request.buffer, one->request.size, &one->bytes);
    return true;
}

void deliver_match(struct engine *engine, struct consumer *consumer, struct completions *done)
{
    for (unsigned i = 0; i < ROLLCALL_PENDED_MAX; i++) {
        if (done->count == ENGINE_TAKEN_MAX || done->bytes >= BYTES_MAX) {
            engine_unlock(engine);
            deliver_complete(engine, done);
            engine_lock(engine);
        }
        /* Who closes it meanwhile clears `pended`. */
        if (!consumer->pended || !has_something(engine, consumer) ||
            deliver_behind(engine, consumer))
            return;
        if (!take(engine, consumer, &done->list[done->count]))
            return;
        done->bytes += done->list[done->count++].bytes;
    }
}

void deliver_all_and_unlock(struct engine *engine)
{
    struct completions done;

    done.count = 0;
    done.bytes = 0;
    for (uint32_t i = 0; i < engine->places; i++)
        if (engine->consumers[i].pended)
            deliver_match(engine, &engine->consumers[i], &done);
    engine_unlock(engine);
    deliver_complete(engine, &done);
}
