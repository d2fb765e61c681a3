/* SPDX-License-Identifier: MIT */
/* The state of the engine. All of it is guarded by the host's lock. */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include "core/engine.h"
#include "core/log.h"

struct consumer {
    uint64_t id; /* by which its owner calls it; 0: nobody has it */
    bool taken;  /* the place is */
    bool deny;   /* it holds the policy */
    bool pended; /* its queue may not be empty */
    void *owner;
    uint64_t acked_seq;
    uint64_t next_seq; /* the next to be delivered */
    uint64_t told_seq; /* losses up to it have been counted in `lost` */
    uint64_t lost;
    uint32_t pid;
    uint32_t name_size; /* 0: ephemeral */
    char name[ROLLCALL_CONSUMER_NAME];
};

struct engine {
    struct engine_host host;
    struct engine_options options; /* budget and record_max as they are configured now */
    struct log log;
    uint64_t lost[ROLLCALL_REASONS]; /* never kept; what was evicted is counted by the log */
    uint64_t denied;
    uint64_t texts_cut;
    uint64_t living; /* processes of which an exit will come */
    size_t reserved; /* records that have their room in the log: see post.c */
    uint64_t generation;
    uint32_t places; /* no consumer is at this place or behind it */
    struct consumer consumers[ROLLCALL_CONSUMERS_MAX];
};

static inline void engine_lock(const struct engine *engine)
{
    engine->host.lock(engine->host.context);
}

static inline void engine_unlock(const struct engine *engine)
{
    engine->host.unlock(engine->host.context);
}

static inline struct cursor *engine_cursor(struct engine *engine, const struct consumer *consumer)
{
    return &engine->log.cursors[consumer - engine->consumers];
}

static inline uint32_t engine_record_max(const struct engine *engine)
{
    uint64_t most = engine->options.budget / 4;

    return engine->options.record_max < most ? engine->options.record_max : (uint32_t)most;
}

#endif
