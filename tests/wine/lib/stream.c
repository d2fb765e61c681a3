/* SPDX-License-Identifier: MIT */
#include "tests/wine/lib/stream.h"

#include <stdlib.h>
#include <string.h>

#define ROOM (sizeof(struct rollcall_reply) + ROLLCALL_REPLY_MAX)

/* ---- coming and going ---- */

DWORD stream_try(struct stream *stream, const char *name, unsigned flags)
{
    DWORD error;

    memset(stream, 0, sizeof(*stream));
    stream->device = driver_open();
    error = ask_attach(stream->device, name, flags, &stream->attached);
    if (error != 0)
        CloseHandle(stream->device);
    stream->next_seq = stream->attached.acked_seq + 1;
    return error;
}

void stream_open(struct stream *stream, const char *name, unsigned flags)
{
    DWORD error = stream_try(stream, name, flags);

    if (error != 0)
        die("'%s' cannot be attached: %lu", name, error);
}

void stream_close(struct stream *stream)
{
    CloseHandle(stream->device);
    free(stream->records);
    memset(stream, 0, sizeof(*stream));
}

/* ---- reading ---- */

static void check_record(const struct stream *stream, const struct rollcall_event *event,
                         size_t room)
{
    if (!rollcall_event_valid(event, room))
        die("the record after event %llu is damaged", (unsigned long long)stream->next_seq - 1);
    if (event->seq != stream->next_seq)
        die("event %llu stands where %llu should", (unsigned long long)event->seq,
            (unsigned long long)stream->next_seq);
    if (event->type == ROLLCALL_GAP && (event->lost == 0 || event->flags != 0))
        die("a gap of %llu, flags %x", (unsigned long long)event->lost, event->flags);
}

static void keep(struct stream *stream, const void *records, size_t size)
{
    if (stream->room - stream->size < size) {
        stream->room = 2 * stream->room + size + 65536;
        stream->records = realloc(stream->records, stream->room);
        if (stream->records == NULL)
            die("no memory");
    }
    memcpy(stream->records + stream->size, records, size);
    stream->size += size;
}

void stream_take(struct stream *stream, const struct rollcall_reply *reply)
{
    const uint8_t *records = (const uint8_t *)(reply + 1);
    uint32_t count = 0;
    size_t at = 0;

    CHECK(reply->epoch == stream->attached.epoch, "another epoch");
    CHECK(reply->first_seq == stream->next_seq, "%llu, not %llu",
          (unsigned long long)reply->first_seq, (unsigned long long)stream->next_seq);
    for (; at < reply->size; count++) {
        const struct rollcall_event *event = (const void *)(records + at);

        check_record(stream, event, reply->size - at);
        stream->lost += event->type == ROLLCALL_GAP ? event->lost : 0;
        stream->next_seq = rollcall_event_last_seq(event) + 1;
        at += event->size;
    }
    CHECK(count == reply->count, "%u records, not %u", count, reply->count);
    CHECK(reply->last_seq == stream->next_seq - 1, "last is %llu",
          (unsigned long long)reply->last_seq);
    keep(stream, records, reply->size);
    stream->count += count;
}

DWORD stream_drain(struct stream *stream, size_t room)
{
    static _Thread_local uint64_t buffer[ROOM / sizeof(uint64_t)];
    const struct rollcall_reply *reply = (const void *)buffer;
    struct rollcall_fetch fetch = {.request = head_of(sizeof(fetch), 0)};
    DWORD error, bytes;

    error = request(stream->device, ROLLCALL_CODE_DRAIN, &fetch, sizeof(fetch), buffer, (DWORD)room,
                    &bytes);
    CHECK(error != 0 || bytes == sizeof(*reply) + reply->size, "%lu bytes, size %u", bytes,
          reply->size);
    if (error == 0)
        stream_take(stream, reply);
    return error;
}

size_t stream_read(struct stream *stream)
{
    size_t before = stream->count, last;
    DWORD error;

    do {
        last = stream->count;
        error = stream_drain(stream, ROOM);
        if (error != 0)
            die("a drain ends with %lu", error);
    } while (stream->count > last);
    return stream->count - before;
}

void stream_acknowledge(struct stream *stream)
{
    DWORD error = ask_acknowledge(stream->device, stream->next_seq - 1);

    CHECK(error == 0, "%lu", error);
}

void stream_forget(struct stream *stream)
{
    stream->size = 0;
    stream->count = 0;
}

/* ---- looking ---- */

const struct rollcall_event *stream_next(const struct stream *stream,
                                         const struct rollcall_event *event)
{
    const uint8_t *next = event != NULL ? (const uint8_t *)event + event->size : stream->records;

    return stream->size > 0 && next < stream->records + stream->size ? (const void *)next : NULL;
}

const struct rollcall_event *stream_find(const struct stream *stream,
                                         const struct rollcall_event *event,
                                         enum rollcall_type type, uint32_t pid)
{
    do
        event = stream_next(stream, event);
    while (event != NULL && (event->type != type || event->pid != pid));
    return event;
}

size_t stream_count(const struct stream *stream, enum rollcall_type type, uint32_t pid)
{
    const struct rollcall_event *event = NULL;
    size_t count = 0;

    while ((event = stream_next(stream, event)) != NULL)
        count += event->type == type && (pid == 0 || event->pid == pid);
    return count;
}

/* ---- the driver ---- */

static void ask_stats(struct stats *stats)
{
    HANDLE device = driver_open();

    stats_get(device, stats);
    CloseHandle(device);
}

struct rollcall_engine_stats driver_stats(void)
{
    struct stats stats;

    ask_stats(&stats);
    return stats.engine;
}

bool consumer_stats(const char *name, struct rollcall_consumer_stats *stats)
{
    const struct rollcall_consumer_stats *found;
    struct stats all;

    ask_stats(&all);
    found = stats_find(&all, name);
    if (found != NULL)
        *stats = *found;
    return found != NULL;
}

void driver_configure(uint64_t budget, uint32_t record_max)
{
    struct rollcall_engine_stats stats = driver_stats();
    HANDLE device = driver_open();
    DWORD error = ask_configure(device, budget != 0 ? budget : stats.budget,
                                record_max != 0 ? record_max : ROLLCALL_RECORD_MAX);

    CHECK(error == 0, "%lu", error);
    CloseHandle(device);
}

DWORD driver_detach(const char *name)
{
    HANDLE device = driver_open();
    DWORD error = ask_detach(device, name);

    CloseHandle(device);
    return error;
}

void driver_begin(void)
{
    DWORD error = driver_start();

    if (error != 0)
        die("the driver does not start: %lu", error);
}
