/* SPDX-License-Identifier: MIT */
/* models/signal_and_drain.pml is its model: callback() is raise(), and Y is drain(). */
#include "lab/signal_and_drain.h"

#include <string.h>

struct waiting {
    struct waiting *next;
    struct rollcall_event event;
};

struct signal_and_drain {
    struct lab_driver driver;
    struct engine_host host;
    void *owner; /* whose queue X is in; NULL: nobody is there */
    struct waiting *first;
    struct waiting **last;
    uint64_t counter;
    uint64_t most; /* the counter's largest value */
    uint64_t raised;
    uint64_t dropped;
    uint64_t handed;
};

static struct signal_and_drain *of(struct lab_driver *driver)
{
    return (struct signal_and_drain *)(void *)driver;
}

static void signal(struct signal_and_drain *d, const struct engine_request *x)
{
    const struct rollcall_ready ready = {.next_seq = d->handed + 1, .last_seq = d->raised};

    memcpy(x->buffer, &ready, sizeof(ready));
    d->host.complete(d->host.context, x, ENGINE_OK, sizeof(ready));
}

/* With the lock held. false: there is no memory. */
static bool append(struct signal_and_drain *d, const struct rollcall_event *event)
{
    struct waiting *waiting = d->host.allocate(d->host.context, sizeof(*waiting));

    d->raised++;
    if (waiting == NULL) {
        d->dropped++;
        return false;
    }
    waiting->next = NULL;
    waiting->event = *event;
    waiting->event.seq = d->raised;
    *d->last = waiting;
    d->last = &waiting->next;
    return true;
}

static bool raise(struct lab_driver *driver, const struct rollcall_event *event)
{
    struct signal_and_drain *d = of(driver);
    struct engine_request x;
    bool appended, completes = false;

    d->host.lock(d->host.context);
    appended = append(d, event);
    if (appended && ++d->counter == 1 && d->owner != NULL)
        completes = d->host.take(d->host.context, d->owner, &x);
    if (d->counter > d->most)
        d->most = d->counter;
    d->host.unlock(d->host.context);
    if (completes)
        signal(d, &x);
    return appended;
}

/* With the lock held, and something there. */
static void hand_out(struct signal_and_drain *d, struct rollcall_event *event)
{
    struct waiting *waiting = d->first;

    *event = waiting->event;
    d->first = waiting->next;
    if (d->first == NULL)
        d->last = &d->first;
    d->host.release(d->host.context, waiting, sizeof(*waiting));
    d->handed++;
}

static enum engine_status drain(struct lab_driver *driver, void *buffer, size_t room, size_t *bytes)
{
    struct signal_and_drain *d = of(driver);
    struct rollcall_reply *reply = buffer;
    struct rollcall_event *events = (struct rollcall_event *)(void *)(reply + 1);
    size_t fit = (room - sizeof(*reply)) / sizeof(*events);

    memset(reply, 0, sizeof(*reply));
    d->host.lock(d->host.context);
    reply->first_seq = d->handed + 1;
    while (d->counter > 0 && reply->count < fit) {
        hand_out(d, &events[reply->count++]);
        d->counter--;
    }
    reply->last_seq = d->handed;
    d->host.unlock(d->host.context);
    reply->size = reply->count * (uint32_t)sizeof(*events);
    *bytes = sizeof(*reply) + reply->size;
    return reply->count > 0 ? ENGINE_OK : ENGINE_NOTHING;
}

static enum engine_status attach(struct lab_driver *driver, void *owner,
                                 struct rollcall_attached *attached)
{
    struct signal_and_drain *d = of(driver);

    memset(attached, 0, sizeof(*attached));
    d->host.lock(d->host.context);
    d->owner = owner;
    attached->acked_seq = d->handed;
    attached->last_seq = d->raised;
    d->host.unlock(d->host.context);
    return ENGINE_OK;
}

static void close(struct lab_driver *driver)
{
    struct signal_and_drain *d = of(driver);

    d->host.lock(d->host.context);
    d->owner = NULL;
    d->host.unlock(d->host.context);
}

/* X is pended, whatever the counter says; only the callback completes it. */
static enum engine_status check(struct lab_driver *driver, bool wait, uint64_t acked_seq)
{
    (void)driver;
    (void)acked_seq;
    return wait ? ENGINE_OK : ENGINE_INVALID;
}

static void match(struct lab_driver *driver)
{
    (void)driver;
}

static void figures(struct lab_driver *driver, struct lab_figures *figures)
{
    struct signal_and_drain *d = of(driver);

    d->host.lock(d->host.context);
    *figures = (struct lab_figures){.raised = d->raised,
                                    .dropped = d->dropped,
                                    .waiting = d->raised - d->dropped - d->handed,
                                    .bytes_most = d->most * sizeof(struct waiting)};
    d->host.unlock(d->host.context);
}

static void destroy(struct lab_driver *driver)
{
    struct signal_and_drain *d = of(driver);
    struct engine_host host = d->host;
    struct rollcall_event event;

    host.lock(host.context);
    while (d->first != NULL)
        hand_out(d, &event);
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

enum engine_status signal_and_drain_create(const struct lab_design *design,
                                           const struct engine_host *host, struct lab_driver **out)
{
    struct signal_and_drain *d;

    host->lock(host->context);
    d = host->allocate(host->context, sizeof(*d));
    host->unlock(host->context);
    if (d == NULL)
        return ENGINE_NO_MEMORY;
    *d = (struct signal_and_drain){.driver = {.kind = &kind, .design = design}, .host = *host};
    d->last = &d->first;
    *out = &d->driver;
    return ENGINE_OK;
}
