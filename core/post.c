/* SPDX-License-Identifier: MIT */
/* Events into the log, and what the policy `deny` lets in. */
#include "core/consumers.h"
#include "core/deliver.h"

#include <string.h>

#define BASE_SIZE ((uint32_t)sizeof(struct rollcall_event))

/* What is given up for an event, and what is not. */
struct terms {
    size_t keep;        /* room for so many records is left afterwards */
    uint64_t limit_seq; /* nothing newer is given up */
};

static uint64_t living_after(const struct engine *engine, const struct rollcall_event *event)
{
    if (event->type == ROLLCALL_CREATE || event->type == ROLLCALL_EXISTS)
        return engine->living + 1;
    if (event->type == ROLLCALL_EXIT && engine->living)
        return engine->living - 1;
    return engine->living;
}

static uint32_t size_of(const struct engine *engine, const struct rollcall_event *event)
{
    return event->size > engine_record_max(engine) ? BASE_SIZE : event->size;
}

static enum log_room make_room(struct engine *engine, const struct terms *terms, uint32_t size)
{
    return log_make_room(&engine->log, size, terms->keep, terms->limit_seq);
}

/* Without its strings where there is only room for that. */
static enum log_room make_room_or_cut(struct engine *engine, const struct terms *terms,
                                      uint32_t *size)
{
    enum log_room room = make_room(engine, terms, *size);

    if (room == LOG_ROOM || *size == BASE_SIZE)
        return room;
    *size = BASE_SIZE;
    return make_room(engine, terms, BASE_SIZE);
}

/*
 * While somebody holds the policy `deny`, `reserved` is how many records have their room: one for
 * the exit of each process, and the gaps that may have to stand before one. Each event first tries
 * to go in at no cost to the holders, and to bring the reserve up to date. When that fails
 * - a process that may be refused is refused, if cutting its strings does not help either;
 * - an exit takes what was reserved for it;
 * - what else there is goes in at the cost of what is old, but not at that of the reserve.
 */
static enum log_room room_for(struct engine *engine, const struct rollcall_event *event,
                              bool refusable, uint32_t *size)
{
    struct terms terms = {.limit_seq = consumers_deny_limit(engine)};
    size_t there = log_records(&engine->log);
    enum log_room room;

    if (terms.limit_seq == LOG_ANY_SEQ)
        return make_room_or_cut(engine, &terms, size);
    terms.keep = (size_t)living_after(engine, event) + LOSSES_MAX;
    if (terms.keep > consumers_reserve_max(engine))
        room = LOG_FULL;
    else if (refusable)
        room = make_room_or_cut(engine, &terms, size);
    else
        room = make_room(engine, &terms, *size);
    if (room == LOG_ROOM)
        engine->reserved = terms.keep;
    if (room == LOG_ROOM || refusable)
        return room;
    terms.limit_seq = LOG_ANY_SEQ;
    terms.keep = engine->reserved < there ? engine->reserved : there;
    if (event->type == ROLLCALL_EXIT) {
        *size = BASE_SIZE;
        terms.keep = 0;
        engine->reserved -= engine->reserved ? 1 : 0;
    }
    return make_room_or_cut(engine, &terms, size);
}

/* Who made the record may have cut its strings already, and says so in them. */
static bool has_cut_text(const struct rollcall_event *event)
{
    size_t at = sizeof(*event);

    while (at + sizeof(struct rollcall_text) <= event->size) {
        struct rollcall_text text;

        memcpy(&text, (const unsigned char *)event + at, sizeof(text));
        if (text.flags & ROLLCALL_TEXT_CUT)
            return true;
        at += sizeof(text) + ROLLCALL_ALIGN(text.size);
    }
    return false;
}

static void keep(struct engine *engine, const struct rollcall_event *event, uint32_t size)
{
    if (size < event->size || has_cut_text(event))
        engine->texts_cut++;
    log_append(&engine->log, event, size);
    engine->living = living_after(engine, event);
}

static void lose(struct engine *engine, const struct rollcall_event *event, enum log_room room)
{
    enum rollcall_reason reason = room == LOG_FULL ? ROLLCALL_LOST_FULL : ROLLCALL_LOST_FAILED;

    log_lose(&engine->log, reason, 1, event->mono_ns);
    engine->lost[reason]++;
    engine->living = living_after(engine, event);
}

uint32_t engine_record_limit(struct engine *engine)
{
    uint32_t limit;

    engine_lock(engine);
    limit = engine_record_max(engine);
    engine_unlock(engine);
    return limit;
}

enum engine_status engine_post(struct engine *engine, const struct rollcall_event *event)
{
    enum log_room room;
    uint32_t size;

    engine_lock(engine);
    size = size_of(engine, event);
    room = room_for(engine, event, false, &size);
    if (room == LOG_ROOM)
        keep(engine, event, size);
    else
        lose(engine, event, room);
    deliver_all_and_unlock(engine);
    return room == LOG_ROOM ? ENGINE_OK : ENGINE_LOST;
}

enum engine_status engine_post_create(struct engine *engine, const struct rollcall_event *event)
{
    enum engine_status status = ENGINE_OK;
    enum log_room room;
    uint32_t size;

    engine_lock(engine);
    size = size_of(engine, event);
    room = room_for(engine, event, true, &size);
    if (room == LOG_ROOM) {
        keep(engine, event, size);
    } else if (consumers_deny_limit(engine) != LOG_ANY_SEQ) {
        engine->denied++;
        status = ENGINE_REFUSED;
    } else {
        lose(engine, event, room);
        status = ENGINE_LOST;
    }
    deliver_all_and_unlock(engine);
    return status;
}

void engine_forget(struct engine *engine)
{
    engine_lock(engine);
    if (engine->living)
        engine->living--;
    engine_unlock(engine);
}

/* ---- events that have their numbers ---- */

/* How many are posted before those who wait are served. */
#define POSTS_MAX 64u

static enum engine_status post_next(struct engine *engine, const struct rollcall_event *event)
{
    const struct terms terms = {.limit_seq = LOG_ANY_SEQ};
    uint32_t size = size_of(engine, event);

    if (record_last_seq(event) <= engine->log.last_seq)
        return ENGINE_OK;
    if (event->seq != engine->log.last_seq + 1)
        return ENGINE_INVALID;
    /* It has its number: to lose it would be a gap that the archive does not have. */
    if (make_room_or_cut(engine, &terms, &size) != LOG_ROOM)
        return ENGINE_NO_MEMORY;
    keep(engine, event, size);
    if (event->type == ROLLCALL_GAP && event->reason < ROLLCALL_REASONS)
        engine->lost[event->reason] += event->lost;
    return ENGINE_OK;
}

enum engine_status engine_post_numbered(struct engine *engine, const void *records, size_t size,
                                        size_t *posted)
{
    enum engine_status status = ENGINE_OK;

    *posted = 0;
    while (status == ENGINE_OK && *posted < size) {
        engine_lock(engine);
        for (unsigned i = 0; i < POSTS_MAX && *posted < size; i++) {
            const struct rollcall_event *event =
                (const void *)((const unsigned char *)records + *posted);

            status = post_next(engine, event);
            if (status != ENGINE_OK)
                break;
            *posted += event->size;
        }
        deliver_all_and_unlock(engine);
    }
    return status;
}

void engine_post_lost(struct engine *engine, enum rollcall_reason reason, uint64_t lost,
                      uint64_t mono_ns)
{
    if (lost == 0)
        return;
    engine_lock(engine);
    log_lose(&engine->log, reason, lost, mono_ns);
    engine->lost[reason] += lost;
    deliver_all_and_unlock(engine);
}
