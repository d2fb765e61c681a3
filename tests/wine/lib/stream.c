/* SPDX-License-Identifier: MIT */
#include "tests/wine/lib/stream.h"

#include <stdlib.h>
#include <string.h>

#define ROOM (sizeof(struct rollcall_reply) + ROLLCALL_REPLY_MAX)

void request_init(void *request, size_t size, unsigned flags)
{
    struct rollcall_request *head = request;

    memset(request, 0, size);
    head->version = ROLLCALL_PROTOCOL_VERSION;
    head->flags = (uint16_t)flags;
    head->size = (uint32_t)size;
}

/* ---- coming and going ---- */

DWORD stream_try(struct stream *stream, const char *name, unsigned flags)
{
    struct rollcall_attach attach;
    DWORD error, bytes;

    memset(stream, 0, sizeof(*stream));
    request_init(&attach, sizeof(attach), flags);
    attach.name_size = name != NULL ? (uint32_t)strlen(name) : 0;
    if (name != NULL)
        memcpy(attach.name, name, attach.name_size);
    stream->device = device_open(ROLLCALL_DEVICE_PATH, GENERIC_READ | GENERIC_WRITE);
    error = request(stream->device, ROLLCALL_CODE_ATTACH, &attach, sizeof(attach),
                    &stream->attached, sizeof(stream->attached), &bytes);
    if (error != 0) {
        CloseHandle(stream->device);
        return error;
    }
    CHECK(bytes == sizeof(stream->attached), "%lu bytes", bytes);
    stream->next_seq = stream->attached.acked_seq + 1;
    return 0;
}

void stream_open(struct stream *stream, const char *name, unsigned flags)
{
    DWORD error = stream_try(stream, name, flags);

    if (error != 0)
        die("'%s' cannot be attached: %lu", name != NULL ? name : "", error);
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

void stream_take(struct stream *stream, const struct rollcall_reply *reply, size_t bytes)
{
    const uint8_t *records = (const uint8_t *)(reply + 1);
    uint32_t count = 0;
    size_t at = 0;

    if (bytes < sizeof(*reply) || reply->size != bytes - sizeof(*reply))
        die("an answer of %zu bytes with %u bytes of records", bytes, reply->size);
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
    struct rollcall_fetch fetch;
    DWORD error, bytes;

    request_init(&fetch, sizeof(fetch), 0);
    error = request(stream->device, ROLLCALL_CODE_DRAIN, &fetch, sizeof(fetch), buffer, (DWORD)room,
                    &bytes);
    if (error == 0)
        stream_take(stream, (const void *)buffer, bytes);
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

DWORD stream_acknowledge_to(struct stream *stream, uint64_t seq)
{
    struct rollcall_acknowledge acknowledge;

    request_init(&acknowledge, sizeof(acknowledge), 0);
    acknowledge.acked_seq = seq;
    return request(stream->device, ROLLCALL_CODE_ACKNOWLEDGE, &acknowledge, sizeof(acknowledge),
                   NULL, 0, NULL);
}

void stream_acknowledge(struct stream *stream)
{
    DWORD error = stream_acknowledge_to(stream, stream->next_seq - 1);

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

struct answer {
    struct rollcall_engine_stats engine;
    struct rollcall_consumer_stats consumers[ROLLCALL_CONSUMERS_MAX];
};

static void ask(struct answer *answer)
{
    HANDLE device = device_open(ROLLCALL_DEVICE_PATH, GENERIC_READ);
    struct rollcall_request head;
    DWORD error, bytes;

    request_init(&head, sizeof(head), 0);
    error =
        request(device, ROLLCALL_CODE_STATS, &head, sizeof(head), answer, sizeof(*answer), &bytes);
    if (error != 0)
        die("the driver gives no statistics: %lu", error);
    CHECK(answer->engine.given == answer->engine.consumers &&
              bytes == sizeof(answer->engine) + answer->engine.given * sizeof(answer->consumers[0]),
          "%u of %u consumers in %lu bytes", answer->engine.given, answer->engine.consumers, bytes);
    CloseHandle(device);
}

struct rollcall_engine_stats driver_stats(void)
{
    struct answer answer;

    ask(&answer);
    return answer.engine;
}

bool consumer_stats(const char *name, struct rollcall_consumer_stats *stats)
{
    struct answer answer;
    uint32_t i;

    ask(&answer);
    for (i = 0; i < answer.engine.given; i++) {
        *stats = answer.consumers[i];
        if (stats->name_size == strlen(name) && memcmp(stats->name, name, strlen(name)) == 0)
            return true;
    }
    return false;
}

void driver_configure(uint64_t budget, uint32_t record_max)
{
    HANDLE device = device_open(ROLLCALL_DEVICE_PATH, GENERIC_READ | GENERIC_WRITE);
    struct rollcall_configure configure;
    DWORD error;

    request_init(&configure, sizeof(configure),
                 (budget != 0 ? ROLLCALL_CONFIGURE_BUDGET : 0u) |
                     (record_max != 0 ? ROLLCALL_CONFIGURE_RECORD : 0u));
    configure.budget = budget;
    configure.record_max = record_max;
    error = request(device, ROLLCALL_CODE_CONFIGURE, &configure, sizeof(configure), NULL, 0, NULL);
    CHECK(error == 0, "%lu", error);
    CloseHandle(device);
}

DWORD driver_detach(const char *name)
{
    HANDLE device = device_open(ROLLCALL_DEVICE_PATH, GENERIC_READ | GENERIC_WRITE);
    struct rollcall_detach_request detach;
    DWORD error;

    request_init(&detach, sizeof(detach), 0);
    detach.name_size = (uint32_t)strlen(name);
    memcpy(detach.name, name, detach.name_size);
    error = request(device, ROLLCALL_CODE_DETACH, &detach, sizeof(detach), NULL, 0, NULL);
    CloseHandle(device);
    return error;
}

void driver_begin(void)
{
    DWORD error = driver_start();

    if (error != 0)
        die("the driver does not start: %lu", error);
}
