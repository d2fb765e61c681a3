/* SPDX-License-Identifier: MIT */
#include "core/consumers.h"
#include "core/deliver.h"
#include "core/request.h"

#include <string.h>

static bool options_valid(const struct engine_options *options)
{
    return options->budget >= ROLLCALL_BUDGET_MIN && options->budget <= ROLLCALL_BUDGET_MAX &&
           options->record_max >= ROLLCALL_RECORD_MIN && options->record_max <= ROLLCALL_RECORD_MAX;
}

enum engine_status engine_create(const struct engine_host *host,
                                 const struct engine_options *options, struct engine **out)
{
    struct engine *engine;

    if (!options_valid(options))
        return ENGINE_INVALID;
    engine = host->allocate(host->context, sizeof(*engine));
    if (!engine)
        return ENGINE_NO_MEMORY;
    memset(engine, 0, sizeof(*engine));
    engine->host = *host;
    engine->options = *options;
    log_init(&engine->log, &engine->host, options->budget, options->last_seq);
    *out = engine;
    return ENGINE_OK;
}

void engine_destroy(struct engine *engine)
{
    struct engine_host host;

    if (!engine)
        return;
    host = engine->host;
    log_destroy(&engine->log);
    host.release(host.context, engine, sizeof(*engine));
}

/* ---- requests ---- */

/* Finds the consumer, and acknowledges. The lock is held. */
static enum engine_status acknowledge(struct engine *engine, uint64_t id, uint64_t seq,
                                      struct consumer **consumer)
{
    *consumer = consumers_find(engine, id);
    if (!*consumer)
        return ENGINE_CLOSED;
    return consumers_acknowledge(engine, *consumer, seq) ? ENGINE_OK : ENGINE_INVALID;
}

static enum engine_status acknowledge_only(struct engine *engine, uint64_t id, uint64_t seq)
{
    struct consumer *consumer;
    enum engine_status status;

    engine_lock(engine);
    status = acknowledge(engine, id, seq, &consumer);
    if (status == ENGINE_OK && seq)
        consumers_settle(engine);
    engine_unlock(engine);
    return status;
}

enum engine_status engine_fetch(struct engine *engine, uint64_t id, const void *request,
                                size_t size)
{
    struct rollcall_fetch fetch;

    if (!request_fetch(request, size, &fetch))
        return ENGINE_INVALID;
    return acknowledge_only(engine, id, fetch.acked_seq);
}

enum engine_status engine_acknowledge(struct engine *engine, uint64_t id, const void *request,
                                      size_t size)
{
    struct rollcall_acknowledge checked;

    if (!request_acknowledge(request, size, &checked))
        return ENGINE_INVALID;
    return acknowledge_only(engine, id, checked.acked_seq);
}

enum engine_status engine_wait(struct engine *engine, uint64_t id, const void *request, size_t size)
{
    if (!request_plain(request, size))
        return ENGINE_INVALID;
    return acknowledge_only(engine, id, 0);
}

enum engine_status engine_match(struct engine *engine, uint64_t id)
{
    struct completions done = {.count = 0};
    struct consumer *consumer;

    engine_lock(engine);
    consumer = consumers_find(engine, id);
    if (consumer) {
        consumer->pended = true;
        deliver_match(engine, consumer, &done);
    }
    engine_unlock(engine);
    deliver_complete(engine, &done);
    return consumer ? ENGINE_OK : ENGINE_CLOSED;
}

enum engine_status engine_drain(struct engine *engine, uint64_t id, const void *request,
                                size_t size, void *buffer, size_t room, size_t *bytes)
{
    struct rollcall_fetch fetch;
    struct consumer *consumer;
    enum engine_status status;

    *bytes = 0;
    if (!request_fetch(request, size, &fetch))
        return ENGINE_INVALID;
    engine_lock(engine);
    status = acknowledge(engine, id, fetch.acked_seq, &consumer);
    if (status == ENGINE_OK) {
        status = deliver_behind(engine, consumer)
                     ? ENGINE_BEHIND
                     : deliver_fill(engine, consumer, buffer, room, bytes);
        consumers_settle(engine);
    }
    engine_unlock(engine);
    return status;
}

/* ---- configuration and statistics ---- */

enum engine_status engine_configure(struct engine *engine, const void *request, size_t size)
{
    struct rollcall_configure checked;

    if (!request_configure(request, size, &checked))
        return ENGINE_INVALID;
    engine_lock(engine);
    if (checked.request.flags & ROLLCALL_CONFIGURE_BUDGET)
        engine->options.budget = checked.budget;
    if (checked.request.flags & ROLLCALL_CONFIGURE_RECORD)
        engine->options.record_max = checked.record_max;
    engine->log.budget = engine->options.budget;
    consumers_settle(engine);
    engine_unlock(engine);
    return ENGINE_OK;
}

static void fill_engine_stats(const struct engine *engine, struct rollcall_engine_stats *stats)
{
    const struct log *log = &engine->log;

    memset(stats, 0, sizeof(*stats));
    stats->epoch = engine->options.epoch;
    stats->attached_ns = engine->options.attached_ns;
    stats->oldest_seq = log_oldest(log) <= log->last_seq ? log_oldest(log) : 0;
    stats->last_seq = log->last_seq;
    memcpy(stats->lost, engine->lost, sizeof(stats->lost));
    if (!engine->host.behind)
        stats->lost[ROLLCALL_LOST_FULL] += log->evicted;
    stats->denied = engine->denied;
    stats->texts_cut = engine->texts_cut;
    stats->budget = log->budget;
    stats->used = log->used;
    stats->record_max = engine_record_max(engine);
    stats->deny = consumers_deny_limit(engine) != LOG_ANY_SEQ;
}

static void fill_consumer_stats(const struct engine *engine, const struct consumer *consumer,
                                struct rollcall_consumer_stats *stats)
{
    const struct engine_host *host = &engine->host;

    memset(stats, 0, sizeof(*stats));
    stats->acked_seq = consumer->acked_seq;
    stats->delivered_seq = consumer->id ? consumer->next_seq - 1 : consumer->acked_seq;
    stats->lost = consumer->lost;
    if (consumer->id && host->pended)
        stats->pended = host->pended(host->context, consumer->owner);
    stats->pid = consumer->pid;
    stats->name_size = consumer->name_size;
    stats->deny = consumer->deny;
    memcpy(stats->name, consumer->name, sizeof(stats->name));
}

enum engine_status engine_stats(struct engine *engine, const void *request, size_t size,
                                void *buffer, size_t room, size_t *bytes)
{
    struct rollcall_engine_stats stats;

    *bytes = 0;
    if (!request_plain(request, size))
        return ENGINE_INVALID;
    if (room < sizeof(stats))
        return ENGINE_TOO_SMALL;
    *bytes = sizeof(stats);
    engine_lock(engine);
    fill_engine_stats(engine, &stats);
    for (uint32_t i = 0; i < engine->places; i++) {
        struct rollcall_consumer_stats one;

        if (!engine->consumers[i].taken)
            continue;
        stats.consumers++;
        if (room - *bytes < sizeof(one))
            continue;
        fill_consumer_stats(engine, &engine->consumers[i], &one);
        memcpy((unsigned char *)buffer + *bytes, &one, sizeof(one));
        *bytes += sizeof(one);
        stats.given++;
    }
    engine_unlock(engine);
    memcpy(buffer, &stats, sizeof(stats));
    return ENGINE_OK;
}
