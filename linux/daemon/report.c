/* SPDX-License-Identifier: MIT */
#include "linux/daemon/report.h"

#include "linux/clock.h"
#include "linux/daemon/server.h"

#include <string.h>
#include <unistd.h>

struct answer {
    const struct service *service;
    struct rollcall_daemon_report head;
    unsigned char *out;
    size_t room;
    size_t size;
};

_Static_assert(sizeof(struct rollcall_daemon_report) +
                       (SERVER_CLIENTS_MAX + PLACES_MAX) *
                           sizeof(struct rollcall_consumer_report) <=
                   sizeof(((struct slot *)NULL)->data),
               "all consumers have room in an answer");

static void put(struct answer *answer, const struct rollcall_consumer_report *consumer)
{
    answer->head.consumers++;
    if (answer->room - answer->size < sizeof(*consumer))
        return;
    memcpy(answer->out + answer->size, consumer, sizeof(*consumer));
    answer->size += sizeof(*consumer);
    answer->head.given++;
}

static void set_name(struct rollcall_consumer_report *consumer, const struct journal_place *place)
{
    consumer->uid = place->uid;
    consumer->name_size = (uint32_t)strlen(place->name);
    memcpy(consumer->name, place->name, consumer->name_size);
}

/* ---- how far behind ---- */

static int note_time(const struct journal_event *stored, void *context)
{
    uint64_t *time = context;

    *time = stored->event->mono_ns + (uint64_t)stored->wall_offset_ns;
    return 1;
}

/* Another boot's clock was another one, so times of day are compared. */
static uint64_t age_behind(const struct service *service, const struct position *acked)
{
    uint64_t now = clock_ns(CLOCK_REALTIME);
    uint64_t time = now;

    journal_read(service->archive.journal, acked->epoch, acked->seq + 1, INT64_MAX, note_time,
                 &time);
    return now > time ? now - time : 0;
}

/* Through the epochs that have ended, to the newest event. */
static void set_lag(const struct service *service, const struct position *acked,
                    struct rollcall_consumer_report *consumer)
{
    uint64_t newest = atomic_load(&service->host->posted_seq);
    struct position at = *acked;
    uint64_t last = 0;

    while (at.epoch != service->host->epoch &&
           archive_last_seq(&service->archive, at.epoch, &last) == 0) {
        consumer->lag += last > at.seq ? last - at.seq : 0;
        if (archive_move_on(&service->archive, &at) < 0)
            break;
    }
    if (at.epoch == service->host->epoch && newest > at.seq)
        consumer->lag += newest - at.seq;
    if (consumer->lag)
        consumer->lag_ns = age_behind(service, acked);
}

/* ---- one consumer ---- */

/* What a view shows is all that its user knows of where it is. */
static void of_client(const struct client *client, struct rollcall_consumer_report *consumer)
{
    struct host *host = client->service->host;
    bool view = client_has_view(client);

    host_lock(host);
    consumer->epoch = view ? client->view.epoch : client->acked.epoch;
    consumer->acked_seq = view ? client->shown_seq : client->acked.seq;
    consumer->delivered_seq = view ? client->shown_seq : client->queue.delivered_seq;
    consumer->pended = client->queue.count;
    consumer->lost = view ? 0 : client->lost;
    host_unlock(host);
    consumer->flags = view ? ROLLCALL_REPORT_OWN : 0;
    consumer->pid = client->peer.pid;
    consumer->uid = client->peer.uid;
}

static void put_client(struct answer *answer, const struct client *client, bool all)
{
    struct rollcall_consumer_report consumer = {0};
    struct journal_place place;

    of_client(client, &consumer);
    if (all)
        consumer.feed = client->mode == CLIENT_LIVE ? ROLLCALL_FEED_MEMORY : ROLLCALL_FEED_JOURNAL;
    if (all && !client_has_view(client))
        set_lag(answer->service, &client->acked, &consumer);
    if (client->place) {
        places_get(answer->service->places, client->place, &place);
        set_name(&consumer, &place);
    }
    put(answer, &consumer);
}

static void put_clients(struct answer *answer, const struct report_viewer *viewer)
{
    for (const struct client *client = answer->service->clients; client;
         client = client->next_client) {
        bool attached = client->mode == CLIENT_ARCHIVE || client->mode == CLIENT_LIVE;

        if (attached &&
            (viewer->all || (client->peer.uid == viewer->uid && client_has_view(client))))
            put_client(answer, client, viewer->all);
    }
}

/* Those that nobody has open. */
static void put_places(struct answer *answer)
{
    struct journal_place list[PLACES_MAX];
    bool is_open[PLACES_MAX];
    size_t count = places_list(answer->service->places, list, is_open, PLACES_MAX);

    answer->head.names = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        const struct position at = {list[i].epoch, list[i].seq};
        struct rollcall_consumer_report consumer = {
            .epoch = at.epoch, .acked_seq = at.seq, .delivered_seq = at.seq};

        if (is_open[i])
            continue;
        set_name(&consumer, &list[i]);
        set_lag(answer->service, &at, &consumer);
        put(answer, &consumer);
    }
}

/* ---- the daemon ---- */

static void describe_kernel(const struct service *service, struct rollcall_daemon_report *head)
{
    const struct rollcall_options opts = {
        .struct_size = sizeof(opts), .name = service->kernel_name, .flags = ROLLCALL_DIRECT};
    struct rollcall_stats stats;

    if (rollcall_inspect_at(&opts, &stats, sizeof(stats)) < 0)
        return;
    memcpy(head->lost, stats.lost, sizeof(head->lost));
    head->attached_ns = stats.attached_ns;
    head->late = stats.late;
    head->states_failed = stats.states_failed;
    head->texts_cut = stats.texts_cut;
    head->ring_size = stats.ring_size;
    head->ring_used = stats.ring_used;
    head->on_full = stats.on_full;
    head->deny_holds = stats.deny_holds;
    head->denied = stats.denied;
    head->denied_execs = stats.denied_execs;
    head->exempted = stats.exempted;
    head->promised = stats.promised;
    head->deny_ended = stats.deny_ended;
}

static void describe_work(const struct service *service, struct rollcall_daemon_report *head)
{
    const struct measures *measures = service->measures;

    head->started_ns = measures->started_ns;
    head->started_seq = measures->started_seq;
    head->commits = measures_commits(measures);
    head->commit_ns = atomic_load(&measures->commit_ns);
    head->keep_bytes = atomic_load(&measures->keep_bytes);
    head->keep_seconds = atomic_load(&measures->keep_seconds);
    head->flags |= atomic_load(&measures->is_blocked) ? ROLLCALL_REPORT_BLOCKED : 0;
    journal_size(service->archive.journal, &head->journal_bytes);
}

static void describe_memory(const struct service *service, struct rollcall_daemon_report *head)
{
    const struct rollcall_request request = {.version = ROLLCALL_PROTOCOL_VERSION,
                                             .size = sizeof(request)};
    struct rollcall_engine_stats stats = {0};
    size_t bytes;

    engine_stats(service->host->engine, &request, sizeof(request), &stats, sizeof(stats), &bytes);
    head->memory_size = stats.budget;
    head->memory_used = stats.used;
}

static void describe(const struct service *service, struct rollcall_daemon_report *head)
{
    describe_kernel(service, head);
    describe_work(service, head);
    describe_memory(service, head);
    head->pid = (uint32_t)getpid();
    head->epoch = service->host->epoch;
    head->last_seq = atomic_load(&service->host->posted_seq);
    for (const struct client *client = service->clients; client; client = client->next_client)
        head->connections++;
    head->connections_max = SERVER_CLIENTS_MAX;
    head->names_max = PLACES_MAX;
}

size_t report_write(const struct service *service, const struct report_viewer *viewer, void *out,
                    size_t room)
{
    struct answer answer = {.service = service,
                            .head = {.size = sizeof(answer.head),
                                     .consumer_size = sizeof(struct rollcall_consumer_report),
                                     .flags = viewer->all ? 0 : ROLLCALL_REPORT_OWN},
                            .out = out,
                            .room = room,
                            .size = sizeof(answer.head)};

    put_clients(&answer, viewer);
    if (viewer->all) {
        put_places(&answer);
        describe(service, &answer.head);
    }
    memcpy(out, &answer.head, sizeof(answer.head));
    return answer.size;
}
