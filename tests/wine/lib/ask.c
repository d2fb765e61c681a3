/* SPDX-License-Identifier: MIT */
#include "tests/wine/lib/ask.h"

#include <string.h>

HANDLE driver_open(void)
{
    return device_open(ROLLCALL_DEVICE_PATH, GENERIC_READ | GENERIC_WRITE);
}

struct rollcall_request head_of(size_t size, unsigned flags)
{
    return (struct rollcall_request){ROLLCALL_PROTOCOL_VERSION, (uint16_t)flags, (uint32_t)size};
}

DWORD ask_attach(HANDLE device, const char *name, unsigned flags,
                 struct rollcall_attached *attached)
{
    struct rollcall_attach what = {.request = head_of(sizeof(what), flags)};
    DWORD error, bytes;

    what.name_size = (uint32_t)strlen(name);
    memcpy(what.name, name, what.name_size);
    error = request(device, ROLLCALL_CODE_ATTACH, &what, sizeof(what), attached, sizeof(*attached),
                    &bytes);
    CHECK(error != 0 || bytes == sizeof(*attached), "attach: %lu bytes", bytes);
    return error;
}

DWORD ask_detach(HANDLE device, const char *name)
{
    struct rollcall_detach_request what = {.request = head_of(sizeof(what), 0)};

    what.name_size = (uint32_t)strlen(name);
    memcpy(what.name, name, what.name_size);
    return request(device, ROLLCALL_CODE_DETACH, &what, sizeof(what), NULL, 0, NULL);
}

DWORD ask_release(HANDLE device)
{
    struct rollcall_request what = head_of(sizeof(what), 0);

    return request(device, ROLLCALL_CODE_RELEASE, &what, sizeof(what), NULL, 0, NULL);
}

DWORD ask_acknowledge(HANDLE device, uint64_t seq)
{
    struct rollcall_acknowledge what = {head_of(sizeof(what), 0), seq};

    return request(device, ROLLCALL_CODE_ACKNOWLEDGE, &what, sizeof(what), NULL, 0, NULL);
}

DWORD ask_configure(HANDLE device, uint64_t budget, uint32_t record_max)
{
    struct rollcall_configure what = {
        .request = head_of(sizeof(what), ROLLCALL_CONFIGURE_BUDGET | ROLLCALL_CONFIGURE_RECORD),
        .budget = budget,
        .record_max = record_max};

    return request(device, ROLLCALL_CODE_CONFIGURE, &what, sizeof(what), NULL, 0, NULL);
}

void attach_again(HANDLE device, const char *name, unsigned flags,
                  struct rollcall_attached *attached)
{
    DWORD begin = GetTickCount();
    DWORD error;

    while ((error = ask_attach(device, name, flags, attached)) == ERROR_BUSY &&
           GetTickCount() - begin < LIMIT_MS)
        SwitchToThread();
    if (error != 0)
        die("attaching again: %lu", error);
}

/* ---- statistics ---- */

void stats_get(HANDLE device, struct stats *stats)
{
    struct rollcall_request what = head_of(sizeof(what), 0);
    DWORD error, bytes;

    memset(stats, 0, sizeof(*stats));
    error =
        request(device, ROLLCALL_CODE_STATS, &what, sizeof(what), stats, sizeof(*stats), &bytes);
    if (error != 0)
        die("statistics: %lu", error);
    CHECK(stats->engine.given == stats->engine.consumers &&
              bytes == sizeof(stats->engine) + stats->engine.given * sizeof(stats->consumers[0]),
          "%lu bytes for %u of %u consumers", bytes, stats->engine.given, stats->engine.consumers);
}

const struct rollcall_consumer_stats *stats_find(const struct stats *stats, const char *name)
{
    size_t size = strlen(name);
    uint32_t i;

    for (i = 0; i < stats->engine.given; i++)
        if (stats->consumers[i].name_size == size &&
            memcmp(stats->consumers[i].name, name, size) == 0)
            return &stats->consumers[i];
    return NULL;
}

void stats_wait_pended(HANDLE device, const char *name, uint32_t pended)
{
    const struct rollcall_consumer_stats *consumer;
    DWORD begin = GetTickCount();
    struct stats stats;

    do {
        stats_get(device, &stats);
        consumer = stats_find(&stats, name);
        if (consumer != NULL && consumer->pended == pended)
            return;
        SwitchToThread();
    } while (GetTickCount() - begin < LIMIT_MS);
    die("%u requests wait, not %u", consumer != NULL ? consumer->pended : 0, pended);
}

/* ---- events ---- */

static void answer_check(const struct answer *answer, DWORD error, DWORD bytes)
{
    const struct rollcall_reply *reply = &answer->reply;

    if (error != 0 && error != ERROR_MORE_DATA)
        return;
    if (error == ERROR_MORE_DATA || reply->count == 0)
        CHECK(bytes == sizeof(*reply) && reply->count == 0 &&
                  (error == ERROR_MORE_DATA) == (reply->size != 0),
              "error %lu, %lu bytes, count %u, size %u", error, bytes, reply->count, reply->size);
    else
        CHECK(bytes == sizeof(*reply) + reply->size, "%lu bytes, size %u", bytes, reply->size);
}

DWORD ask_drain(HANDLE device, uint64_t acked_seq, struct answer *answer, size_t room)
{
    struct rollcall_fetch what = {head_of(sizeof(what), 0), acked_seq};
    DWORD error, bytes;

    error = request(device, ROLLCALL_CODE_DRAIN, &what, sizeof(what), answer, (DWORD)room, &bytes);
    answer_check(answer, error, bytes);
    return error;
}

void fetch_send(struct fetch *fetch, HANDLE device, uint64_t acked_seq, size_t room)
{
    struct rollcall_fetch what = {head_of(sizeof(what), 0), acked_seq};

    fetch->acked_seq = acked_seq;
    pended_send(&fetch->pended, device, ROLLCALL_CODE_FETCH, &what, sizeof(what), &fetch->answer,
                (DWORD)room);
}

DWORD fetch_wait(struct fetch *fetch)
{
    DWORD bytes;
    DWORD error = pended_wait(&fetch->pended, &bytes);

    answer_check(&fetch->answer, error, bytes);
    CHECK(error != 0 || fetch->answer.reply.count > 0, "a fetch is completed with nothing");
    return error;
}
