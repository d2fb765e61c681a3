/* SPDX-License-Identifier: MIT */
/*
 * What the engine does not do by itself, and these designs do: an event that finds no request is
 * dropped when `capacity` events wait already, and an event is forgotten once it is handed out.
 *
 * models/queues.pml is their model: callback() is raise(), `handed` is complete().
 */
#include "lab/engine_driver.h"

#include <stdatomic.h>
#include <string.h>

/* Durable: events wait while the service is away. */
static const char consumer_name[] = "lab";

struct engine_driver {
    struct lab_driver driver;
    struct engine_host host; /* the real one */
    struct engine *engine;
    void *owner; /* NULL: nobody is there */
    uint64_t consumer;
    uint64_t raised;
    uint64_t posted; /* the rest was dropped */
    uint64_t bytes_most;
    uint64_t waiting_most;
    _Atomic uint64_t handed; /* the largest number handed out */
};

static struct engine_driver *of(struct lab_driver *driver)
{
    return (struct engine_driver *)(void *)driver;
}

static struct rollcall_request head(size_t size, unsigned flags)
{
    return (struct rollcall_request){
        .version = ROLLCALL_PROTOCOL_VERSION, .flags = (uint16_t)flags, .size = (uint32_t)size};
}

/* ---- what the engine is given ---- */

static void host_lock(void *context)
{
    struct engine_driver *d = context;

    d->host.lock(d->host.context);
}

static void host_unlock(void *context)
{
    struct engine_driver *d = context;

    d->host.unlock(d->host.context);
}

static void *host_allocate(void *context, size_t size)
{
    struct engine_driver *d = context;

    return d->host.allocate(d->host.context, size);
}

static void host_release(void *context, void *memory, size_t size)
{
    struct engine_driver *d = context;

    d->host.release(d->host.context, memory, size);
}

static bool host_take(void *context, void *owner, struct engine_request *request)
{
    struct engine_driver *d = context;

    return d->host.take(d->host.context, owner, request);
}

/* What was handed out is forgotten, unless the design keeps it. */
static void handed_out(struct engine_driver *d, const struct rollcall_reply *reply)
{
    struct rollcall_acknowledge request = {.request = head(sizeof(request), 0),
                                           .acked_seq = reply->last_seq};
    uint64_t handed = atomic_load(&d->handed);

    if (reply->count == 0)
        return;
    while (reply->last_seq > handed &&
           !atomic_compare_exchange_weak(&d->handed, &handed, reply->last_seq))
        ;
    if (!d->driver.design->keeps)
        (void)engine_acknowledge(d->engine, d->consumer, &request, sizeof(request));
}

static void host_complete(void *context, const struct engine_request *request,
                          enum engine_status status, size_t bytes)
{
    struct engine_driver *d = context;

    if (status == ENGINE_OK && !request->wait)
        handed_out(d, request->buffer);
    d->host.complete(d->host.context, request, status, bytes);
}

static uint32_t host_pended(void *context, void *owner)
{
    struct engine_driver *d = context;

    return owner != NULL ? d->host.pended(d->host.context, owner) : 0;
}

/* ---- the design ---- */

/* Only when more events wait than ever: it is the most that is asked for. */
static void measure(struct engine_driver *d)
{
    const struct rollcall_request request = head(sizeof(request), 0);
    struct rollcall_engine_stats stats = {.used = 0};
    uint64_t waiting = d->posted - atomic_load(&d->handed);
    size_t bytes;

    if (waiting <= d->waiting_most)
        return;
    d->waiting_most = waiting;
    (void)engine_stats(d->engine, &request, sizeof(request), &stats, sizeof(stats), &bytes);
    if (stats.used > d->bytes_most)
        d->bytes_most = stats.used;
}

static bool has_place(struct engine_driver *d)
{
    uint32_t pended;

    if (d->posted - atomic_load(&d->handed) < d->driver.design->capacity)
        return true;
    host_lock(d);
    pended = host_pended(d, d->owner);
    host_unlock(d);
    return pended > 0;
}

static bool raise(struct lab_driver *driver, const struct rollcall_event *event)
{
    struct engine_driver *d = of(driver);

    d->raised++;
    if (!has_place(d))
        return false;
    d->posted++;
    if (engine_post(d->engine, event) != ENGINE_OK)
        return false;
    measure(d);
    return true;
}

static enum engine_status attach(struct lab_driver *driver, void *owner,
                                 struct rollcall_attached *attached)
{
    struct engine_driver *d = of(driver);
    struct rollcall_attach request = {.request = head(sizeof(request), ROLLCALL_ATTACH_OLDEST),
                                      .name_size = sizeof(consumer_name) - 1};
    enum engine_status status;

    memcpy(request.name, consumer_name, sizeof(consumer_name) - 1);
    d->owner = owner;
    status = engine_attach(d->engine, &request, sizeof(request), owner, 0, attached, &d->consumer);
    if (status != ENGINE_OK)
        d->owner = NULL;
    return status;
}

static void close(struct lab_driver *driver)
{
    struct engine_driver *d = of(driver);

    engine_close(d->engine, d->consumer);
    d->owner = NULL;
}

static enum engine_status check(struct lab_driver *driver, bool wait, uint64_t acked_seq)
{
    struct engine_driver *d = of(driver);
    struct rollcall_fetch fetch = {.request = head(sizeof(fetch), 0), .acked_seq = acked_seq};

    if (wait) {
        fetch.request = head(sizeof(fetch.request), 0);
        return engine_wait(d->engine, d->consumer, &fetch.request, sizeof(fetch.request));
    }
    return engine_fetch(d->engine, d->consumer, &fetch, sizeof(fetch));
}

static void match(struct lab_driver *driver)
{
    struct engine_driver *d = of(driver);

    (void)engine_match(d->engine, d->consumer);
}

static enum engine_status drain(struct lab_driver *driver, void *buffer, size_t room, size_t *bytes)
{
    struct engine_driver *d = of(driver);
    const struct rollcall_fetch fetch = {.request = head(sizeof(fetch), 0)};
    enum engine_status status =
        engine_drain(d->engine, d->consumer, &fetch, sizeof(fetch), buffer, room, bytes);

    if (status == ENGINE_OK)
        handed_out(d, buffer);
    return status;
}

static void figures(struct lab_driver *driver, struct lab_figures *figures)
{
    struct engine_driver *d = of(driver);

    *figures = (struct lab_figures){.raised = d->raised,
                                    .dropped = d->raised - d->posted,
                                    .waiting = d->posted - atomic_load(&d->handed),
                                    .bytes_most = d->bytes_most};
}

static void destroy(struct lab_driver *driver)
{
    struct engine_driver *d = of(driver);
    struct engine_host host = d->host;

    engine_destroy(d->engine);
    host.lock(host.context);
    host.release(host.context, d, sizeof(*d));
    host.unlock(host.context);
}

static const struct lab_driver_kind kind = {.destroy = destroy,
                                            .raise = raise,
                                            .attach = attach,
                                            .close = close,
                                            .check = check,
                                            .match = match,
                                            .drain = drain,
                                            .figures = figures};

enum engine_status engine_driver_create(const struct lab_design *design,
                                        const struct engine_host *host, struct lab_driver **out)
{
    struct engine_options options = {
        .epoch = 1, .budget = design->budget, .record_max = ROLLCALL_RECORD_MIN};
    struct engine_host ours = {.lock = host_lock,
                               .unlock = host_unlock,
                               .allocate = host_allocate,
                               .release = host_release,
                               .take = host_take,
                               .complete = host_complete,
                               .pended = host_pended};
    enum engine_status status;
    struct engine_driver *d;

    host->lock(host->context);
    d = host->allocate(host->context, sizeof(*d));
    host->unlock(host->context);
    if (d == NULL)
        return ENGINE_NO_MEMORY;
    *d = (struct engine_driver){.driver = {.kind = &kind, .design = design}, .host = *host};
    ours.context = d;
    status = engine_create(&ours, &options, &d->engine);
    if (status != ENGINE_OK) {
        host->lock(host->context);
        host->release(host->context, d, sizeof(*d));
        host->unlock(host->context);
        return status;
    }
    *out = &d->driver;
    return ENGINE_OK;
}
