/* SPDX-License-Identifier: MIT */
#include "core/log.h"

#include <string.h>

#define BLOCK_MAX (64u << 10)
#define BASE      sizeof(struct rollcall_event)

/* How many blocks are looked at before the lock is given back. */
#define STEPS_MAX 64u

/* ---- blocks ---- */

/* So that the budget always has several, and what is given up at once is a small part of it. The
 * smallest budget has blocks of a page. */
static size_t block_size(const struct log *log)
{
    uint64_t size = log->budget / 16;

    return size > BLOCK_MAX ? BLOCK_MAX : (size_t)size & ~(size_t)7;
}

static size_t capacity(const struct block *block)
{
    return block->size - sizeof(*block);
}

static size_t space(const struct block *block)
{
    return block ? capacity(block) - block->used : 0;
}

static struct rollcall_event *record_at(struct block *block, size_t offset)
{
    return (void *)((unsigned char *)(block + 1) + offset);
}

static void give_back(struct log *log, struct block *block)
{
    log->used -= block->size;
    log->host->release(log->host->context, block, block->size);
}

/* The first spare block stays first while the others are smaller: it was made for a record. */
static void push_spare(struct log *log, struct block *block)
{
    struct block **place = &log->spare;

    if (*place && block->size < (*place)->size)
        place = &(*place)->next;
    block->next = *place;
    *place = block;
    log->spare_records += capacity(block) / BASE;
}

static struct block *pop_spare(struct log *log)
{
    struct block *block = log->spare;

    log->spare = block->next;
    log->spare_records -= capacity(block) / BASE;
    return block;
}

/* Takes the head out. The cursors go to its successor, or to the first block there will be. */
static struct block *remove_head(struct log *log)
{
    struct block *block = log->head;

    for (size_t i = 0; i < ROLLCALL_CONSUMERS_MAX; i++) {
        struct cursor *cursor = &log->cursors[i];

        if (cursor->block == block) {
            cursor->block = block->next;
            cursor->offset = 0;
        }
        if (cursor->acked == block)
            cursor->acked = block->next;
    }
    log->head = block->next;
    if (!log->head)
        log->tail = NULL;
    return block;
}

/* ---- losing what is old ---- */

/* Numbers of gaps in the block that come after `seq`: these were lost before. */
static uint64_t gaps_after(struct log *log, struct block *block, uint64_t seq)
{
    uint64_t gaps = 0;

    for (size_t at = 0; block->has_gap && at < block->used;) {
        const struct rollcall_event *record = record_at(block, at);
        uint64_t last = record_last_seq(record);

        at += record->size;
        if (record->type != ROLLCALL_GAP)
            continue;
        if (record->flags & ROLLCALL_UNCOUNTED)
            log->uncounted_seq = last;
        if (last > seq)
            gaps += record->seq > seq ? record->lost : last - seq;
    }
    return gaps;
}

static struct block *evict(struct log *log)
{
    struct block *block = log->head;
    uint64_t before = log->released_seq;

    if (before < block->first_seq)
        before = block->first_seq - 1;
    if (before < block->last_seq)
        log->evicted += block->last_seq - before;
    log->evicted -= gaps_after(log, block, before);
    log->evicted_seq = block->last_seq;
    log->evicted_ns = block->last_ns;
    return remove_head(log);
}

static bool can_evict(const struct log *log, uint64_t limit_seq)
{
    return log->head && log->head->last_seq <= limit_seq;
}

/* ---- room ---- */

size_t log_records(const struct log *log)
{
    return space(log->tail) / BASE + log->spare_records;
}

static bool has_room(const struct log *log, size_t size, size_t keep)
{
    const struct block *spare = log->spare;

    if (space(log->tail) >= size)
        return (space(log->tail) - size) / BASE + log->spare_records >= keep;
    if (!spare || capacity(spare) < size)
        return false;
    return (capacity(spare) - size) / BASE + log->spare_records - capacity(spare) / BASE >= keep;
}

/*
 * One more spare block: for the record itself, if that has no room yet. A block that is given up for
 * it takes its place if it is large enough, so that no memory is needed; and the last one stays in
 * any case, as the reserve may have stood in the rest of it.
 */
static enum log_room add_spare(struct log *log, size_t size, uint64_t limit_seq)
{
    bool for_record = space(log->tail) < size && (!log->spare || capacity(log->spare) < size);
    size_t wanted = block_size(log);
    struct block *block;

    if (for_record && wanted < sizeof(*block) + size)
        wanted = sizeof(*block) + size;
    while (log->used + wanted > log->budget && can_evict(log, limit_seq)) {
        block = evict(log);
        if (!for_record || capacity(block) >= size || !log->head) {
            push_spare(log, block);
            return LOG_ROOM;
        }
        give_back(log, block);
    }
    if (log->used + wanted > log->budget)
        return LOG_FULL;
    block = log->host->allocate(log->host->context, wanted);
    if (!block)
        return LOG_FAILED;
    block->size = wanted;
    log->used += wanted;
    push_spare(log, block);
    return LOG_ROOM;
}

enum log_room log_make_room(struct log *log, size_t size, size_t keep, uint64_t limit_seq)
{
    enum log_room room = LOG_ROOM;

    size += log->losses.count * BASE;
    /* Each turn adds a block, so the budget bounds them. */
    while (room == LOG_ROOM && !has_room(log, size, keep))
        room = add_spare(log, size, limit_seq);
    return room;
}

/* ---- appending ---- */

static void link_spare(struct log *log, uint64_t first_seq)
{
    struct block *block = pop_spare(log);

    block->next = NULL;
    block->used = 0;
    block->first_seq = first_seq;
    block->has_gap = false;
    if (log->tail)
        log->tail->next = block;
    else
        log->head = block;
    log->tail = block;
}

static struct rollcall_event *put(struct log *log, const struct rollcall_event *event,
                                  uint32_t size)
{
    struct rollcall_event *record = record_at(log->tail, log->tail->used);

    memcpy(record, event, size);
    record->size = size;
    log->tail->used += size;
    return record;
}

static void put_losses(struct log *log, uint64_t mono_ns)
{
    struct rollcall_event gap;

    for (uint32_t i = 0; i < log->losses.count; i++) {
        loss_record(&log->losses.ranges[i], log->losses.ranges[i].first_seq, &gap);
        gap.mono_ns = mono_ns;
        put(log, &gap, sizeof(gap));
        log->tail->has_gap = true;
    }
    log->losses.count = 0;
}

void log_append(struct log *log, const struct rollcall_event *event, uint32_t size)
{
    struct losses *losses = &log->losses;
    uint64_t seq = log->last_seq + 1;
    struct rollcall_event *record;

    if (space(log->tail) < size + losses->count * BASE)
        link_spare(log, losses->count ? losses->ranges[0].first_seq : seq);
    if (losses->count)
        put_losses(log, event->mono_ns);
    record = put(log, event, size);
    record->seq = seq;
    log->last_seq = record_last_seq(record);
    log->tail->has_gap |= record->type == ROLLCALL_GAP;
    log->tail->last_seq = log->last_seq;
    log->tail->last_ns = event->mono_ns;
}

void log_lose(struct log *log, enum rollcall_reason reason, uint64_t count, uint64_t mono_ns)
{
    struct loss loss = {.first_seq = log->last_seq + 1,
                        .last_seq = log->last_seq + count,
                        .mono_ns = mono_ns,
                        .reason = reason,
                        .flags = reason == ROLLCALL_LOST_INTERRUPTED ? ROLLCALL_UNCOUNTED : 0};

    losses_add(&log->losses, &loss);
    log->last_seq = loss.last_seq;
}

/* ---- giving back ---- */

/* One is kept, so that a log that is emptied as fast as it is filled does not allocate; and what the
 * reserve stands in: the rest of the last block belonged to it. */
static void retire(struct log *log, struct block *block, size_t keep)
{
    bool useful = !log->spare && block->size == block_size(log);

    if (useful || log_records(log) < keep)
        push_spare(log, block);
    else
        give_back(log, block);
}

static bool has_surplus(const struct log *log, size_t keep)
{
    const struct block *spare = log->spare;

    if (!spare)
        return false;
    if (log->used > log->budget)
        return true;
    if (log->spare_records - capacity(spare) / BASE < keep)
        return false;
    return spare->next || spare->size != block_size(log);
}

bool log_trim(struct log *log, uint64_t seq, size_t keep)
{
    if (seq > log->released_seq)
        log->released_seq = seq;
    for (unsigned i = 0; i < STEPS_MAX; i++) {
        if (log->head && log->head->last_seq <= log->released_seq)
            retire(log, remove_head(log), keep);
        else if (has_surplus(log, keep))
            give_back(log, pop_spare(log));
        else if (log->used > log->budget && log->head)
            give_back(log, evict(log));
        else
            return false;
    }
    return true;
}

/* ---- reading ---- */

/* The record with this number. Steps over those before it: few, since `acked` was near. */
static const struct rollcall_event *find(const struct log *log, struct cursor *cursor, uint64_t seq)
{
    struct block *block = cursor->block ? cursor->block : log->head;

    while (block) {
        if (block->next && block->next->first_seq <= seq)
            cursor->offset = block->used;
        for (; cursor->offset < block->used;) {
            const struct rollcall_event *record = record_at(block, cursor->offset);

            cursor->block = block;
            if (record_last_seq(record) >= seq)
                return record;
            cursor->offset += record->size;
        }
        if (!block->next)
            break;
        block = block->next;
        cursor->block = block;
        cursor->offset = 0;
    }
    return NULL;
}

static void evicted_record(const struct log *log, uint64_t seq, struct rollcall_event *gap)
{
    struct loss loss = {.last_seq = log->evicted_seq,
                        .mono_ns = log->head ? record_at(log->head, 0)->mono_ns : log->evicted_ns,
                        .reason = ROLLCALL_LOST_FULL,
                        .flags = seq <= log->uncounted_seq ? ROLLCALL_UNCOUNTED : 0};

    loss_record(&loss, seq, gap);
}

const struct rollcall_event *log_read(const struct log *log, struct cursor *cursor, uint64_t seq,
                                      struct rollcall_event *gap)
{
    const struct rollcall_event *record;

    if (seq > log->last_seq)
        return NULL;
    if (seq <= log->evicted_seq) {
        evicted_record(log, seq, gap);
        return gap;
    }
    record = find(log, cursor, seq);
    if (!record) {
        loss_record(losses_find(&log->losses, seq), seq, gap);
        return gap;
    }
    if (record->seq == seq)
        return record;
    /* A gap of which the beginning was read before it grew. */
    *gap = *record;
    gap->seq = seq;
    gap->lost -= seq - record->seq;
    return gap;
}

void log_rewind(struct cursor *cursor)
{
    cursor->block = cursor->acked;
    cursor->offset = 0;
}

void log_skip_all(const struct log *log, struct cursor *cursor)
{
    cursor->block = log->tail;
    cursor->offset = log->tail ? log->tail->used : 0;
    cursor->acked = log->tail;
}

void log_acknowledged(struct cursor *cursor, uint64_t seq)
{
    if (cursor->block && cursor->block->first_seq <= seq + 1)
        cursor->acked = cursor->block;
    for (unsigned i = 0; i < STEPS_MAX; i++) {
        if (!cursor->acked || !cursor->acked->next || cursor->acked->next->first_seq > seq + 1)
            return;
        cursor->acked = cursor->acked->next;
    }
}

uint64_t log_oldest(const struct log *log)
{
    uint64_t gone = log->evicted_seq > log->released_seq ? log->evicted_seq : log->released_seq;

    return gone + 1;
}

/* ---- beginning and end ---- */

void log_init(struct log *log, const struct engine_host *host, uint64_t budget, uint64_t last_seq)
{
    memset(log, 0, sizeof(*log));
    log->host = host;
    log->budget = budget;
    log->last_seq = last_seq;
    log->released_seq = last_seq;
    log->evicted_seq = last_seq;
}

void log_destroy(struct log *log)
{
    while (log->spare)
        give_back(log, pop_spare(log));
    while (log->head) {
        struct block *next = log->head->next;

        give_back(log, log->head);
        log->head = next;
    }
}
