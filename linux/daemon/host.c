/* SPDX-License-Identifier: MIT */
#include "linux/daemon/host.h"

#include "lib/error.h"
#include "linux/clock.h"
#include "linux/daemon/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* ---- what the engine calls ---- */

static void lock(void *context)
{
    host_lock(context);
}

static void unlock(void *context)
{
    host_unlock(context);
}

static void *allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

static bool take(void *context, void *owner, struct engine_request *request)
{
    struct host *host = context;
    struct client *client = owner;
    struct slot *slot = host->free;
    struct pended *pended = client_take(client);

    if (!pended)
        return false;
    host->free = slot->next;
    slot->client = client;
    slot->request = pended;
    request->request = slot;
    request->buffer = slot->data;
    request->size = pended->room < sizeof(slot->data) ? pended->room : sizeof(slot->data);
    request->wait = pended->code == ROLLCALL_CODE_WAIT;
    return true;
}

static void complete(void *context, const struct engine_request *request, enum engine_status status,
                     size_t bytes)
{
    struct host *host = context;
    struct slot *slot = request->request;
    struct client *client = slot->client;

    client_answer_taken(client, slot, client_error(status), bytes);
    host_lock(host);
    slot->next = host->free;
    host->free = slot;
    host_unlock(host);
    client_release(client);
}

static uint32_t pended(void *context, void *owner)
{
    const struct client *client = owner;

    (void)context;
    return client->queue.count;
}

static void behind(void *context, void *owner, uint64_t next_seq)
{
    struct client *client = owner;

    client->queue.is_behind = true;
    client->queue.next_seq = next_seq;
    host_make_ready(context, client);
}

/* ---- the list of those that are ready ---- */

void host_wake(struct host *host)
{
    uint64_t one = 1;
    ssize_t written = write(host->ready_fd, &one, sizeof(one));

    /* It can only be full of wake-ups. */
    (void)written;
}

bool host_await(struct host *host, uint64_t seq)
{
    atomic_store(&host->awaited, true);
    return atomic_load(&host->stored_seq) < seq;
}

void host_stored(struct host *host, uint64_t seq)
{
    atomic_store(&host->stored_seq, seq);
    if (atomic_exchange(&host->awaited, false))
        host_wake(host);
}

void host_hurry(struct host *host)
{
    atomic_store(&host->hurries, true);
    if (host->source)
        waker_wake(host->source);
}

void host_make_ready(struct host *host, struct client *client)
{
    if (client->queue.ready)
        return;
    client->queue.ready = true;
    client->queue.references++;
    client->queue.next_ready = host->ready;
    host->ready = client;
    host_wake(host);
}

struct client *host_take_ready(struct host *host)
{
    struct client *first;
    uint64_t wakes;
    ssize_t got = read(host->ready_fd, &wakes, sizeof(wakes));

    /* Before the list is looked at: who comes later wakes again. */
    (void)got;
    host_lock(host);
    first = host->ready;
    host->ready = NULL;
    host_unlock(host);
    return first;
}

struct client *host_next_ready(struct host *host, struct client *client)
{
    struct client *next;

    host_lock(host);
    next = client->queue.next_ready;
    client->queue.ready = false;
    host_unlock(host);
    return next;
}

/* ---- beginning and end ---- */

int host_open(struct host *host, const struct host_options *options)
{
    const struct engine_host engine_host = {.context = host,
                                            .lock = lock,
                                            .unlock = unlock,
                                            .allocate = allocate,
                                            .release = release,
                                            .take = take,
                                            .complete = complete,
                                            .pended = pended,
                                            .behind = behind};
    struct engine_options engine_options = {.epoch = options->epoch,
                                            .wall_offset_ns = clock_wall_offset_ns(),
                                            .attached_ns = options->attached_ns,
                                            .budget = options->memory,
                                            .record_max = ROLLCALL_RECORD_MAX,
                                            .last_seq = options->last_seq};

    host->epoch = options->epoch;
    host->source = options->source;
    atomic_init(&host->posted_seq, options->last_seq);
    atomic_init(&host->stored_seq, options->last_seq);
    pthread_mutex_init(&host->lock, NULL);
    for (unsigned i = 0; i < SLOTS; i++) {
        host->slots[i].next = host->free;
        host->free = &host->slots[i];
    }
    host->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (host->ready_fd < 0)
        return rollcall_fail(-errno, "out of file descriptors: %s", strerror(errno));
    if (engine_create(&engine_host, &engine_options, &host->engine) == ENGINE_OK)
        return 0;
    close(host->ready_fd);
    return rollcall_fail(-ENOMEM, "out of memory");
}

void host_close(struct host *host)
{
    engine_destroy(host->engine);
    close(host->ready_fd);
    pthread_mutex_destroy(&host->lock);
}
