/* SPDX-License-Identifier: MIT */
#include "linux/daemon/client.h"

#include "core/request.h"
#include "linux/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

int client_error(enum engine_status status)
{
    switch (status) {
    case ENGINE_OK:
    case ENGINE_NOTHING:
        return 0;
    case ENGINE_TOO_SMALL:
        return EMSGSIZE;
    case ENGINE_INVALID:
        return EINVAL;
    case ENGINE_NO_MEMORY:
    case ENGINE_LOST:
    case ENGINE_REFUSED:
        return ENOMEM;
    case ENGINE_BUSY:
        return EBUSY;
    case ENGINE_ABSENT:
        return ENOENT;
    case ENGINE_LIMIT:
        return EUSERS;
    case ENGINE_CLOSED:
    case ENGINE_BEHIND:
        return ENOTCONN;
    }
    return EIO;
}

bool client_has_view(const struct client *client)
{
    return !(client->peer.rights & RIGHT_ALL);
}

/* ---- coming and going ---- */

struct client *client_new(struct service *service, int fd, const struct peer *peer)
{
    struct client *client = calloc(1, sizeof(*client));

    if (!client)
        return NULL;
    client->service = service;
    client->fd = fd;
    client->peer = *peer;
    client->queue.last = &client->queue.first;
    client->queue.references = 1;
    return client;
}

void client_release(struct client *client)
{
    struct host *host = client->service->host;
    bool last;

    host_lock(host);
    last = --client->queue.references == 0;
    host_unlock(host);
    if (!last)
        return;
    close(client->fd);
    free(client);
}

static void leave_engine(struct client *client)
{
    engine_close(client->service->host->engine, client->consumer);
    client->consumer = 0;
}

void client_close(struct client *client)
{
    struct host *host = client->service->host;
    struct pended *pended;
    struct unsent *unsent;

    client->mode = CLIENT_CLOSED;
    leave_engine(client);
    host_lock(host);
    client->closed = true;
    pended = client->queue.first;
    client->queue.first = NULL;
    client->queue.count = 0;
    unsent = client->unsent;
    client->unsent = NULL;
    host_unlock(host);
    while (pended) {
        struct pended *next = pended->next;

        free(pended);
        pended = next;
    }
    while (unsent) {
        struct unsent *next = unsent->next;

        free(unsent);
        unsent = next;
    }
    existing_close(client->existing);
    if (client->place)
        places_close(client->service->places, client->place);
    shutdown(client->fd, SHUT_RDWR);
    client_release(client);
}

/* ---- sending ---- */

/* The lock is held. */
static void append_unsent(struct client *client, struct unsent *unsent)
{
    struct unsent **place = &client->unsent;

    while (*place)
        place = &(*place)->next;
    unsent->next = NULL;
    *place = unsent;
}

static struct unsent *copy_of(const struct slot *slot, size_t size)
{
    struct unsent *unsent = malloc(sizeof(*unsent) + sizeof(slot->head) + size);

    if (!unsent)
        return NULL;
    unsent->size = sizeof(slot->head) + size;
    memcpy(unsent->bytes, &slot->head, sizeof(slot->head));
    memcpy(unsent->bytes + sizeof(slot->head), slot->data, size);
    return unsent;
}

static bool would_block(int error)
{
    return error == EAGAIN || error == EINTR || error == ENOBUFS || error == ENOMEM;
}

/* What has no room in the socket waits here, and the thread of the clients is told. */
static void send_slot(struct client *client, struct slot *slot, size_t size)
{
    struct iovec parts[] = {{&slot->head, sizeof(slot->head)}, {slot->data, size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    struct host *host = client->service->host;
    struct unsent *unsent = NULL;

    if (sendmsg(client->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        return;
    if (would_block(errno))
        unsent = copy_of(slot, size);
    host_lock(host);
    if (client->closed)
        free(unsent);
    else if (unsent)
        append_unsent(client, unsent);
    else
        client->broken = true;
    host_make_ready(host, client);
    host_unlock(host);
}

void client_answer(struct client *client, struct slot *slot, uint32_t tag, uint32_t error,
                   size_t size)
{
    slot->head = (struct rollcall_answer){.tag = tag, .error = error, .size = (uint32_t)size};
    send_slot(client, slot, size);
}

bool client_flush(struct client *client)
{
    struct host *host = client->service->host;
    struct unsent *unsent;
    ssize_t sent;

    for (;;) {
        /* Only this thread takes them out. */
        host_lock(host);
        unsent = client->unsent;
        host_unlock(host);
        if (!unsent)
            return true;
        sent = send(client->fd, unsent->bytes, unsent->size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && would_block(errno))
            return false;
        host_lock(host);
        client->broken |= sent < 0;
        client->unsent = unsent->next;
        host_unlock(host);
        free(unsent);
    }
}

/* ---- requests that were taken ---- */

struct pended *client_take(struct client *client)
{
    struct queue *queue = &client->queue;
    struct pended *pended = queue->first;

    if (!pended || queue->busy || client->unsent)
        return NULL;
    queue->first = pended->next;
    if (!queue->first)
        queue->last = &queue->first;
    queue->count--;
    queue->busy = true;
    queue->references++;
    return pended;
}

/* It is not answered yet. again: there may be something for it. */
static void put_back(struct client *client, struct pended *pended, bool again)
{
    struct host *host = client->service->host;
    struct queue *queue = &client->queue;

    host_lock(host);
    queue->busy = false;
    pended->next = queue->first;
    if (!queue->first)
        queue->last = &pended->next;
    queue->first = pended;
    queue->count++;
    if (again)
        host_make_ready(host, client);
    host_unlock(host);
}

/* What the client's view shows of it; false: nothing. */
static bool filter(struct client *client, struct slot *slot, size_t *size)
{
    struct host *host = client->service->host;
    struct rollcall_reply reply;

    *size = view_filter(&client->view, slot->data);
    memcpy(&reply, slot->data, sizeof(reply));
    host_lock(host);
    client->shown_seq = client->view.last_seq;
    host_unlock(host);
    return reply.count > 0;
}

/* Events that are missing in what was delivered. */
static uint64_t lost_in(const unsigned char *records, size_t size)
{
    uint64_t lost = 0;

    for (size_t at = 0; at < size;) {
        const struct rollcall_event *event = (const void *)(records + at);

        if (event->type == ROLLCALL_GAP)
            lost += event->lost;
        at += event->size;
    }
    return lost;
}

/* Before it is sent: afterwards it may be acknowledged. */
static void note_delivered(struct client *client, const struct slot *slot, size_t size)
{
    struct rollcall_reply reply;
    uint64_t lost;

    if (size < sizeof(reply))
        return;
    memcpy(&reply, slot->data, sizeof(reply));
    lost = lost_in(slot->data + sizeof(reply), reply.count > 0 ? reply.size : 0);
    host_lock(client->service->host);
    client->queue.delivered_seq = reply.last_seq;
    client->lost += lost;
    host_unlock(client->service->host);
}

void client_answer_taken(struct client *client, struct slot *slot, int error, size_t size)
{
    struct host *host = client->service->host;
    struct queue *queue = &client->queue;

    if (error == 0 && client_has_view(client) && !filter(client, slot, &size)) {
        put_back(client, slot->request, true);
        return;
    }
    if (error == 0 && slot->request->code == ROLLCALL_CODE_FETCH)
        note_delivered(client, slot, size);
    client_answer(client, slot, slot->request->tag, (uint32_t)error, size);
    free(slot->request);
    host_lock(host);
    queue->busy = false;
    if (queue->first)
        host_make_ready(host, client);
    host_unlock(host);
}

/* ---- between archive and engine ---- */

static void go_live(struct client *client)
{
    struct host *host = client->service->host;

    if (client->next.epoch == host->epoch &&
        engine_attach_at(host->engine, client->next.seq - 1, client, client->peer.pid,
                         &client->consumer) == ENGINE_OK)
        client->mode = CLIENT_LIVE;
}

static void fall_behind(struct client *client)
{
    struct host *host = client->service->host;

    leave_engine(client);
    host_lock(host);
    client->next.seq = client->queue.next_seq;
    client->queue.is_behind = false;
    host_unlock(host);
    client->mode = CLIENT_ARCHIVE;
}

static bool is_behind(struct client *client)
{
    struct host *host = client->service->host;
    bool behind;

    host_lock(host);
    behind = client->queue.is_behind;
    host_unlock(host);
    return behind;
}

static void settle(struct client *client)
{
    if (client->mode == CLIENT_LIVE && is_behind(client))
        fall_behind(client);
    if (client->mode == CLIENT_ARCHIVE)
        go_live(client);
}

void client_begin(struct client *client, const struct position *acked)
{
    struct host *host = client->service->host;

    client->acked = *acked;
    client->next = *acked;
    client->next.seq++;
    if (client_has_view(client))
        client->view =
            (struct view){.epoch = clock_ns(CLOCK_REALTIME) / 1000, .uid = client->peer.uid};
    host_lock(host);
    client->shown_seq = 0;
    client->queue.delivered_seq = acked->seq;
    host_unlock(host);
    client->mode = CLIENT_ARCHIVE;
    go_live(client);
}

/* ---- from the archive ---- */

static int last_seq_of(const struct client *client, uint64_t *last_seq)
{
    struct host *host = client->service->host;

    if (client->next.epoch != host->epoch)
        return archive_last_seq(&client->service->archive, client->next.epoch, last_seq);
    *last_seq = atomic_load(&host->stored_seq);
    return 0;
}

/* All of an epoch that has ended is acknowledged: what comes next begins at 1 again, which the client
 * has to know before it acknowledges any of it. */
static int end_epoch(struct client *client)
{
    struct position next = client->acked;

    if (archive_move_on(&client->service->archive, &next) < 0)
        return EIO;
    if (client->place) {
        places_acknowledge(client->service->places, client->place, next.epoch, next.seq);
        places_close(client->service->places, client->place);
    }
    client->place = NULL;
    client->mode = CLIENT_NEW;
    return ESTALE;
}

/* Writes what comes next. -1: nothing yet, else 0 or an errno value. */
static int read_archive(struct client *client, void *data, size_t room, size_t *bytes)
{
    struct rollcall_reply reply;
    uint64_t last_seq = 0;
    int err = last_seq_of(client, &last_seq);

    *bytes = 0;
    if (err < 0)
        return EIO;
    err = archive_fill(&client->service->archive, &client->next, last_seq, data, room, bytes);
    if (err < 0)
        return err == -EMSGSIZE ? EMSGSIZE : EIO;
    memcpy(&reply, data, sizeof(reply));
    client->next.seq = reply.last_seq + 1;
    if (reply.count > 0)
        return 0;
    return client->acked.seq + 1 >= client->next.seq &&
                   client->next.epoch != client->service->host->epoch
               ? end_epoch(client)
               : -1;
}

/* It waits for something to be there, and takes nothing. */
static int look_archive(struct client *client, void *data, size_t *bytes)
{
    struct rollcall_ready ready = {.next_seq = client->next.seq};

    *bytes = 0;
    if (last_seq_of(client, &ready.last_seq) < 0)
        return EIO;
    if (ready.last_seq < ready.next_seq)
        return client->acked.seq + 1 >= client->next.seq ? end_epoch(client) : -1;
    memcpy(data, &ready, sizeof(ready));
    *bytes = sizeof(ready);
    return 0;
}

/* The reference of a request that this thread has taken: never the last one, as the list of clients
 * has one too. */
static void give_back(struct client *client)
{
    struct host *host = client->service->host;

    host_lock(host);
    client->queue.references--;
    host_unlock(host);
}

/* What it wants next is not in the journal yet. */
static void await_stored(struct client *client)
{
    struct host *host = client->service->host;

    if (client->next.epoch != host->epoch)
        return;
    client->awaits = host_await(host, client->next.seq);
    if (client->awaits)
        return;
    host_lock(host);
    host_make_ready(host, client);
    host_unlock(host);
}

static void serve_archive(struct client *client)
{
    struct service *service = client->service;
    struct slot *slot = &service->slot;
    struct pended *pended;
    size_t bytes;
    int err;

    host_lock(service->host);
    pended = client_take(client);
    host_unlock(service->host);
    if (!pended)
        return;
    if (pended->code == ROLLCALL_CODE_WAIT)
        err = look_archive(client, slot->data, &bytes);
    else
        err = read_archive(client, slot->data, pended->room, &bytes);
    if (err < 0) {
        put_back(client, pended, false);
        await_stored(client);
    } else {
        slot->request = pended;
        client_answer_taken(client, slot, err, bytes);
    }
    give_back(client);
}

/* What is pended is of the epoch that has ended. */
static void refuse_all(struct client *client)
{
    struct service *service = client->service;
    struct pended *pended;

    for (;;) {
        host_lock(service->host);
        pended = client_take(client);
        host_unlock(service->host);
        if (!pended)
            return;
        service->slot.request = pended;
        client_answer_taken(client, &service->slot, ESTALE, 0);
        give_back(client);
    }
}

void client_serve(struct client *client)
{
    struct host *host = client->service->host;

    if (!client_flush(client))
        return;
    settle(client);
    if (client->mode == CLIENT_LIVE)
        engine_match(host->engine, client->consumer);
    else if (client->mode == CLIENT_ARCHIVE)
        serve_archive(client);
    if (client->mode == CLIENT_NEW)
        refuse_all(client);
}

void client_stored(struct client *client)
{
    client->awaits = false;
    client_serve(client);
}

/* ---- acknowledgements ---- */

static int acknowledge_live(struct client *client, uint64_t seq)
{
    const struct rollcall_acknowledge request = {
        .request = {.version = ROLLCALL_PROTOCOL_VERSION, .size = sizeof(request)},
        .acked_seq = seq};

    return client_error(engine_acknowledge(client->service->host->engine, client->consumer,
                                           &request, sizeof(request)));
}

static int acknowledge_view(struct client *client, uint64_t seq)
{
    struct host *host = client->service->host;
    int err;

    host_lock(host);
    err = seq <= client->shown_seq ? 0 : EINVAL;
    host_unlock(host);
    return err;
}

static int acknowledge(struct client *client, uint64_t seq)
{
    int err = 0;

    if (client_has_view(client))
        return acknowledge_view(client, seq);
    if (client->mode == CLIENT_LIVE)
        err = acknowledge_live(client, seq);
    else
        err = seq < client->next.seq ? 0 : EINVAL;
    if (err || seq <= client->acked.seq)
        return err;
    client->acked.seq = seq;
    if (client->place)
        places_acknowledge(client->service->places, client->place, client->acked.epoch, seq);
    return 0;
}

static bool is_attached(const struct client *client)
{
    return client->mode == CLIENT_ARCHIVE || client->mode == CLIENT_LIVE;
}

static size_t nothing(const struct client *client, void *data)
{
    bool view = client_has_view(client);
    uint64_t last = view ? client->shown_seq : client->next.seq - 1;
    const struct rollcall_reply reply = {.epoch = view ? client->view.epoch : client->next.epoch,
                                         .first_seq = last + 1,
                                         .last_seq = last};

    memcpy(data, &reply, sizeof(reply));
    return sizeof(reply);
}

/* ---- who was there ---- */

static int begin_existing(struct client *client)
{
    const struct existing_options options = {.own = client_has_view(client),
                                             .uid = client->peer.uid};
    struct position at;
    int err = 0;

    client->existing = existing_open(&client->service->archive, &options, &at, &err);
    if (!client->existing)
        return err;
    leave_engine(client);
    client_begin(client, &at);
    return 0;
}

static void end_existing(struct client *client)
{
    existing_close(client->existing);
    client->existing = NULL;
}

int client_tell_existing(struct client *client, void *reply, size_t room, size_t *bytes)
{
    struct rollcall_reply head;
    size_t size = 0;
    int err = 0;

    if (!is_attached(client))
        return ENOTCONN;
    if (client->place || client->asked)
        return EINVAL;
    if (!client->existing)
        err = begin_existing(client);
    if (err)
        return err;
    *bytes = nothing(client, reply);
    memcpy(&head, reply, sizeof(head));
    err = existing_fill(client->existing, &client->service->archive,
                        (unsigned char *)reply + sizeof(head), room - sizeof(head), &head.count,
                        &size);
    head.size = (uint32_t)size;
    memcpy(reply, &head, sizeof(head));
    *bytes += err ? 0 : size;
    if (existing_done(client->existing))
        end_existing(client);
    return err;
}

/* Its first event is asked for: nothing more of what was before. */
static void begin_events(struct client *client)
{
    client->asked = true;
    end_existing(client);
}

/* ---- requests ---- */

int client_acknowledge(struct client *client, const struct rollcall_acknowledge *request)
{
    int err = is_attached(client) ? acknowledge(client, request->acked_seq) : ENOTCONN;

    /* It may have been what the end of an epoch waited for. */
    if (err == 0 && client->mode == CLIENT_ARCHIVE)
        client_serve(client);
    return err;
}

static int check(struct client *client, uint32_t code, const void *in, size_t size)
{
    struct rollcall_fetch fetch;

    if (code == ROLLCALL_CODE_WAIT)
        /* Each answer would say that somebody else did something. */
        return !request_plain(in, size) ? EINVAL : client_has_view(client) ? EPERM : 0;
    return request_fetch(in, size, &fetch) ? acknowledge(client, fetch.acked_seq) : EINVAL;
}

int client_pend(struct client *client, const struct pended *request, const void *in, size_t size)
{
    struct host *host = client->service->host;
    struct queue *queue = &client->queue;
    struct pended *pended;
    bool full;
    int err;

    if (!is_attached(client))
        return ENOTCONN;
    begin_events(client);
    host_lock(host);
    full = queue->count >= ROLLCALL_PENDED_MAX;
    host_unlock(host);
    if (full)
        return ENOBUFS;
    pended = malloc(sizeof(*pended));
    if (!pended)
        return ENOMEM;
    err = check(client, request->code, in, size);
    if (err) {
        free(pended);
        return err;
    }
    *pended = *request;
    pended->next = NULL;
    host_lock(host);
    *queue->last = pended;
    queue->last = &pended->next;
    queue->count++;
    if (client->mode == CLIENT_ARCHIVE)
        host_make_ready(host, client);
    host_unlock(host);
    if (client->mode == CLIENT_LIVE)
        engine_match(host->engine, client->consumer);
    return 0;
}

static bool is_busy(struct client *client)
{
    struct host *host = client->service->host;
    bool busy;

    host_lock(host);
    busy = client->queue.busy;
    host_unlock(host);
    return busy;
}

/* -1: nothing, else 0 or an errno value. */
static int drain(struct client *client, size_t room, size_t *bytes)
{
    const struct rollcall_fetch fetch = {
        .request = {.version = ROLLCALL_PROTOCOL_VERSION, .size = sizeof(fetch)}};
    struct slot *slot = &client->service->slot;
    enum engine_status status;

    settle(client);
    if (client->mode == CLIENT_LIVE) {
        status = engine_drain(client->service->host->engine, client->consumer, &fetch,
                              sizeof(fetch), slot->data, room, bytes);
        if (status == ENGINE_NOTHING && client_has_view(client))
            return -1;
        if (status != ENGINE_BEHIND)
            return client_error(status);
        fall_behind(client);
    }
    return read_archive(client, slot->data, room, bytes);
}

int client_drain(struct client *client, const void *in, size_t size, size_t room, size_t *bytes)
{
    struct slot *slot = &client->service->slot;
    int err = is_attached(client) ? check(client, ROLLCALL_CODE_DRAIN, in, size) : ENOTCONN;

    if (err)
        return err;
    begin_events(client);
    /* A fetch that is being answered: its events come first. */
    if (client_has_view(client) && is_busy(client)) {
        *bytes = nothing(client, slot->data);
        return 0;
    }
    do
        err = drain(client, room, bytes);
    while (err == 0 && client_has_view(client) && !filter(client, slot, bytes));
    if (err == ESTALE)
        refuse_all(client);
    if (err == 0)
        note_delivered(client, slot, *bytes);
    if (err >= 0)
        return err;
    *bytes = nothing(client, slot->data);
    return 0;
}
