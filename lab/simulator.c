/* SPDX-License-Identifier: MIT */
/*
 * Things happen in the order of their time, those of the same time in the order in which they were put
 * in. What the service does on an answer is computed when it begins, with a clock of its own that runs
 * ahead: nothing of it depends on what happens meanwhile, but for the service's death and its
 * stalls, which the schedule knows beforehand.
 */
#include "lab/simulator.h"

#include "lab/service.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define NS    UINT64_C(1000)
#define NEVER UINT64_MAX

enum kind { RAISE, DIE, RETURN, ARRIVE, ANSWER, SERVE };

struct thing {
    uint64_t at;
    uint64_t order;
    enum kind kind;
    unsigned slot;
    unsigned life; /* of the service: what belongs to an earlier one is void */
};

/* A request of the service, and where its answer lies. */
struct slot {
    uint32_t code;
    uint64_t acked_seq;
    uint64_t *buffer;
    size_t room;
};

/* Slots in the order in which they came. */
struct fifo {
    unsigned slot[LAB_REQUESTS_MAX + 2];
    unsigned count;
};

struct line {
    uint64_t at;
    size_t order;
    char text[100];
};

struct simulator {
    const struct lab_schedule *schedule;
    FILE *trace;
    struct line *lines;
    size_t line_count;
    struct lab_account *account;
    struct lab_driver *driver;
    struct lab_service service;
    struct lab_port port;
    struct slot slots[LAB_REQUESTS_MAX];
    struct fifo pended;
    struct fifo answers;  /* completed, not yet looked at by the service */
    struct thing *things; /* a heap */
    size_t count, room;
    uint64_t order;
    uint64_t now;
    bool locked;
    bool alive;
    bool serving; /* a SERVE is to come */
    unsigned life;
    uint64_t busy_until; /* the service */
    uint64_t cursor;     /* its clock while it works */
    uint64_t dies_at;
};

/* ---- what is told ---- */

__attribute__((format(printf, 3, 4))) static void tell(struct simulator *s, uint64_t at,
                                                       const char *format, ...)
{
    struct line *line;
    va_list arguments;

    if (s->trace == NULL)
        return;
    s->lines = realloc(s->lines, (s->line_count + 1) * sizeof(*s->lines));
    if (s->lines == NULL)
        abort();
    line = &s->lines[s->line_count];
    line->at = at;
    line->order = s->line_count++;
    va_start(arguments, format);
    vsnprintf(line->text, sizeof(line->text), format, arguments);
    va_end(arguments);
}

static int compare_lines(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* The service's clock runs ahead, so its lines come too early. */
static void print_trace(struct simulator *s)
{
    if (s->line_count > 0)
        qsort(s->lines, s->line_count, sizeof(*s->lines), compare_lines);
    for (size_t i = 0; i < s->line_count; i++)
        fprintf(s->trace, "%8llu us  %s\n", (unsigned long long)(s->lines[i].at / NS),
                s->lines[i].text);
    s->line_count = 0;
}

static const char *slot_name(const struct simulator *s, unsigned slot)
{
    static char name[16];

    if (lab_design_signals(s->driver->design))
        return slot == LAB_X ? "X" : "Y";
    snprintf(name, sizeof(name), "request %u", slot + 1);
    return name;
}

/* ---- what is to come ---- */

static bool before(const struct thing *a, const struct thing *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct thing *a, struct thing *b)
{
    struct thing other = *a;

    *a = *b;
    *b = other;
}

static void put(struct simulator *s, uint64_t at, enum kind kind, unsigned slot)
{
    size_t i = s->count++;

    if (i == s->room) {
        s->room = s->room * 2 + 64;
        s->things = realloc(s->things, s->room * sizeof(*s->things));
        if (s->things == NULL)
            abort();
    }
    s->things[i] = (struct thing){at, s->order++, kind, slot, s->life};
    for (; i > 0 && before(&s->things[i], &s->things[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&s->things[i], &s->things[(i - 1) / 2]);
}

static struct thing get(struct simulator *s)
{
    struct thing first = s->things[0];
    size_t i = 0, least;

    s->things[0] = s->things[--s->count];
    for (;; i = least) {
        least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < s->count; child++)
            if (before(&s->things[child], &s->things[least]))
                least = child;
        if (least == i)
            return first;
        swap(&s->things[i], &s->things[least]);
    }
}

static void push(struct fifo *fifo, unsigned slot)
{
    fifo->slot[fifo->count++] = slot;
}

static unsigned pop(struct fifo *fifo)
{
    unsigned slot = fifo->slot[0];

    memmove(fifo->slot, fifo->slot + 1, --fifo->count * sizeof(fifo->slot[0]));
    return slot;
}

/* ---- the driver's host ---- */

static void host_lock(void *context)
{
    struct simulator *s = context;

    if (s->locked)
        abort();
    s->locked = true;
}

static void host_unlock(void *context)
{
    struct simulator *s = context;

    s->locked = false;
}

static void *host_allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void host_release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

static bool host_take(void *context, void *owner, struct engine_request *request)
{
    struct simulator *s = context;
    struct slot *slot;

    (void)owner;
    if (s->pended.count == 0)
        return false;
    slot = &s->slots[pop(&s->pended)];
    *request = (struct engine_request){.request = slot,
                                       .buffer = slot->buffer,
                                       .size = slot->room,
                                       .wait = slot->code == ROLLCALL_CODE_WAIT};
    return true;
}

static void answer(struct simulator *s, struct slot *slot)
{
    const struct rollcall_reply *reply = (struct rollcall_reply *)(void *)slot->buffer;
    unsigned number = (unsigned)(slot - s->slots);

    if (slot->code == ROLLCALL_CODE_WAIT) {
        tell(s, s->now, "the driver completes %s", slot_name(s, number));
    } else {
        lab_account_hand(s->account, reply);
        tell(s, s->now, "the driver completes %s with %u event%s", slot_name(s, number),
             reply->count, reply->count == 1 ? "" : "s");
    }
    put(s, s->now + LAB_WAKE_US * NS, ANSWER, number);
}

static void host_complete(void *context, const struct engine_request *request,
                          enum engine_status status, size_t bytes)
{
    struct simulator *s = context;

    (void)bytes;
    if (s->locked || status != ENGINE_OK)
        abort();
    answer(s, request->request);
}

static uint32_t host_pended(void *context, void *owner)
{
    const struct simulator *s = context;

    (void)owner;
    return s->pended.count;
}

/* ---- the service's clock ---- */

/* When the service, which would do something at `at`, does it. */
static uint64_t awake(const struct simulator *s, uint64_t at)
{
    for (unsigned i = 0; i < LAB_STEPS_MAX; i++) {
        const struct lab_step *step = &s->schedule->step[i];
        uint64_t from = step->at_us * NS, to = from + (uint64_t)step->value * NS;

        if (step->action == LAB_STALL && at >= from && at < to)
            return to;
    }
    return at;
}

/* It works so long: a stall that begins meanwhile makes it longer. */
static void spend(struct simulator *s, uint64_t ns)
{
    uint64_t from = s->cursor;

    s->cursor += ns;
    for (unsigned i = 0; i < LAB_STEPS_MAX; i++) {
        const struct lab_step *step = &s->schedule->step[i];

        if (step->action == LAB_STALL && step->at_us * NS > from && step->at_us * NS < s->cursor)
            s->cursor += (uint64_t)step->value * NS;
    }
}

static bool port_send(void *context, unsigned slot, uint32_t code, uint64_t acked_seq)
{
    struct simulator *s = context;

    if (s->cursor >= s->dies_at)
        return false;
    s->slots[slot].code = code;
    s->slots[slot].acked_seq = acked_seq;
    s->account->calls++;
    tell(s, s->cursor, "the service sends %s", slot_name(s, slot));
    put(s, s->cursor + LAB_SEND_US * NS, ARRIVE, slot);
    return true;
}

static bool port_work(void *context, const struct rollcall_event *event)
{
    struct simulator *s = context;

    if (s->cursor >= s->dies_at)
        return false;
    lab_account_reach(s->account, event, s->cursor);
    spend(s, s->schedule->work_us * NS);
    if (s->cursor >= s->dies_at)
        return false;
    lab_account_done(s->account, event);
    tell(s, s->cursor, "the service is done with event %llu",
         (unsigned long long)event->start_ns + 1);
    return true;
}

/* ---- what happens ---- */

/* The first one behind that step: a return may be in the same microsecond as the death before it. */
static uint64_t next_death(const struct simulator *s, unsigned step)
{
    for (unsigned i = step; i < LAB_STEPS_MAX; i++)
        if (s->schedule->step[i].action == LAB_DIE)
            return s->schedule->step[i].at_us * NS;
    return NEVER;
}

static void on_return(struct simulator *s, unsigned step)
{
    struct rollcall_attached attached;

    tell(s, s->now, "the service starts");
    if (lab_driver_attach(s->driver, s, &attached) != ENGINE_OK)
        abort();
    s->alive = true;
    s->dies_at = next_death(s, step);
    s->cursor = s->now;
    (void)lab_service_start(&s->service, s->driver->design, &s->port, &attached);
    s->busy_until = s->cursor;
}

static void on_die(struct simulator *s)
{
    tell(s, s->now, "the service is killed");
    lab_driver_close(s->driver);
    s->alive = false;
    s->serving = false;
    s->life++;
    s->pended.count = 0;
    s->answers.count = 0;
}

static void on_raise(struct simulator *s)
{
    uint32_t number = lab_account_raise(s->account, s->now);
    struct rollcall_event event;

    tell(s, s->now, "event %u is raised; pended: %u", number + 1, s->pended.count);
    lab_account_event(number, s->now, &event);
    if (lab_driver_raise(s->driver, &event))
        return;
    tell(s, s->now, "event %u is dropped: there is no place for it", number + 1);
    lab_account_drop(s->account, number);
}

static void on_arrive(struct simulator *s, unsigned number)
{
    struct slot *slot = &s->slots[number];
    bool wait = slot->code == ROLLCALL_CODE_WAIT;
    size_t bytes;

    if (slot->code == ROLLCALL_CODE_DRAIN) {
        (void)lab_driver_drain(s->driver, slot->buffer, slot->room, &bytes);
        answer(s, slot);
        return;
    }
    if (lab_driver_check(s->driver, wait, slot->acked_seq) != ENGINE_OK)
        abort();
    push(&s->pended, number);
    tell(s, s->now, "the driver pends %s", slot_name(s, number));
    lab_driver_match(s->driver);
}

static void serve_later(struct simulator *s)
{
    if (s->serving || s->answers.count == 0)
        return;
    s->serving = true;
    put(s, awake(s, s->busy_until > s->now ? s->busy_until : s->now), SERVE, 0);
}

static void on_serve(struct simulator *s)
{
    unsigned slot = pop(&s->answers);

    s->serving = false;
    s->cursor = s->now;
    s->account->calls++;
    (void)lab_service_answer(&s->service, slot, s->slots[slot].buffer);
    s->busy_until = s->cursor;
    serve_later(s);
}

static void happen(struct simulator *s, const struct thing *thing)
{
    s->now = thing->at;
    if (thing->kind >= ARRIVE && (!s->alive || thing->life != s->life))
        return;
    switch (thing->kind) {
    case RAISE:
        on_raise(s);
        break;
    case DIE:
        on_die(s);
        break;
    case RETURN:
        on_return(s, thing->slot);
        break;
    case ARRIVE:
        on_arrive(s, thing->slot);
        break;
    case ANSWER:
        push(&s->answers, thing->slot);
        serve_later(s);
        break;
    case SERVE:
        on_serve(s);
        break;
    }
}

/* ---- a run ---- */

static void plan(struct simulator *s)
{
    for (unsigned i = 0; i < LAB_STEPS_MAX; i++) {
        const struct lab_step *step = &s->schedule->step[i];

        for (uint32_t k = 0; step->action == LAB_RAISE && k < step->value; k++)
            put(s, (step->at_us + (uint64_t)k * step->every_us) * NS, RAISE, 0);
        if (step->action == LAB_DIE)
            put(s, step->at_us * NS, DIE, 0);
        if (step->action == LAB_RETURN)
            put(s, step->at_us * NS, RETURN, i);
    }
}

static void start(struct simulator *s, const struct lab_design *design,
                  const struct engine_host *host)
{
    uint32_t events = lab_schedule_events(s->schedule);

    s->account = malloc(lab_account_bytes(events));
    if (s->account == NULL || lab_driver_create(design, host, &s->driver) != ENGINE_OK)
        abort();
    lab_account_init(s->account, events);
    for (unsigned i = 0; i < LAB_REQUESTS_MAX; i++) {
        s->slots[i].room = lab_design_room(design);
        s->slots[i].buffer = malloc(s->slots[i].room);
        if (s->slots[i].buffer == NULL)
            abort();
    }
}

static void run(struct simulator *s)
{
    while (s->count > 0) {
        struct thing thing = get(s);

        happen(s, &thing);
    }
    if (s->trace != NULL)
        print_trace(s);
}

const char *lab_simulate(const struct lab_design *design, const struct lab_schedule *schedule,
                         FILE *trace, struct lab_result *result)
{
    struct simulator s = {.schedule = schedule, .trace = trace};
    const struct engine_host host = {.context = &s,
                                     .lock = host_lock,
                                     .unlock = host_unlock,
                                     .allocate = host_allocate,
                                     .release = host_release,
                                     .take = host_take,
                                     .complete = host_complete,
                                     .pended = host_pended};
    struct lab_figures figures;
    const char *wrong;

    s.port = (struct lab_port){.context = &s, .send = port_send, .work = port_work};
    start(&s, design, &host);
    /* The service has sent its requests before anything happens. */
    on_return(&s, 0);
    run(&s);
    s.now = 0;
    plan(&s);
    run(&s);
    lab_driver_figures(s.driver, &figures);
    wrong = lab_account_close(s.account, design, &figures, result);
    if (s.alive)
        lab_driver_close(s.driver);
    lab_driver_destroy(s.driver);
    for (unsigned i = 0; i < LAB_REQUESTS_MAX; i++)
        free(s.slots[i].buffer);
    free(s.lines);
    free(s.things);
    free(s.account);
    return wrong;
}
