/* SPDX-License-Identifier: MIT */
/* Nothing from the peer is trusted: the packet was copied before it is looked at, the engine's own
 * functions check each request, and rights are looked at before anything is done. */
#include "linux/daemon/requests.h"

#include "core/request.h"
#include "linux/clock.h"
#include "linux/daemon/report.h"
#include "linux/daemon/server.h"
#include "linux/daemon/stats.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LATER (-1) /* the answer comes later */

struct exchange {
    struct client *client;
    struct rollcall_message message;
    const void *in;
    size_t in_size;
    void *out;
    size_t room;
    size_t answer; /* bytes of `out` that are the answer */
};

static bool may(const struct exchange *x, unsigned rights)
{
    return (x->client->peer.rights & rights) == rights;
}

/* ---- attach ---- */

static int fill_attached(const struct client *client, bool continued,
                         struct rollcall_attached *attached)
{
    const struct service *service = client->service;
    const struct host *host = service->host;

    memset(attached, 0, sizeof(*attached));
    attached->wall_offset_ns = clock_wall_offset_ns();
    attached->record_max = ROLLCALL_RECORD_MAX;
    attached->continued = continued;
    if (client_has_view(client)) {
        attached->epoch = client->view.epoch;
        return 0;
    }
    attached->epoch = client->acked.epoch;
    attached->acked_seq = client->acked.seq;
    attached->last_seq = atomic_load(&host->posted_seq);
    if (attached->epoch == host->epoch)
        return 0;
    if (archive_last_seq(&service->archive, attached->epoch, &attached->last_seq) < 0 ||
        archive_wall_offset(&service->archive, &client->next, &attached->wall_offset_ns) < 0)
        return EIO;
    return 0;
}

/* All of its epoch is acknowledged, and that has ended: it stands at the beginning of the next. */
static int normalise(const struct service *service, struct position *position)
{
    uint64_t last = 0;
    int err = 0;

    while (err == 0 && position->epoch != service->host->epoch) {
        err = archive_last_seq(&service->archive, position->epoch, &last);
        if (err < 0 || last == 0 || position->seq < last)
            break;
        err = archive_move_on(&service->archive, position);
    }
    return err < 0 ? EIO : 0;
}

static int begin(struct exchange *x, const struct position *acked, bool continued)
{
    struct position at = *acked;
    int err = normalise(x->client->service, &at);

    if (err == 0) {
        client_begin(x->client, &at);
        err = fill_attached(x->client, continued, x->out);
    }
    x->answer = err == 0 ? sizeof(struct rollcall_attached) : 0;
    return err;
}

static int beginning(const struct service *service, bool oldest, struct position *position)
{
    *position = (struct position){.epoch = service->host->epoch,
                                  .seq = atomic_load(&service->host->posted_seq)};
    if (oldest && journal_begin_seq(service->archive.journal, position->epoch, &position->seq) < 0)
        return EIO;
    return 0;
}

static int attach_durable(struct exchange *x, const struct rollcall_attach *request,
                          const struct position *from)
{
    struct client *client = x->client;
    struct places *places = client->service->places;
    struct journal_place kept = {.uid = client->peer.uid, .epoch = from->epoch, .seq = from->seq};
    uint64_t version;
    int err;

    if (!may(x, RIGHT_ALL | RIGHT_DURABLE))
        return EPERM;
    snprintf(kept.name, sizeof(kept.name), "%.*s", (int)request->name_size, request->name);
    err = places_open(places, &kept, !(request->request.flags & ROLLCALL_ATTACH_CONTINUE),
                      may(x, RIGHT_ADMIN), client, &client->place, &version);
    if (err) {
        client->place = NULL;
        return err;
    }
    if (version) {
        client->mode = CLIENT_WAITS;
        client->waits_version = version;
        client->waits.tag = x->message.tag;
        client->waits.code = ROLLCALL_CODE_ATTACH;
        return LATER;
    }
    places_get(places, client->place, &kept);
    err = begin(x, &(struct position){kept.epoch, kept.seq}, true);
    if (err) {
        places_close(places, client->place);
        client->place = NULL;
        client->mode = CLIENT_NEW;
    }
    return err;
}

static int attach(struct exchange *x)
{
    struct rollcall_attach request;
    struct position from;
    int err;

    if (!request_attach(x->in, x->in_size, &request))
        return EINVAL;
    if (request.request.flags & ROLLCALL_ATTACH_DENY)
        return EOPNOTSUPP;
    if (x->client->mode != CLIENT_NEW)
        return EBUSY;
    err = beginning(x->client->service, request.request.flags & ROLLCALL_ATTACH_OLDEST, &from);
    if (err)
        return err;
    return request.name_size ? attach_durable(x, &request, &from) : begin(x, &from, false);
}

static int resume(struct exchange *x)
{
    const struct service *service = x->client->service;
    struct rollcall_resume request;
    uint64_t last = 0;

    if (x->in_size != sizeof(request))
        return EINVAL;
    memcpy(&request, x->in, sizeof(request));
    if (request.request.version != ROLLCALL_PROTOCOL_VERSION || request.request.flags ||
        request.request.size != sizeof(request))
        return EINVAL;
    /* The numbers of a view are gone with it. */
    if (client_has_view(x->client))
        return EPERM;
    if (x->client->mode != CLIENT_NEW)
        return EBUSY;
    /* When a daemon was killed, consumers can have what its successor has yet to take again. */
    if (request.epoch == service->host->epoch)
        last = INT64_MAX;
    else if (request.epoch > service->host->epoch ||
             archive_last_seq(&service->archive, request.epoch, &last) < 0 || last == 0)
        return ENOENT;
    if (request.acked_seq > last)
        return EINVAL;
    return begin(x, &(struct position){request.epoch, request.acked_seq}, true);
}

/* ---- reading ---- */

/* Whether an answer fits must not depend on what the view does not show: it always fits. */
static bool too_small(const struct exchange *x)
{
    return client_has_view(x->client) && x->message.code != ROLLCALL_CODE_WAIT &&
           x->room < sizeof(x->client->service->slot.data);
}

static int pend(struct exchange *x)
{
    const struct pended pended = {
        .code = x->message.code, .tag = x->message.tag, .room = (uint32_t)x->room};
    int err = too_small(x) ? EMSGSIZE : client_pend(x->client, &pended, x->in, x->in_size);

    return err ? err : LATER;
}

static int drain(struct exchange *x)
{
    return too_small(x) ? EMSGSIZE
                        : client_drain(x->client, x->in, x->in_size, x->room, &x->answer);
}

static int acknowledge(struct exchange *x)
{
    struct rollcall_acknowledge request;

    return request_acknowledge(x->in, x->in_size, &request)
               ? client_acknowledge(x->client, &request)
               : EINVAL;
}

/* The list of those that are there is as old as what is stored. */
static bool must_wait(const struct service *service, uint64_t seq)
{
    return host_await(service->host, seq) && !atomic_load(&service->measures->is_blocked);
}

static int tell_existing(struct exchange *x)
{
    struct client *client = x->client;
    uint64_t seq = atomic_load(&client->service->host->posted_seq);

    if (!request_plain(x->in, x->in_size))
        return EINVAL;
    if (client->waits_version || client->waits_seq)
        return EBUSY;
    if (client->existing || !must_wait(client->service, seq))
        return client_tell_existing(client, x->out, x->room, &x->answer);
    client->waits_seq = seq;
    client->waits = (struct pended){
        .tag = x->message.tag, .code = ROLLCALL_CODE_EXISTING, .room = (uint32_t)x->room};
    host_hurry(client->service->host);
    return LATER;
}

/* ---- statistics ---- */

static int stats(struct exchange *x)
{
    if (!request_plain(x->in, x->in_size))
        return EINVAL;
    x->answer = stats_write(x->client, x->out, x->room);
    return 0;
}

static int report(struct exchange *x)
{
    const struct report_viewer viewer = {.uid = x->client->peer.uid, .all = may(x, RIGHT_ALL)};

    if (!request_plain(x->in, x->in_size))
        return EINVAL;
    x->answer = report_write(x->client->service, &viewer, x->out, x->room);
    return 0;
}

/* ---- administration ---- */

static int configure(struct exchange *x)
{
    struct rollcall_configure request;

    if (!may(x, RIGHT_ADMIN))
        return EPERM;
    /* A record that has no room would be cut, and then differ from what the journal has. */
    if (!request_configure(x->in, x->in_size, &request) ||
        (request.request.flags & ROLLCALL_CONFIGURE_RECORD) ||
        ((request.request.flags & ROLLCALL_CONFIGURE_BUDGET) && request.budget < SERVER_MEMORY_MIN))
        return EINVAL;
    return client_error(engine_configure(x->client->service->host->engine, x->in, x->in_size));
}

static int detach(struct exchange *x)
{
    struct rollcall_detach_request request;
    char name[ROLLCALL_CONSUMER_NAME + 1];
    struct client *client = x->client;
    int err;

    if (!request_detach(x->in, x->in_size, &request))
        return EINVAL;
    if (!may(x, RIGHT_ALL | RIGHT_DURABLE))
        return EPERM;
    if (client->waits_version || client->waits_seq)
        return EBUSY;
    snprintf(name, sizeof(name), "%.*s", (int)request.name_size, request.name);
    err = places_remove(client->service->places, name, client->peer.uid, may(x, RIGHT_ADMIN),
                        &client->waits_version);
    if (err)
        return err;
    client->waits.tag = x->message.tag;
    client->waits.code = ROLLCALL_CODE_DETACH;
    return LATER;
}

/* ---- all ---- */

/* `least`: the room that an answer always needs, looked at before anything else. */
static const struct handler {
    uint32_t code;
    size_t least;
    int (*handle)(struct exchange *x);
} handlers[] = {
    {ROLLCALL_CODE_ATTACH, sizeof(struct rollcall_attached), attach},
    {ROLLCALL_CODE_RESUME, sizeof(struct rollcall_attached), resume},
    {ROLLCALL_CODE_EXISTING, sizeof(struct rollcall_reply), tell_existing},
    {ROLLCALL_CODE_FETCH, sizeof(struct rollcall_reply), pend},
    {ROLLCALL_CODE_DRAIN, sizeof(struct rollcall_reply), drain},
    {ROLLCALL_CODE_WAIT, sizeof(struct rollcall_ready), pend},
    {ROLLCALL_CODE_ACKNOWLEDGE, 0, acknowledge},
    {ROLLCALL_CODE_STATS, sizeof(struct rollcall_engine_stats), stats},
    {ROLLCALL_CODE_REPORT, sizeof(struct rollcall_daemon_report), report},
    {ROLLCALL_CODE_CONFIGURE, 0, configure},
    {ROLLCALL_CODE_DETACH, 0, detach},
};

static const struct handler *find(uint32_t code)
{
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
        if (handlers[i].code == code)
            return &handlers[i];
    return NULL;
}

static int dispatch(struct exchange *x)
{
    const struct handler *handler = find(x->message.code);

    if (x->message.reserved)
        return EINVAL;
    if (!handler)
        return EOPNOTSUPP;
    return x->room < handler->least ? EMSGSIZE : handler->handle(x);
}

void requests_handle(struct client *client, const void *packet, size_t size)
{
    struct slot *slot = &client->service->slot;
    struct exchange x = {.client = client, .out = slot->data};
    int err = EINVAL;

    if (size >= sizeof(x.message) && size <= REQUESTS_PACKET_MAX) {
        memcpy(&x.message, packet, sizeof(x.message));
        x.in = (const unsigned char *)packet + sizeof(x.message);
        x.in_size = size - sizeof(x.message);
        x.room = x.message.room < sizeof(slot->data) ? x.message.room : sizeof(slot->data);
        err = dispatch(&x);
    }
    if (err != LATER)
        client_answer(client, slot, x.message.tag, (uint32_t)err, x.answer);
}

static void place_stored(struct client *client)
{
    struct places *places = client->service->places;
    struct slot *slot = &client->service->slot;
    struct exchange x = {.client = client, .out = slot->data};
    struct journal_place kept;
    int err = 0;

    if (!places_stored(places, client->waits_version))
        return;
    client->waits_version = 0;
    if (client->waits.code == ROLLCALL_CODE_ATTACH) {
        places_get(places, client->place, &kept);
        err = begin(&x, &(struct position){kept.epoch, kept.seq}, false);
    }
    client_answer(client, slot, client->waits.tag, (uint32_t)err, x.answer);
}

static void events_stored(struct client *client)
{
    struct slot *slot = &client->service->slot;
    size_t size = 0;
    int err;

    if (must_wait(client->service, client->waits_seq))
        return;
    client->waits_seq = 0;
    err = client_tell_existing(client, slot->data, client->waits.room, &size);
    client_answer(client, slot, client->waits.tag, (uint32_t)err, size);
}

void requests_stored(struct client *client)
{
    if (client->waits_version)
        place_stored(client);
    if (client->waits_seq)
        events_stored(client);
}
