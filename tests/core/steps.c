/* SPDX-License-Identifier: MIT */
#include "tests/core/steps.h"

#include <rollcall/protocol.h>

#include <string.h>

#define BASE ((uint32_t)sizeof(struct rollcall_event))
#define HEAD ((uint32_t)sizeof(struct rollcall_reply))

/* What the steps of one trial have in common. */
struct style {
    unsigned weights[STEP_OPS];
    unsigned weight;  /* all together */
    uint32_t large;   /* bytes of the largest events, about */
    uint32_t room;    /* bytes of the largest buffers, about */
    unsigned fail_in; /* one step in so many without memory; 0: none */
    bool clean;       /* all that the policy `deny` promises must hold */
};

static const unsigned usual_weights[STEP_OPS] = {
    [STEP_POST] = 120,   [STEP_CREATE] = 60,      [STEP_LOST] = 6,   [STEP_FORGET] = 3,
    [STEP_ATTACH] = 20,  [STEP_CLOSE] = 6,        [STEP_DETACH] = 3, [STEP_FETCH] = 40,
    [STEP_QUEUE] = 10,   [STEP_WAIT] = 10,        [STEP_MATCH] = 10, [STEP_CANCEL] = 8,
    [STEP_DRAIN] = 30,   [STEP_ACKNOWLEDGE] = 20, [STEP_BUDGET] = 2, [STEP_RECORD_MAX] = 2,
    [STEP_MALFORMED] = 4};

static uint32_t pick(struct random *random, const uint32_t *values, uint32_t count)
{
    return values[random_below(random, count)];
}

static void make_style(struct random *random, struct style *style)
{
    static const uint32_t large[] = {BASE, 1024, 1024, 8192, 65536, ROLLCALL_RECORD_MAX};
    static const uint32_t room[] = {HEAD + 2 * BASE, 4096, 4096, 65536, ROLLCALL_REPLY_MAX + 2048};
    static const uint32_t fail_in[] = {0, 0, 10, 2};

    memset(style, 0, sizeof(*style));
    style->clean = random_one_in(random, 3);
    for (unsigned op = 0; op < STEP_OPS; op++) {
        unsigned weight = usual_weights[op];

        if (random_one_in(random, 6))
            weight = random_one_in(random, 2) ? 0 : 6 * weight;
        style->weights[op] = style->clean && op == STEP_LOST ? 0 : weight;
        style->weight += style->weights[op];
    }
    style->large = pick(random, large, sizeof(large) / sizeof(*large));
    style->room = pick(random, room, sizeof(room) / sizeof(*room));
    style->fail_in = pick(random, fail_in, sizeof(fail_in) / sizeof(*fail_in));
    if (style->clean)
        style->fail_in = random_one_in(random, 2) ? 2 : 10;
}

static void make_setting(struct random *random, const struct style *style,
                         struct step_setting *setting)
{
    static const uint32_t budgets[] = {ROLLCALL_BUDGET_MIN, ROLLCALL_BUDGET_MIN,
                                       ROLLCALL_BUDGET_MIN + 4096 * 5 + 8, 256u << 10, 2u << 20};
    static const uint32_t owners[] = {1, 2, 3, 3, 8, STEP_OWNERS_MAX};

    setting->budget = pick(random, budgets, sizeof(budgets) / sizeof(*budgets));
    setting->deny = style->clean || random_one_in(random, 3);
    setting->owners = pick(random, owners, sizeof(owners) / sizeof(*owners));
}

/* ---- steps ---- */

static enum step_op make_op(struct random *random, const struct style *style)
{
    uint32_t at = random_below(random, style->weight);
    unsigned op = 0;

    while (at >= style->weights[op])
        at -= style->weights[op++];
    return (enum step_op)op;
}

static uint32_t make_type(struct random *random, const struct style *style)
{
    static const uint32_t types[] = {ROLLCALL_CREATE, ROLLCALL_EXEC, ROLLCALL_EXIT,
                                     ROLLCALL_EXIT,   ROLLCALL_EXIT, ROLLCALL_EXISTS,
                                     ROLLCALL_SYNCED};

    return style->clean ? ROLLCALL_EXIT : pick(random, types, sizeof(types) / sizeof(*types));
}

/* Most are small. */
static uint32_t make_size(struct random *random, const struct style *style)
{
    uint32_t most = random_one_in(random, 4) ? style->large : 1024;

    if (style->large == BASE || random_one_in(random, 2))
        return BASE;
    return BASE + 16 + 8 * random_below(random, (most - BASE - 16) / 8 + 1);
}

static uint32_t make_room(struct random *random, const struct style *style)
{
    if (random_one_in(random, 8))
        return 8 * random_below(random, 8);
    if (random_one_in(random, 2))
        return HEAD + BASE * random_below(random, 8);
    return 8 * random_below(random, (HEAD + style->room) / 8 + 1);
}

static uint32_t make_ack(struct random *random)
{
    static const uint32_t acks[] = {ACK_NOTHING, ACK_ALL, ACK_ALL, ACK_ALL,
                                    ACK_ALL,     ACK_ALL, ACK_HALF};

    return random_one_in(random, 6) ? random_below(random, ACKS)
                                    : pick(random, acks, sizeof(acks) / sizeof(*acks));
}

static uint32_t make_flags(struct random *random, const struct style *style)
{
    uint32_t flags = random_one_in(random, 2) ? ROLLCALL_ATTACH_OLDEST : 0;

    if (random_one_in(random, style->clean ? 2 : 6))
        flags |= ROLLCALL_ATTACH_DENY;
    return flags | (random_one_in(random, 10) ? ROLLCALL_ATTACH_CONTINUE : 0);
}

static void make_event_step(struct random *random, const struct style *style, struct step *step)
{
    step->a = make_type(random, style);
    step->b = make_size(random, style);
    if (style->fail_in && random_one_in(random, style->fail_in))
        step->fail =
            random_one_in(random, 2) ? STEP_FAIL_ALL : (uint8_t)(1 + random_below(random, 3));
}

static void make_lost(struct random *random, struct step *step)
{
    step->a = random_below(random, ROLLCALL_REASONS);
    step->b = random_one_in(random, 8) ? random_below(random, 1000000) : random_below(random, 4);
}

static uint32_t make_budget(struct random *random)
{
    return ROLLCALL_BUDGET_MIN +
           (random_one_in(random, 2)
                ? 0
                : random_below(random, random_one_in(random, 2) ? ROLLCALL_BUDGET_MIN : 4u << 20));
}

static struct step make_step(struct random *random, const struct style *style, unsigned owners)
{
    struct step step = {.op = (uint8_t)make_op(random, style),
                        .owner = (uint8_t)random_below(random, owners)};

    switch ((enum step_op)step.op) {
    case STEP_POST:
    case STEP_CREATE:
        make_event_step(random, style, &step);
        break;
    case STEP_LOST:
        make_lost(random, &step);
        break;
    case STEP_ATTACH:
    case STEP_DETACH:
        step.a = random_below(random, STEP_NAMES);
        step.b = make_flags(random, style);
        break;
    case STEP_BUDGET:
        step.b = make_budget(random);
        break;
    case STEP_RECORD_MAX:
        step.b = random_one_in(random, 2) ? ROLLCALL_RECORD_MAX
                                          : ROLLCALL_RECORD_MIN + random_below(random, 8192);
        break;
    case STEP_MALFORMED:
        step.a = random_below(random, REQUESTS);
        step.b = random_below(random, WRONGS);
        break;
    default:
        step.a = make_ack(random);
        step.b = make_room(random, style);
        break;
    }
    return step;
}

unsigned steps_make(struct random *random, struct step_setting *setting, struct step *steps,
                    unsigned max)
{
    unsigned count = random_below(random, max) + 1;
    struct style style;

    do
        make_style(random, &style);
    while (style.weight == 0);
    make_setting(random, &style, setting);
    for (unsigned i = 0; i < count; i++)
        steps[i] = make_step(random, &style, setting->owners);
    return count;
}

/* ---- for people ---- */

static const char *const type_names[] = {"?", "create", "exec", "exit", "exists", "gap", "synced"};
static const char *const ack_names[ACKS] = {"nothing",     "all delivered", "half",
                                            "what is old", "one too much",  "endlessly much"};
static const char *const request_names[REQUESTS] = {"attach",      "fetch", "drain",     "wait",
                                                    "acknowledge", "stats", "configure", "detach"};
static const char *const wrong_names[WRONGS] = {"version", "flags", "size", "too short",
                                                "too long"};

static void print_attach(FILE *out, const struct step *step)
{
    fprintf(out, "attach \"%.*s\"%s%s%s", step->a ? 1 : 0, &"-1234"[step->a],
            step -> b &ROLLCALL_ATTACH_OLDEST ? " from the oldest" : "",
            step->b &ROLLCALL_ATTACH_CONTINUE ? " only to continue" : "",
            step->b &ROLLCALL_ATTACH_DENY ? " deny" : "");
}

static void print_of_consumer(FILE *out, const struct step *step)
{
    fprintf(out, "owner %u: ", step->owner);
    switch ((enum step_op)step->op) {
    case STEP_ATTACH:
        print_attach(out, step);
        break;
    case STEP_CLOSE:
        fputs("close", out);
        break;
    case STEP_FETCH:
        fprintf(out, "acknowledge %s, fetch %u bytes", ack_names[step->a], step->b);
        break;
    case STEP_QUEUE:
        fprintf(out, "acknowledge %s, fetch %u bytes without match", ack_names[step->a], step->b);
        break;
    case STEP_WAIT:
        fprintf(out, "wait with %u bytes", step->b);
        break;
    case STEP_MATCH:
        fputs("match", out);
        break;
    case STEP_CANCEL:
        fprintf(out, "cancel request %u", step->b);
        break;
    case STEP_DRAIN:
        fprintf(out, "acknowledge %s, drain %u bytes", ack_names[step->a], step->b);
        break;
    case STEP_ACKNOWLEDGE:
        fprintf(out, "acknowledge %s", ack_names[step->a]);
        break;
    default:
        fprintf(out, "malformed %s: %s", request_names[step->a], wrong_names[step->b]);
        break;
    }
}

void step_print(FILE *out, const struct step *step)
{
    switch ((enum step_op)step->op) {
    case STEP_POST:
        fprintf(out, "post %s, %u bytes", type_names[step->a], step->b);
        break;
    case STEP_CREATE:
        fprintf(out, "post refusable create, %u bytes", step->b);
        break;
    case STEP_LOST:
        fprintf(out, "lose %u, reason %u", step->b, step->a);
        break;
    case STEP_FORGET:
        fputs("forget a process", out);
        break;
    case STEP_DETACH:
        fprintf(out, "detach \"%.*s\"", step->a ? 1 : 0, &"-1234"[step->a]);
        break;
    case STEP_BUDGET:
        fprintf(out, "configure a budget of %u", step->b);
        break;
    case STEP_RECORD_MAX:
        fprintf(out, "configure records up to %u", step->b);
        break;
    default:
        print_of_consumer(out, step);
        break;
    }
    if (step->fail == STEP_FAIL_ALL)
        fputs(", no memory", out);
    else if (step->fail)
        fprintf(out, ", allocation %u fails", step->fail);
    fputc('\n', out);
}
