/* SPDX-License-Identifier: MIT */
#include "lab/service.h"

#include <string.h>

static bool send(struct lab_service *s, unsigned slot, uint32_t code)
{
    uint64_t acked_seq = s->design->keeps ? s->done_seq : 0;

    return s->port->send(s->port->context, slot, code, acked_seq);
}

static bool work(struct lab_service *s, const struct rollcall_reply *reply)
{
    const struct rollcall_event *event = (const struct rollcall_event *)(const void *)(reply + 1);

    for (uint32_t i = 0; i < reply->count; i++, event++)
        if (event->type != ROLLCALL_GAP && !s->port->work(s->port->context, event))
            return false;
    return true;
}

/* ---- requests that are completed with events ---- */

static bool fetched(struct lab_service *s, unsigned slot, const struct rollcall_reply *reply)
{
    if (!work(s, reply))
        return false;
    s->done_seq = reply->last_seq;
    return send(s, slot, ROLLCALL_CODE_FETCH);
}

/* Whose turn it is; LAB_REQUESTS_MAX: nobody's. */
static unsigned next_early(const struct lab_service *s)
{
    unsigned slot = 0;

    while (slot < LAB_REQUESTS_MAX &&
           (s->early[slot] == NULL || s->early[slot]->first_seq != s->done_seq + 1))
        slot++;
    return slot;
}

/* An acknowledgement is of all up to a number, so answers are worked on in the order of their events:
 * two may be taken off the port in another one. */
static bool fetched_in_order(struct lab_service *s, unsigned slot,
                             const struct rollcall_reply *reply)
{
    s->early[slot] = reply;
    while ((slot = next_early(s)) < LAB_REQUESTS_MAX) {
        reply = s->early[slot];
        s->early[slot] = NULL;
        if (!fetched(s, slot, reply))
            return false;
    }
    return true;
}

/* ---- a signal, then what is there ---- */

static bool drain(struct lab_service *s)
{
    s->draining = true;
    return send(s, LAB_Y, ROLLCALL_CODE_DRAIN);
}

static bool signalled(struct lab_service *s)
{
    if (s->design->calls == LAB_SIGNAL_FIRST && !send(s, LAB_X, ROLLCALL_CODE_WAIT))
        return false;
    /* As with one thread and a Y that returns at once: it comes to X when it is done with Y. */
    if (s->draining) {
        s->drain_again = true;
        return true;
    }
    return drain(s);
}

static bool drained(struct lab_service *s, const struct rollcall_reply *reply)
{
    size_t fit = (lab_design_room(s->design) - sizeof(*reply)) / sizeof(struct rollcall_event);

    if (!work(s, reply))
        return false;
    s->draining = false;
    if (reply->count == fit || s->drain_again) {
        s->drain_again = false;
        return drain(s);
    }
    return s->design->calls == LAB_SIGNAL_FIRST || send(s, LAB_X, ROLLCALL_CODE_WAIT);
}

bool lab_service_start(struct lab_service *service, const struct lab_design *design,
                       const struct lab_port *port, const struct rollcall_attached *attached)
{
    memset(service, 0, sizeof(*service));
    service->design = design;
    service->port = port;
    service->done_seq = attached->acked_seq;
    if (lab_design_signals(design)) {
        if (!send(service, LAB_X, ROLLCALL_CODE_WAIT))
            return false;
        /* Something may be there from before. */
        return design->calls != LAB_SIGNAL_FIRST || drain(service);
    }
    for (unsigned slot = 0; slot < design->requests; slot++)
        if (!send(service, slot, ROLLCALL_CODE_FETCH))
            return false;
    return true;
}

bool lab_service_answer(struct lab_service *service, unsigned slot, const void *answer)
{
    if (service->design->keeps)
        return fetched_in_order(service, slot, answer);
    if (!lab_design_signals(service->design))
        return fetched(service, slot, answer);
    return slot == LAB_X ? signalled(service) : drained(service, answer);
}
