/* SPDX-License-Identifier: MIT */
#include "tests/core/host.h"

#include "tests/core/check.h"

#include <string.h>

#define CANARY 0x5ca1ab1e0ddba11u

/* ---- what the engine calls ---- */

static void lock(void *context)
{
    struct host *host = context;

    CHECK(host->threads || !host->locked);
    pthread_mutex_lock(&host->lock);
    host->locked = true;
    host->locks++;
}

static void unlock(void *context)
{
    struct host *host = context;
    void (*unlocked)(struct host * host);

    CHECK(host->locked);
    host->locked = false;
    unlocked = host->unlocked;
    host->unlocked = NULL;
    pthread_mutex_unlock(&host->lock);
    if (unlocked)
        unlocked(host);
}

static bool fails(const struct host *host)
{
    return host->fail_all || host->allocations == host->fail_at ||
           (host->fail_from && host->allocations >= host->fail_from);
}

static void *allocate(void *context, size_t size)
{
    struct host *host = context;
    void *memory;

    host->allocations++;
    if (fails(host))
        return NULL;
    memory = malloc(size);
    CHECK(memory);
    memset(memory, 0xa5, size);
    host->allocated += size;
    if (host->allocated > host->most)
        host->most = host->allocated;
    return memory;
}

static void release(void *context, void *memory, size_t size)
{
    struct host *host = context;

    CHECK(memory && size <= host->allocated);
    host->allocated -= size;
    memset(memory, 0x5a, size);
    free(memory);
}

static struct request *pop(struct owner *owner, struct request **place)
{
    struct request *request = *place;

    *place = request->next;
    if (!request->next)
        owner->last = place;
    request->queued = false;
    owner->count--;
    return request;
}

static bool take(void *context, void *queue, struct engine_request *out)
{
    struct host *host = context;
    struct owner *owner = queue;
    struct request *request = NULL;

    CHECK(host->locked);
    pthread_mutex_lock(&host->queues);
    if (owner->first)
        request = pop(owner, &owner->first);
    pthread_mutex_unlock(&host->queues);
    if (!request)
        return false;
    out->request = request;
    out->buffer = request->data;
    out->size = request->size;
    out->wait = request->wait;
    return true;
}

static void complete(void *context, const struct engine_request *taken, enum engine_status status,
                     size_t bytes)
{
    struct host *host = context;

    CHECK(host->threads || !host->locked);
    request_complete(host, taken->request, status, bytes);
}

static uint32_t pended(void *context, void *queue)
{
    struct host *host = context;
    const struct owner *owner = queue;
    uint32_t count;

    CHECK(host->locked);
    pthread_mutex_lock(&host->queues);
    count = owner->count;
    pthread_mutex_unlock(&host->queues);
    return count;
}

/* ---- the host ---- */

void host_init(struct host *host)
{
    memset(host, 0, sizeof(*host));
    pthread_mutex_init(&host->lock, NULL);
    pthread_mutex_init(&host->queues, NULL);
    pthread_cond_init(&host->completed, NULL);
    host->engine.context = host;
    host->engine.lock = lock;
    host->engine.unlock = unlock;
    host->engine.allocate = allocate;
    host->engine.release = release;
    host->engine.take = take;
    host->engine.complete = complete;
    host->engine.pended = pended;
}

void host_destroy(struct host *host)
{
    CHECK(host->allocated == 0);
    CHECK(!host->locked);
    pthread_mutex_destroy(&host->lock);
    pthread_mutex_destroy(&host->queues);
    pthread_cond_destroy(&host->completed);
}

struct engine *host_create_engine(struct host *host, uint64_t budget, bool deny)
{
    const struct engine_options options = {.epoch = HOST_EPOCH,
                                           .wall_offset_ns = 5,
                                           .attached_ns = 3,
                                           .budget = budget,
                                           .record_max = ROLLCALL_RECORD_MAX,
                                           .deny = deny};
    struct engine *engine = NULL;

    CHECK(engine_create(&host->engine, &options, &engine) == ENGINE_OK);
    return engine;
}

/* ---- requests ---- */

void owner_init(struct owner *owner)
{
    owner->first = NULL;
    owner->last = &owner->first;
    owner->count = 0;
    owner->refuses = false;
}

struct request *request_new(size_t size, bool wait)
{
    struct request *request = calloc(1, sizeof(*request));

    CHECK(request && size % sizeof(uint64_t) == 0);
    request->size = size;
    request->wait = wait;
    request->data = calloc(1, size + sizeof(uint64_t));
    CHECK(request->data);
    request->data[size / sizeof(uint64_t)] = CANARY;
    return request;
}

void request_free(struct request *request)
{
    CHECK(!request->queued);
    free(request->data);
    free(request);
}

bool request_queue(struct host *host, struct owner *owner, struct request *request)
{
    bool refused;

    pthread_mutex_lock(&host->queues);
    CHECK(!request->queued);
    refused = owner->refuses;
    if (!refused) {
        request->queued = true;
        request->done = false;
        request->next = NULL;
        *owner->last = request;
        owner->last = &request->next;
        owner->count++;
    }
    pthread_mutex_unlock(&host->queues);
    return !refused;
}

bool request_cancel(struct host *host, struct owner *owner, struct request *request)
{
    struct request **place = &owner->first;
    bool found;

    pthread_mutex_lock(&host->queues);
    while (*place && *place != request)
        place = &(*place)->next;
    found = *place;
    if (found)
        pop(owner, place);
    pthread_mutex_unlock(&host->queues);
    return found;
}

void request_complete(struct host *host, struct request *request, enum engine_status status,
                      size_t bytes)
{
    CHECK(bytes <= request->size);
    CHECK(request->data[request->size / sizeof(uint64_t)] == CANARY);
    request->status = status;
    request->bytes = bytes;
    /* From here on it is the consumer's again. */
    pthread_mutex_lock(&host->queues);
    CHECK(!request->done && !request->queued);
    request->done = true;
    pthread_cond_broadcast(&host->completed);
    pthread_mutex_unlock(&host->queues);
}

void request_await(struct host *host, struct request *request)
{
    pthread_mutex_lock(&host->queues);
    while (!request->done)
        pthread_cond_wait(&host->completed, &host->queues);
    pthread_mutex_unlock(&host->queues);
}

void owner_refuse(struct host *host, struct owner *owner)
{
    struct request *request;

    do {
        pthread_mutex_lock(&host->queues);
        owner->refuses = true;
        request = owner->first ? pop(owner, &owner->first) : NULL;
        pthread_mutex_unlock(&host->queues);
        if (request)
            request_complete(host, request, ENGINE_CLOSED, 0);
    } while (request);
}

/* ---- what a consumer sends ---- */

static void make_head(struct rollcall_request *request, size_t size)
{
    memset(request, 0, size);
    request->version = ROLLCALL_PROTOCOL_VERSION;
    request->size = (uint32_t)size;
}

void make_attach(struct rollcall_attach *request, const char *name, unsigned flags)
{
    make_head(&request->request, sizeof(*request));
    request->request.flags = (uint16_t)flags;
    request->name_size = (uint32_t)strlen(name);
    memcpy(request->name, name, strlen(name));
}

void make_detach(struct rollcall_detach_request *request, const char *name)
{
    make_head(&request->request, sizeof(*request));
    request->name_size = (uint32_t)strlen(name);
    memcpy(request->name, name, strlen(name));
}

void make_fetch(struct rollcall_fetch *request, uint64_t acked_seq)
{
    make_head(&request->request, sizeof(*request));
    request->acked_seq = acked_seq;
}

void make_acknowledge(struct rollcall_acknowledge *request, uint64_t acked_seq)
{
    make_head(&request->request, sizeof(*request));
    request->acked_seq = acked_seq;
}

void make_configure(struct rollcall_configure *request, uint64_t budget, uint32_t record_max)
{
    make_head(&request->request, sizeof(*request));
    request->request.flags = (uint16_t)((budget ? ROLLCALL_CONFIGURE_BUDGET : 0) |
                                        (record_max ? ROLLCALL_CONFIGURE_RECORD : 0));
    request->budget = budget;
    request->record_max = record_max;
}

void make_plain(struct rollcall_request *request)
{
    make_head(request, sizeof(*request));
}

/* ---- events ---- */

void make_event(void *memory, enum rollcall_type type, uint32_t pid, uint32_t size)
{
    struct rollcall_event *event = memory;
    struct rollcall_text *text = (void *)(event + 1);

    memset(event, 0, sizeof(*event));
    event->size = size;
    event->version = ROLLCALL_EVENT_VERSION;
    event->type = (uint16_t)type;
    event->mono_ns = event_mono_ns(pid);
    event->pid = pid;
    if (size == sizeof(*event))
        return;
    CHECK(size % 8 == 0 && size >= sizeof(*event) + sizeof(*text));
    text->field = ROLLCALL_COMMAND;
    text->flags = 0;
    text->size = size - (uint32_t)(sizeof(*event) + sizeof(*text));
    text->full_size = text->size;
    memset(text + 1, (int)(pid & 0xff), text->size);
}

bool is_event(const struct rollcall_event *event, uint32_t pid, uint32_t size)
{
    const struct rollcall_text *text = (const void *)(event + 1);
    const unsigned char *bytes = (const void *)(text + 1);

    if (event->pid != pid || event->size != size || event->mono_ns != event_mono_ns(pid))
        return false;
    if (size == sizeof(*event))
        return true;
    for (uint32_t i = 0; i < text->size; i++)
        if (bytes[i] != (pid & 0xff))
            return false;
    return true;
}
