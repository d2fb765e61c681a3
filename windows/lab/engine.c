/* SPDX-License-Identifier: MIT */
/*
 * A design, as the engine of the driver; the value `Design` of the service's Parameters key is its
 * number in lab/design.c.
 *
 * A wait lock keeps the callers apart, as the designs want it; all of them are at PASSIVE_LEVEL. It
 * is held while requests are completed too. So what is counted here is of one service at a time: a
 * call for a consumer that is closed does nothing.
 */
#include "windows/lab/engine.h"

#include "core/request.h"
#include "lab/driver.h"
#include "windows/driver/ntos.h"
#include "windows/lab/report.h"

#include <string.h>

struct engine {
    const struct lab_design *design;
    struct lab_driver *driver;
    struct engine_host host; /* the driver's own */
    WDFWAITLOCK lock;
    uint64_t consumer;  /* who is attached; 0: nobody */
    uint64_t consumers; /* how many there were */
    uint64_t arrived;
    uint64_t answered;
    struct report_fate *fates;
    uint32_t events;
};

/* A driver has one, and what completes a request is given the host's context. */
static struct engine the_engine;

static void enter(struct engine *engine)
{
    WdfWaitLockAcquire(engine->lock, NULL);
}

static void leave(struct engine *engine)
{
    WdfWaitLockRelease(engine->lock);
}

/* ---- answers ---- */

/* Designs with a budget drop nothing before it has a number: the first is 1. */
static void tell(struct engine *engine, const struct rollcall_event *gap)
{
    for (uint64_t seq = gap->seq; seq < gap->seq + gap->lost; seq++)
        engine->fates[seq - 1].told = 1;
}

static void hand(struct engine *engine, const struct rollcall_reply *reply)
{
    const struct rollcall_event *event = (const struct rollcall_event *)(const void *)(reply + 1);

    for (uint32_t i = 0; i < reply->count; i++, event++) {
        if (event->type == ROLLCALL_GAP)
            tell(engine, event);
        else
            engine->fates[event->start_ns].handed = 1;
    }
}

static void complete(void *context, const struct engine_request *request, enum engine_status status,
                     size_t bytes)
{
    struct engine *engine = &the_engine;

    if (status == ENGINE_OK && !request->wait)
        hand(engine, request->buffer);
    engine->answered++;
    engine->host.complete(context, request, status, bytes);
}

/* ---- its life ---- */

static const struct lab_design *chosen(void)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"Design");
    WDFDRIVER driver = WdfDriverGlobals->Driver;
    NTSTATUS status;
    ULONG number;
    WDFKEY key;

    if (!NT_SUCCESS(
            WdfDriverOpenParametersRegistryKey(driver, KEY_READ, WDF_NO_OBJECT_ATTRIBUTES, &key)))
        return NULL;
    status = WdfRegistryQueryULong(key, &name, &number);
    WdfRegistryClose(key);
    return NT_SUCCESS(status) ? lab_design_at(number) : NULL;
}

enum engine_status engine_create(const struct engine_host *host,
                                 const struct engine_options *options, struct engine **out)
{
    struct engine *engine = &the_engine;
    struct engine_host ours = *host;
    enum engine_status status;

    UNREFERENCED_PARAMETER(options);
    memset(engine, 0, sizeof(*engine));
    engine->host = *host;
    ours.complete = complete;
    engine->design = chosen();
    if (engine->design == NULL)
        return ENGINE_INVALID;
    if (!NT_SUCCESS(WdfWaitLockCreate(WDF_NO_OBJECT_ATTRIBUTES, &engine->lock)))
        return ENGINE_NO_MEMORY;
    engine->fates =
        ExAllocatePoolWithTag(NonPagedPoolNx, REPORT_EVENTS * sizeof(*engine->fates), POOL_TAG);
    if (engine->fates == NULL)
        return ENGINE_NO_MEMORY;
    memset(engine->fates, 0, REPORT_EVENTS * sizeof(*engine->fates));
    status = lab_driver_create(engine->design, &ours, &engine->driver);
    if (status != ENGINE_OK) {
        ExFreePoolWithTag(engine->fates, POOL_TAG);
        return status;
    }
    *out = engine;
    return ENGINE_OK;
}

void engine_destroy(struct engine *engine)
{
    if (engine == NULL)
        return;
    lab_driver_destroy(engine->driver);
    ExFreePoolWithTag(engine->fates, POOL_TAG);
}

/* ---- events ---- */

uint32_t engine_record_limit(struct engine *engine)
{
    UNREFERENCED_PARAMETER(engine);
    return ROLLCALL_RECORD_MIN;
}

/* Designs are compared by events of one size: the record's strings stay behind. */
static void raise(struct engine *engine, const struct rollcall_event *record)
{
    struct report_fate *fate = &engine->fates[engine->events];
    struct rollcall_event event = *record;

    event.size = sizeof(event);
    event.start_ns = engine->events++;
    fate->raised_ns = record->mono_ns;
    if (!lab_driver_raise(engine->driver, &event))
        fate->dropped = 1;
}

/* The lab is of creations; what is beyond its size is seen to be missing. */
enum engine_status engine_post(struct engine *engine, const struct rollcall_event *record)
{
    if (record->type != ROLLCALL_CREATE)
        return ENGINE_OK;
    enter(engine);
    if (engine->events < REPORT_EVENTS)
        raise(engine, record);
    leave(engine);
    return ENGINE_OK;
}

enum engine_status engine_post_create(struct engine *engine, const struct rollcall_event *record)
{
    return engine_post(engine, record);
}

/* ---- the service ---- */

enum engine_status engine_attach(struct engine *engine, const void *request, size_t size,
                                 void *owner, uint32_t pid, struct rollcall_attached *attached,
                                 uint64_t *consumer)
{
    enum engine_status status = ENGINE_BUSY;

    UNREFERENCED_PARAMETER(pid);
    if (!request_plain(request, size))
        return ENGINE_INVALID;
    enter(engine);
    if (engine->consumer == 0)
        status = lab_driver_attach(engine->driver, owner, attached);
    if (status == ENGINE_OK) {
        engine->consumer = ++engine->consumers;
        engine->arrived = 0;
        engine->answered = 0;
        *consumer = engine->consumer;
    }
    leave(engine);
    return status;
}

void engine_close(struct engine *engine, uint64_t id)
{
    enter(engine);
    if (id != 0 && id == engine->consumer) {
        lab_driver_close(engine->driver);
        engine->consumer = 0;
    }
    leave(engine);
}

/* ---- requests ---- */

static bool is_attached(const struct engine *engine, uint64_t id)
{
    return id != 0 && id == engine->consumer;
}

static enum engine_status check(struct engine *engine, uint64_t id, bool wait, uint64_t acked_seq)
{
    enum engine_status status = ENGINE_CLOSED;

    enter(engine);
    if (is_attached(engine, id))
        status = lab_driver_check(engine->driver, wait, acked_seq);
    leave(engine);
    return status;
}

enum engine_status engine_fetch(struct engine *engine, uint64_t id, const void *request,
                                size_t size)
{
    struct rollcall_fetch fetch;

    if (!request_fetch(request, size, &fetch))
        return ENGINE_INVALID;
    return check(engine, id, false, fetch.acked_seq);
}

enum engine_status engine_wait(struct engine *engine, uint64_t id, const void *request, size_t size)
{
    return request_plain(request, size) ? check(engine, id, true, 0) : ENGINE_INVALID;
}

enum engine_status engine_match(struct engine *engine, uint64_t id)
{
    bool attached;

    enter(engine);
    attached = is_attached(engine, id);
    if (attached) {
        lab_driver_match(engine->driver);
        engine->arrived++;
    }
    leave(engine);
    return attached ? ENGINE_OK : ENGINE_CLOSED;
}

enum engine_status engine_drain(struct engine *engine, uint64_t id, const void *request,
                                size_t size, void *buffer, size_t room, size_t *bytes)
{
    enum engine_status status = ENGINE_CLOSED;
    struct rollcall_fetch fetch;

    if (!request_fetch(request, size, &fetch))
        return ENGINE_INVALID;
    enter(engine);
    if (is_attached(engine, id)) {
        status = lab_driver_drain(engine->driver, buffer, room, bytes);
        if (status == ENGINE_OK)
            hand(engine, buffer);
        engine->answered++;
        engine->arrived++;
    }
    leave(engine);
    return status;
}

/* ---- the report ---- */

static void fill(struct engine *engine, struct report *report, uint32_t first, size_t room)
{
    struct lab_figures figures;
    size_t fit = (room - sizeof(*report)) / sizeof(*engine->fates);

    lab_driver_figures(engine->driver, &figures);
    memset(report, 0, sizeof(*report));
    strncpy(report->design, engine->design->name, sizeof(report->design) - 1);
    report->arrived = engine->arrived;
    report->answered = engine->answered;
    report->raised = figures.raised;
    report->dropped = figures.dropped;
    report->waiting = figures.waiting;
    report->bytes_most = figures.bytes_most;
    report->events = engine->events;
    if (first >= engine->events)
        return;
    report->count = fit < engine->events - first ? (uint32_t)fit : engine->events - first;
    memcpy(report + 1, &engine->fates[first], report->count * sizeof(*engine->fates));
}

enum engine_status engine_stats(struct engine *engine, const void *request, size_t size,
                                void *buffer, size_t room, size_t *bytes)
{
    struct report_request asked;
    struct report *report = buffer;

    if (size != sizeof(asked))
        return ENGINE_INVALID;
    memcpy(&asked, request, sizeof(asked));
    if (asked.request.version != ROLLCALL_PROTOCOL_VERSION || asked.request.size != size ||
        asked.request.flags != 0 || asked.reserved != 0 || room < sizeof(*report))
        return ENGINE_INVALID;
    enter(engine);
    fill(engine, report, asked.first, room);
    leave(engine);
    *bytes = sizeof(*report) + report->count * sizeof(*engine->fates);
    return ENGINE_OK;
}

/* ---- what no design has ---- */

enum engine_status engine_acknowledge(struct engine *engine, uint64_t id, const void *request,
                                      size_t size)
{
    UNREFERENCED_PARAMETER(engine);
    UNREFERENCED_PARAMETER(id);
    UNREFERENCED_PARAMETER(request);
    UNREFERENCED_PARAMETER(size);
    return ENGINE_INVALID;
}

enum engine_status engine_configure(struct engine *engine, const void *request, size_t size)
{
    UNREFERENCED_PARAMETER(engine);
    UNREFERENCED_PARAMETER(request);
    UNREFERENCED_PARAMETER(size);
    return ENGINE_INVALID;
}

enum engine_status engine_detach(struct engine *engine, const void *request, size_t size)
{
    UNREFERENCED_PARAMETER(engine);
    UNREFERENCED_PARAMETER(request);
    UNREFERENCED_PARAMETER(size);
    return ENGINE_INVALID;
}
