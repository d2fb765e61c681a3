/* SPDX-License-Identifier: MIT */
#include "tests/core/trial.h"

#include "core/log.h"
#include "tests/core/check.h"

#include <string.h>

#define BASE   ((uint32_t)sizeof(struct rollcall_event))
#define CANARY 0xfee1deadfee1deadu

/* Every step is done in two parts: call the engine, then judge what it did, once its statistics
 * have been looked at. */
struct deed {
    void (*call)(struct trial *t, const struct step *step);
    void (*judge)(struct trial *t, const struct step *step);
};

static struct trial_owner *owner_of(struct trial *t, const struct step *step)
{
    return &t->owners[step->owner];
}

static struct place *place_of(struct trial *t, const struct step *step)
{
    return model_of_owner(&t->model, step->owner);
}

static const char *name_of(const struct step *step)
{
    static const char *const names[STEP_NAMES] = {"", "a", "ab", "b", "Z-9_z"};

    return names[step->a];
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static bool memory_failed(const struct trial *t)
{
    return t->host.fail_all ? t->host.allocations > 0
                            : t->host.fail_at && t->host.allocations >= t->host.fail_at;
}

/* ---- events ---- */

static uint64_t block_size(uint64_t budget)
{
    uint64_t size = budget / 16 & ~7ull;

    return size < 4096 ? 4096 : size > 65536 ? 65536 : size;
}

/* Bytes that may be needed in one piece for an event that is kept in so many. */
static uint64_t piece(const struct trial *t, uint32_t size)
{
    return larger(block_size(t->model.options.budget),
                  sizeof(struct block) + size + (uint64_t)LOSSES_MAX * BASE);
}

static uint32_t kept_at_most(const struct trial *t, uint32_t size)
{
    return size > model_record_max(&t->model) ? BASE : size;
}

static void call_post(struct trial *t, const struct step *step)
{
    make_event(t->event, (enum rollcall_type)step->a, t->events + 1, step->b);
    t->got = engine_post(t->engine, (void *)t->event);
}

static void call_create(struct trial *t, const struct step *step)
{
    make_event(t->event, ROLLCALL_CREATE, t->events + 1, step->b);
    t->got = engine_post_create(t->engine, (void *)t->event);
}

/* The event has its number: it is there, whole or cut, or lost. */
static void judge_event(struct trial *t, enum rollcall_type type, uint32_t size)
{
    uint32_t most = kept_at_most(t, size);
    uint64_t lost = t->stats.lost[ROLLCALL_LOST_FAILED] - t->model.lost[ROLLCALL_LOST_FAILED];

    t->events++;
    if (t->got == ENGINE_LOST) {
        CHECK_EQUAL(t->stats.texts_cut, t->model.texts_cut);
        model_lose(&t->model, lost ? ROLLCALL_LOST_FAILED : ROLLCALL_LOST_FULL, 1,
                   event_mono_ns(t->events));
        CHECK(!lost || memory_failed(t));
    } else {
        CHECK_EQUAL(t->got, ENGINE_OK);
        if (t->stats.texts_cut != t->model.texts_cut)
            most = BASE;
        model_keep(&t->model, type, t->events, size, most);
    }
    t->model.living = model_living_after(&t->model, type);
}

/* Nobody holds the policy: all is kept if there is memory, at the cost of what is old, but only if
 * the budget is spent. */
static void judge_without_holder(struct trial *t, const struct step *step, enum rollcall_type type)
{
    uint32_t size = kept_at_most(t, step->b);
    bool cut = t->stats.texts_cut != t->model.texts_cut + (size < step->b);

    t->covered = false;
    CHECK(t->got == ENGINE_OK || (t->got == ENGINE_LOST && memory_failed(t)));
    CHECK(!cut || memory_failed(t));
    judge_event(t, type, step->b);
    if (t->used + piece(t, size) > t->model.options.budget)
        t->allowed_seq = MODEL_NONE;
}

static void judge_post(struct trial *t, const struct step *step)
{
    enum rollcall_type type = (enum rollcall_type)step->a;
    uint64_t limit = model_deny_limit(&t->model);
    bool covered = t->covered && type == ROLLCALL_EXIT && t->model.living > 0;

    if (limit == MODEL_NONE) {
        judge_without_holder(t, step, type);
        return;
    }
    judge_event(t, type, step->b);
    /* What was let in ends without a loss for those who hold the policy, also without memory. */
    CHECK(!covered || t->got == ENGINE_OK);
    t->allowed_seq = covered ? limit : MODEL_NONE;
    t->covered = covered;
}

/* Whether the reserve is more than half of the budget if one more process lives. */
static bool must_refuse(const struct trial *t)
{
    return (t->model.living + 1 + LOSSES_MAX) * BASE > t->model.options.budget / 2;
}

/* Whether there is a reason to refuse a process: no room for it, for the ends of those that live,
 * and for some blocks that are not full. */
static bool may_refuse(const struct trial *t)
{
    uint64_t reserve = (t->model.living + 1 + LOSSES_MAX) * (BASE + 8);

    return memory_failed(t) || must_refuse(t) ||
           t->used + reserve + 2 * piece(t, BASE) > t->model.options.budget;
}

static void judge_create(struct trial *t, const struct step *step)
{
    uint64_t limit = model_deny_limit(&t->model);

    if (limit == MODEL_NONE) {
        judge_without_holder(t, step, ROLLCALL_CREATE);
        return;
    }
    t->allowed_seq = limit;
    if (t->got == ENGINE_REFUSED) {
        CHECK(may_refuse(t));
        t->model.denied++;
        return;
    }
    CHECK_EQUAL(t->got, ENGINE_OK);
    CHECK(!must_refuse(t));
    judge_event(t, ROLLCALL_CREATE, step->b);
    t->covered = true;
}

static void call_lost(struct trial *t, const struct step *step)
{
    engine_post_lost(t->engine, (enum rollcall_reason)step->a, step->b, 7);
}

static void judge_lost(struct trial *t, const struct step *step)
{
    if (step->b)
        model_lose(&t->model, (enum rollcall_reason)step->a, step->b, 7);
    t->covered = false;
}

static void call_forget(struct trial *t, const struct step *step)
{
    (void)step;
    engine_forget(t->engine);
}

static void judge_forget(struct trial *t, const struct step *step)
{
    (void)step;
    t->model.living -= t->model.living ? 1 : 0;
}

/* ---- consumers ---- */

static void call_attach(struct trial *t, const struct step *step)
{
    struct trial_owner *owner = owner_of(t, step);
    struct rollcall_attach request;
    uint64_t id = 0;

    make_attach(&request, name_of(step), step->b);
    memset(&t->attached, 0, sizeof(t->attached));
    t->got = engine_attach(t->engine, &request, sizeof(request), &owner->queue, t->attaches + 1,
                           &t->attached, &id);
    if (t->got != ENGINE_OK)
        return;
    CHECK(id != 0 && id != owner->id);
    owner->id = id;
    t->attaches++;
}

static void judge_attach(struct trial *t, const struct step *step)
{
    struct rollcall_attached expected;

    if (step->a == 0 && (step->b & ROLLCALL_ATTACH_CONTINUE)) {
        CHECK_EQUAL(t->got, ENGINE_INVALID);
        return;
    }
    CHECK_EQUAL(t->got, model_attach(&t->model, step->owner, name_of(step), step->b, t->attaches,
                                     &expected));
    if (t->got == ENGINE_OK)
        CHECK(memcmp(&expected, &t->attached, sizeof(expected)) == 0);
}

/* As hosts do it: first the engine, then the queue. */
static void close_owner(struct trial *t, unsigned number)
{
    struct trial_owner *owner = &t->owners[number];

    engine_close(t->engine, owner->id);
    for (unsigned i = 0; i < owner->count; i++) {
        CHECK(!owner->requests[i]->done);
        CHECK(request_cancel(&t->host, &owner->queue, owner->requests[i]));
        request_free(owner->requests[i]);
    }
    owner->count = 0;
    owner->matched = 0;
}

static void call_close(struct trial *t, const struct step *step)
{
    close_owner(t, step->owner);
}

static void judge_close(struct trial *t, const struct step *step)
{
    model_close(&t->model, step->owner);
    if (model_deny_limit(&t->model) == MODEL_NONE)
        t->covered = false;
}

static void call_detach(struct trial *t, const struct step *step)
{
    struct rollcall_detach_request request;

    make_detach(&request, name_of(step));
    t->got = engine_detach(t->engine, &request, sizeof(request));
}

static void judge_detach(struct trial *t, const struct step *step)
{
    CHECK_EQUAL(t->got, step->a ? model_detach(&t->model, name_of(step)) : ENGINE_INVALID);
}

/* ---- acknowledging and fetching ---- */

static uint64_t ack_of(struct trial *t, const struct step *step)
{
    const struct place *place = place_of(t, step);
    uint64_t delivered = place ? place->next_seq - 1 : 0;
    uint64_t acked = place ? place->acked_seq : 0;

    switch ((enum step_ack)step->a) {
    case ACK_ALL:
        return delivered;
    case ACK_HALF:
        return acked + (delivered - acked) / 2;
    case ACK_OLD:
        return acked ? acked - 1 : 0;
    case ACK_TOO_MUCH:
        return delivered + 1;
    case ACK_ENDLESS:
        return UINT64_MAX;
    default:
        return 0;
    }
}

static enum engine_status model_ack(struct trial *t, const struct step *step)
{
    return model_acknowledge(&t->model, place_of(t, step), t->ack);
}

static void call_acknowledge(struct trial *t, const struct step *step)
{
    struct rollcall_acknowledge request;

    t->ack = ack_of(t, step);
    make_acknowledge(&request, t->ack);
    t->got = engine_acknowledge(t->engine, owner_of(t, step)->id, &request, sizeof(request));
}

static void judge_acknowledge(struct trial *t, const struct step *step)
{
    CHECK_EQUAL(t->got, model_ack(t, step));
}

static void queue_request(struct trial *t, const struct step *step, bool wait)
{
    struct trial_owner *owner = owner_of(t, step);
    struct request *request = request_new(step->b, wait);

    owner->requests[owner->count++] = request;
    CHECK(request_queue(&t->host, &owner->queue, request));
}

static void call_queue(struct trial *t, const struct step *step)
{
    struct trial_owner *owner = owner_of(t, step);
    struct rollcall_fetch request;

    t->ack = ack_of(t, step);
    make_fetch(&request, t->ack);
    t->got = engine_fetch(t->engine, owner->id, &request, sizeof(request));
    if (t->got == ENGINE_OK && owner->count < ROLLCALL_PENDED_MAX)
        queue_request(t, step, false);
}

static enum engine_status match(struct trial *t, const struct step *step)
{
    struct trial_owner *owner = owner_of(t, step);

    owner->matched = owner->count;
    return engine_match(t->engine, owner->id);
}

static void call_fetch(struct trial *t, const struct step *step)
{
    call_queue(t, step);
    if (t->got == ENGINE_OK)
        CHECK_EQUAL(match(t, step), ENGINE_OK);
}

static void call_wait(struct trial *t, const struct step *step)
{
    struct trial_owner *owner = owner_of(t, step);
    struct rollcall_request request;

    make_plain(&request);
    t->ack = 0;
    t->got = engine_wait(t->engine, owner->id, &request, sizeof(request));
    if (t->got != ENGINE_OK)
        return;
    if (owner->count < ROLLCALL_PENDED_MAX)
        queue_request(t, step, true);
    CHECK_EQUAL(match(t, step), ENGINE_OK);
}

static void call_match(struct trial *t, const struct step *step)
{
    t->ack = 0;
    t->got = match(t, step);
}

static void remove_requests(struct trial_owner *owner, unsigned at, unsigned count)
{
    owner->count -= count;
    for (; at < owner->count; at++)
        owner->requests[at] = owner->requests[at + count];
}

/* It takes its request out first, and then nobody completes it. */
static void call_cancel(struct trial *t, const struct step *step)
{
    struct trial_owner *owner = owner_of(t, step);
    unsigned at;

    if (owner->count == 0)
        return;
    at = step->b % owner->count;
    CHECK(!owner->requests[at]->done);
    CHECK(request_cancel(&t->host, &owner->queue, owner->requests[at]));
    request_free(owner->requests[at]);
    owner->matched -= at < owner->matched ? 1 : 0;
    remove_requests(owner, at, 1);
}

static void judge_nothing(struct trial *t, const struct step *step)
{
    (void)t;
    (void)step;
}

static void call_drain(struct trial *t, const struct step *step)
{
    struct rollcall_fetch *request = (void *)t->buffer;

    t->ack = ack_of(t, step);
    t->buffer[step->b / sizeof(uint64_t)] = CANARY;
    if (step->b < sizeof(*request) + sizeof(uint64_t))
        request = (void *)t->expected;
    make_fetch(request, t->ack);
    t->got = engine_drain(t->engine, owner_of(t, step)->id, request, sizeof(*request), t->buffer,
                          step->b, &t->bytes);
    CHECK(t->bytes <= step->b);
    CHECK(t->buffer[step->b / sizeof(uint64_t)] == CANARY);
}

static void judge_drain(struct trial *t, const struct step *step)
{
    enum engine_status expected = model_ack(t, step);
    size_t bytes = 0;

    if (expected == ENGINE_OK)
        expected = model_fill(&t->model, place_of(t, step), step->b, t->expected, &bytes);
    CHECK_EQUAL(t->got, expected);
    CHECK_EQUAL(t->bytes, bytes);
    CHECK(memcmp(t->buffer, t->expected, bytes) == 0);
}

/* ---- configuration, and what is no request ---- */

static void call_configure(struct trial *t, const struct step *step)
{
    struct rollcall_configure request;
    bool budget = step->op == STEP_BUDGET;

    make_configure(&request, budget ? step->b : 0, budget ? 0 : step->b);
    t->got = engine_configure(t->engine, &request, sizeof(request));
}

static void judge_budget(struct trial *t, const struct step *step)
{
    CHECK_EQUAL(t->got, ENGINE_OK);
    t->model.options.budget = step->b;
    t->covered = false;
    t->allowed_seq = t->used > step->b ? MODEL_NONE : 0;
}

static void judge_record_max(struct trial *t, const struct step *step)
{
    CHECK_EQUAL(t->got, ENGINE_OK);
    t->model.options.record_max = step->b;
}

union any_request {
    struct rollcall_request head;
    struct rollcall_attach attach;
    struct rollcall_fetch fetch;
    struct rollcall_acknowledge acknowledge;
    struct rollcall_configure configure;
    struct rollcall_detach_request detach;
};

static size_t make_request(union any_request *request, enum step_request which)
{
    memset(request, 0, sizeof(*request));
    switch (which) {
    case REQUEST_ATTACH:
        make_attach(&request->attach, "b", 0);
        break;
    case REQUEST_FETCH:
    case REQUEST_DRAIN:
        make_fetch(&request->fetch, 0);
        break;
    case REQUEST_ACKNOWLEDGE:
        make_acknowledge(&request->acknowledge, 0);
        break;
    case REQUEST_CONFIGURE:
        make_configure(&request->configure, ROLLCALL_BUDGET_MIN, 0);
        break;
    case REQUEST_DETACH:
        make_detach(&request->detach, "b");
        break;
    default:
        make_plain(&request->head);
        break;
    }
    return request->head.size;
}

static size_t spoil(union any_request *request, size_t size, enum step_wrong wrong)
{
    switch (wrong) {
    case WRONG_VERSION:
        request->head.version++;
        return size;
    case WRONG_FLAGS:
        request->head.flags |= 0x80;
        return size;
    case WRONG_SIZE:
        request->head.size += 8;
        return size;
    case WRONG_SHORT:
        return size - 1;
    default:
        return size + 1;
    }
}

static enum engine_status send(struct trial *t, const struct step *step,
                               const union any_request *request, size_t size)
{
    struct trial_owner *owner = owner_of(t, step);
    uint64_t id = owner->id;

    t->bytes = 0;
    switch ((enum step_request)step->a) {
    case REQUEST_ATTACH:
        return engine_attach(t->engine, request, size, &owner->queue, 1, &t->attached, &id);
    case REQUEST_FETCH:
        return engine_fetch(t->engine, id, request, size);
    case REQUEST_DRAIN:
        return engine_drain(t->engine, id, request, size, t->buffer, sizeof(t->buffer), &t->bytes);
    case REQUEST_WAIT:
        return engine_wait(t->engine, id, request, size);
    case REQUEST_ACKNOWLEDGE:
        return engine_acknowledge(t->engine, id, request, size);
    case REQUEST_CONFIGURE:
        return engine_configure(t->engine, request, size);
    case REQUEST_DETACH:
        return engine_detach(t->engine, request, size);
    default:
        return engine_stats(t->engine, request, size, t->buffer, sizeof(t->buffer), &t->bytes);
    }
}

static void call_malformed(struct trial *t, const struct step *step)
{
    union any_request request;
    size_t size = make_request(&request, (enum step_request)step->a);

    size = spoil(&request, size, (enum step_wrong)step->b);
    t->got = send(t, step, &request, size);
    CHECK_EQUAL(t->bytes, 0);
}

static void judge_malformed(struct trial *t, const struct step *step)
{
    (void)step;
    CHECK_EQUAL(t->got, ENGINE_INVALID);
}

static const struct deed deeds[STEP_OPS] = {
    [STEP_POST] = {call_post, judge_post},
    [STEP_CREATE] = {call_create, judge_create},
    [STEP_LOST] = {call_lost, judge_lost},
    [STEP_FORGET] = {call_forget, judge_forget},
    [STEP_ATTACH] = {call_attach, judge_attach},
    [STEP_CLOSE] = {call_close, judge_close},
    [STEP_DETACH] = {call_detach, judge_detach},
    [STEP_FETCH] = {call_fetch, judge_acknowledge},
    [STEP_QUEUE] = {call_queue, judge_acknowledge},
    [STEP_WAIT] = {call_wait, judge_acknowledge},
    [STEP_MATCH] = {call_match, judge_acknowledge},
    [STEP_CANCEL] = {call_cancel, judge_nothing},
    [STEP_DRAIN] = {call_drain, judge_drain},
    [STEP_ACKNOWLEDGE] = {call_acknowledge, judge_acknowledge},
    [STEP_BUDGET] = {call_configure, judge_budget},
    [STEP_RECORD_MAX] = {call_configure, judge_record_max},
    [STEP_MALFORMED] = {call_malformed, judge_malformed},
};

/* ---- looking ---- */

static void look(struct trial *t)
{
    struct rollcall_request request;
    unsigned char bytes[sizeof(t->stats) + sizeof(t->consumers)];
    size_t size;

    make_plain(&request);
    CHECK_EQUAL(engine_stats(t->engine, &request, sizeof(request), bytes, sizeof(bytes), &size),
                ENGINE_OK);
    memcpy(&t->stats, bytes, sizeof(t->stats));
    CHECK_EQUAL(t->stats.consumers, t->stats.given);
    CHECK_EQUAL(size, sizeof(t->stats) + t->stats.given * sizeof(*t->consumers));
    memcpy(t->consumers, bytes + sizeof(t->stats), t->stats.given * sizeof(*t->consumers));
}

/* What is not kept any more: nothing that may not go. */
static void see_what_is_gone(struct trial *t)
{
    struct model *model = &t->model;
    uint64_t gone = t->stats.oldest_seq ? t->stats.oldest_seq - 1 : t->stats.last_seq;

    CHECK(gone >= model->gone_seq && gone >= model->released_seq);
    CHECK(gone <= larger(larger(t->allowed_seq, model->released_seq), model->gone_seq));
    model_give_up(model, gone);
}

/* Memory goes back when it is not needed, and the budget holds. */
static void see_memory(struct trial *t, const struct step *step)
{
    const struct model *model = &t->model;
    uint64_t budget = model->options.budget;
    bool held = model_deny_limit(model) != MODEL_NONE;
    bool event = step->op == STEP_POST || step->op == STEP_CREATE;

    CHECK_EQUAL(t->stats.used + t->engine_bytes, t->host.allocated);
    CHECK(event || t->host.allocations == 0);
    CHECK(t->stats.used <= budget);
    CHECK(event || t->stats.used <= t->used);
    t->largest = larger(t->largest, piece(t, event ? step->b : 0));
    if (held)
        return;
    if (model->gone_seq == model->last_seq)
        CHECK(t->stats.used <= block_size(budget));
    /* A block is left when the next record does not fit: two in a row are more than half full. */
    CHECK(t->stats.used <= 2 * model->kept_bytes + model->kept_bytes / 8 + 4 * t->largest);
}

static void see_request(struct trial *t, struct place *place, const struct request *request)
{
    enum engine_status expected;
    size_t bytes;

    if (request->wait)
        expected = model_ready(&t->model, place, request->size, t->expected, &bytes);
    else
        expected = model_fill(&t->model, place, request->size, t->expected, &bytes);
    CHECK_EQUAL(request->status, expected);
    CHECK_EQUAL(request->bytes, bytes);
    CHECK(memcmp(request->data, t->expected, bytes) == 0);
}

/* The oldest requests get what there is, and none waits while something does. */
static void see_requests(struct trial *t, unsigned number)
{
    struct trial_owner *owner = &t->owners[number];
    struct place *place = model_of_owner(&t->model, number);
    unsigned done = 0;

    for (; done < owner->count && place->next_seq <= t->model.last_seq; done++) {
        if (!owner->requests[done]->done && done >= owner->matched)
            break;
        CHECK(owner->requests[done]->done);
        see_request(t, place, owner->requests[done]);
        request_free(owner->requests[done]);
    }
    owner->matched -= done < owner->matched ? done : owner->matched;
    remove_requests(owner, 0, done);
    for (unsigned i = 0; i < owner->count; i++)
        CHECK(!owner->requests[i]->done);
}

/* ---- the statistics ---- */

static const struct rollcall_consumer_stats *stats_of(const struct trial *t,
                                                      const struct place *place)
{
    for (unsigned i = 0; i < t->stats.given; i++) {
        const struct rollcall_consumer_stats *one = &t->consumers[i];
        bool same = place->name[0] ? one->name_size == strlen(place->name) &&
                                         memcmp(one->name, place->name, one->name_size) == 0
                                   : one->name_size == 0 && one->pid == place->pid;

        if (same)
            return one;
    }
    return NULL;
}

static void see_consumer(const struct trial *t, const struct place *place)
{
    const struct rollcall_consumer_stats *one = stats_of(t, place);

    CHECK(one);
    CHECK_EQUAL(one->acked_seq, place->acked_seq);
    CHECK_EQUAL(one->delivered_seq, place->id ? place->next_seq - 1 : place->acked_seq);
    CHECK_EQUAL(one->lost, place->lost);
    CHECK_EQUAL(one->pended, place->id ? t->owners[place->owner].count : 0);
    CHECK_EQUAL(one->pid, place->pid);
    CHECK_EQUAL(one->deny, place->deny);
}

static void see_stats(const struct trial *t)
{
    const struct model *model = &t->model;
    uint32_t consumers = 0;

    CHECK_EQUAL(t->stats.epoch, model->options.epoch);
    CHECK_EQUAL(t->stats.last_seq, model->last_seq);
    for (unsigned i = 0; i < ROLLCALL_REASONS; i++)
        CHECK_EQUAL(t->stats.lost[i], model->lost[i]);
    CHECK_EQUAL(t->stats.denied, model->denied);
    CHECK_EQUAL(t->stats.texts_cut, model->texts_cut);
    CHECK_EQUAL(t->stats.budget, model->options.budget);
    CHECK_EQUAL(t->stats.record_max, model_record_max(model));
    CHECK_EQUAL(t->stats.deny, model_deny_limit(model) != MODEL_NONE);
    for (unsigned i = 0; i < ROLLCALL_CONSUMERS_MAX; i++) {
        if (!model->places[i].taken)
            continue;
        see_consumer(t, &model->places[i]);
        consumers++;
    }
    CHECK_EQUAL(t->stats.consumers, consumers);
}

/* ---- the trial ---- */

void trial_begin(struct trial *t, const struct step_setting *setting)
{
    const struct engine_options options = {.epoch = HOST_EPOCH,
                                           .wall_offset_ns = 5,
                                           .attached_ns = 3,
                                           .budget = setting->budget,
                                           .record_max = ROLLCALL_RECORD_MAX,
                                           .deny = setting->deny};

    host_init(&t->host);
    t->engine = host_create_engine(&t->host, setting->budget, setting->deny);
    model_init(&t->model, &options);
    memset(t->owners, 0, sizeof(t->owners));
    for (unsigned i = 0; i < STEP_OWNERS_MAX; i++)
        owner_init(&t->owners[i].queue);
    t->engine_bytes = t->host.allocated;
    t->events = 0;
    t->attaches = 0;
    t->covered = false;
    t->largest = 0;
    look(t);
}

void trial_step(struct trial *t, const struct step *step)
{
    t->used = t->stats.used;
    t->allowed_seq = 0;
    t->host.allocations = 0;
    t->host.fail_all = step->fail == STEP_FAIL_ALL;
    t->host.fail_at = t->host.fail_all ? 0 : step->fail;
    deeds[step->op].call(t, step);
    look(t);
    deeds[step->op].judge(t, step);
    see_what_is_gone(t);
    for (unsigned i = 0; i < STEP_OWNERS_MAX; i++)
        if (t->owners[i].count)
            see_requests(t, i);
    see_memory(t, step);
    see_stats(t);
}

void trial_end(struct trial *t)
{
    for (unsigned i = 0; i < STEP_OWNERS_MAX; i++)
        close_owner(t, i);
    engine_destroy(t->engine);
    model_destroy(&t->model);
    host_destroy(&t->host);
}
