/* SPDX-License-Identifier: MIT */
#include "linux/daemon/stats.h"

#include <string.h>

static void of_client(const struct client *client, struct rollcall_consumer_stats *stats)
{
    struct host *host = client->service->host;
    bool view = client_has_view(client);

    memset(stats, 0, sizeof(*stats));
    host_lock(host);
    stats->acked_seq = view ? client->shown_seq : client->acked.seq;
    stats->delivered_seq = view ? client->shown_seq : client->queue.delivered_seq;
    stats->pended = client->queue.count;
    host_unlock(host);
    if (!view && client->acked.epoch != host->epoch)
        stats->acked_seq = stats->delivered_seq = 0;
    stats->pid = client->peer.pid;
}

struct answer {
    struct rollcall_engine_stats head;
    unsigned char *out;
    size_t room;
    size_t size;
};

static void put(struct answer *answer, const struct rollcall_consumer_stats *stats)
{
    answer->head.consumers++;
    if (answer->room - answer->size < sizeof(*stats))
        return;
    memcpy(answer->out + answer->size, stats, sizeof(*stats));
    answer->size += sizeof(*stats);
    answer->head.given++;
}

static const struct client *reader_of(const struct client *first, const struct journal_place *place)
{
    struct journal_place kept;

    for (const struct client *client = first; client; client = client->next_client) {
        if (!client->place)
            continue;
        places_get(client->service->places, client->place, &kept);
        if (strcmp(kept.name, place->name) == 0)
            return client;
    }
    return NULL;
}

static void put_places(const struct client *client, const struct client *first,
                       struct answer *answer)
{
    struct service *service = client->service;
    struct journal_place list[PLACES_MAX];
    bool is_open[PLACES_MAX];
    size_t count = places_list(service->places, list, is_open, PLACES_MAX);

    for (size_t i = 0; i < count; i++) {
        const struct client *reader = is_open[i] ? reader_of(first, &list[i]) : NULL;
        struct rollcall_consumer_stats stats = {.name_size = (uint32_t)strlen(list[i].name)};

        if (reader)
            of_client(reader, &stats);
        else if (list[i].epoch == service->host->epoch)
            stats.acked_seq = stats.delivered_seq = list[i].seq;
        stats.name_size = (uint32_t)strlen(list[i].name);
        memcpy(stats.name, list[i].name, stats.name_size);
        put(answer, &stats);
    }
}

/* What others do and how much there is does not show in what it gets. */
static void only_itself(const struct client *client, struct answer *answer)
{
    struct rollcall_consumer_stats stats;

    answer->head = (struct rollcall_engine_stats){.epoch = client->view.epoch,
                                                  .last_seq = client->shown_seq,
                                                  .budget = answer->head.budget,
                                                  .record_max = answer->head.record_max};
    of_client(client, &stats);
    put(answer, &stats);
}

size_t stats_write(const struct client *client, void *out, size_t room)
{
    const struct client *clients = client->service->clients;
    const struct rollcall_request request = {.version = ROLLCALL_PROTOCOL_VERSION,
                                             .size = sizeof(request)};
    struct answer answer = {.out = out, .room = room, .size = sizeof(answer.head)};
    size_t bytes;

    engine_stats(client->service->host->engine, &request, sizeof(request), &answer.head,
                 sizeof(answer.head), &bytes);
    answer.head.consumers = answer.head.given = 0;
    if (client_has_view(client)) {
        only_itself(client, &answer);
    } else {
        put_places(client, clients, &answer);
        for (const struct client *other = clients; other; other = other->next_client) {
            struct rollcall_consumer_stats stats;

            if (other->place || (other->mode != CLIENT_ARCHIVE && other->mode != CLIENT_LIVE))
                continue;
            of_client(other, &stats);
            put(&answer, &stats);
        }
    }
    memcpy(out, &answer.head, sizeof(answer.head));
    return answer.size;
}
