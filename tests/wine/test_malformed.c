/* SPDX-License-Identifier: MIT */
/*
 * Every request in every length, and with every field wrong; every code that is none; handles
 * without the right that it needs. It is refused with the status that the protocol says, and
 * nothing has changed.
 */
#include "tests/wine/lib/ask.h"

#include <stdio.h>
#include <string.h>

#define BEYOND   17u /* bytes that a length is too large by, at most */
#define HUGE     (1u << 20)
#define ANY      0u /* which of the two errors is not said */
#define ATTACHED "attached"
#define SPARE    "spare" /* a durable consumer that nobody has */

/* A kind of request: its code, its size, that of its fixed answer, and the flags that it has. */
struct shape {
    const char *what;
    DWORD code;
    DWORD in, out;
    unsigned flags;
    HANDLE *device; /* on which it would be right */
};

/* One of them, and more. */
union any {
    struct rollcall_request head;
    struct rollcall_attach attach;
    struct rollcall_fetch fetch;
    struct rollcall_acknowledge acknowledge;
    struct rollcall_configure configure;
    struct rollcall_detach_request detach;
    uint8_t bytes[HUGE];
};

static HANDLE attached; /* has events that were acknowledged, that were delivered, and that wait */
static HANDLE other;    /* attached to nothing */
static uint64_t delivered_seq;
static struct stats before;
static unsigned refusals;
static union any what;
static uint8_t answer[HUGE];

static const struct shape shapes[] = {
    {"attach", ROLLCALL_CODE_ATTACH, sizeof(struct rollcall_attach),
     sizeof(struct rollcall_attached), 7, &other},
    {"fetch", ROLLCALL_CODE_FETCH, sizeof(struct rollcall_fetch), sizeof(struct rollcall_reply), 0,
     &attached},
    {"drain", ROLLCALL_CODE_DRAIN, sizeof(struct rollcall_fetch), sizeof(struct rollcall_reply), 0,
     &attached},
    {"wait", ROLLCALL_CODE_WAIT, sizeof(struct rollcall_request), sizeof(struct rollcall_ready), 0,
     &attached},
    {"acknowledge", ROLLCALL_CODE_ACKNOWLEDGE, sizeof(struct rollcall_acknowledge), 0, 0,
     &attached},
    {"stats", ROLLCALL_CODE_STATS, sizeof(struct rollcall_request),
     sizeof(struct rollcall_engine_stats), 0, &other},
    {"configure", ROLLCALL_CODE_CONFIGURE, sizeof(struct rollcall_configure), 0, 3, &other},
    {"detach", ROLLCALL_CODE_DETACH, sizeof(struct rollcall_detach_request), 0, 0, &other},
    {"release", ROLLCALL_CODE_RELEASE, sizeof(struct rollcall_request), 0, 0, &other},
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static const struct shape *shape_of(DWORD code)
{
    size_t i;

    for (i = 0; i < SHAPES; i++)
        if (shapes[i].code == code)
            return &shapes[i];
    return NULL;
}

/* Puts into `what` a request that would be taken, and change something. */
static void make_good(const struct shape *shape)
{
    memset(&what, 0, 512);
    what.head = head_of(shape->in, 0);
    switch (shape->code) {
    case ROLLCALL_CODE_FETCH:
    case ROLLCALL_CODE_DRAIN:
    case ROLLCALL_CODE_ACKNOWLEDGE:
        what.fetch.acked_seq = delivered_seq;
        break;
    case ROLLCALL_CODE_CONFIGURE:
        what.head.flags = ROLLCALL_CONFIGURE_BUDGET | ROLLCALL_CONFIGURE_RECORD;
        what.configure.budget = 4 * ROLLCALL_BUDGET_MIN;
        what.configure.record_max = 2 * ROLLCALL_RECORD_MIN;
        break;
    case ROLLCALL_CODE_DETACH:
        what.detach.name_size = sizeof(SPARE) - 1;
        memcpy(what.detach.name, SPARE, sizeof(SPARE) - 1);
        break;
    }
}

static void unchanged(const char *text, DWORD in, DWORD out)
{
    struct stats after;

    stats_get(other, &after);
    CHECK(memcmp(&before, &after, sizeof(after)) == 0, "%s, %lu bytes in, %lu out: changes", text,
          in, out);
    refusals++;
}

/* Sends `what`. */
static void refused(const struct shape *shape, DWORD in, DWORD out, DWORD expected)
{
    DWORD bytes, error = request(*shape->device, shape->code, &what, in, answer, out, &bytes);

    if (expected == ANY)
        CHECK(error == ERROR_INVALID_PARAMETER || error == ERROR_INSUFFICIENT_BUFFER,
              "%s, %lu bytes in, %lu out: %lu", shape->what, in, out, error);
    else
        CHECK(error == expected, "%s, %lu bytes in, %lu out: %lu", shape->what, in, out, error);
    CHECK(bytes == 0, "%s, %lu bytes in, %lu out: %lu bytes returned", shape->what, in, out, bytes);
    unchanged(shape->what, in, out);
}

static void invalid(const struct shape *shape)
{
    refused(shape, shape->in, sizeof(answer), ERROR_INVALID_PARAMETER);
}

/* ---- lengths ---- */

static void wrong_length(const struct shape *shape, DWORD in)
{
    make_good(shape);
    refused(shape, in, shape->out + BEYOND, ERROR_INVALID_PARAMETER);
    what.head.size = in;
    refused(shape, in, shape->out, ERROR_INVALID_PARAMETER);
}

static void lengths(const struct shape *shape)
{
    DWORD in, out;

    for (in = 0; in <= shape->in + BEYOND; in++)
        if (in != shape->in)
            wrong_length(shape, in);
    wrong_length(shape, 65536);
    wrong_length(shape, HUGE);
    make_good(shape);
    for (out = 0; out < shape->out; out++)
        refused(shape, shape->in, out, ERROR_INSUFFICIENT_BUFFER);
    for (in = 0; shape->out > 0 && in < shape->in; in += 3)
        for (out = 0; out < shape->out; out += 7)
            refused(shape, in, out, ANY);
}

/* As many consumers as fit. */
static void stats_lengths(void)
{
    const struct rollcall_engine_stats *engine = (const void *)answer;
    const DWORD fixed = sizeof(*engine), each = sizeof(struct rollcall_consumer_stats);
    struct rollcall_request head = head_of(sizeof(head), 0);
    DWORD bytes, error, out;
    DWORD given;

    for (out = fixed; out <= fixed + 3 * each + BEYOND; out++) {
        error = request(other, ROLLCALL_CODE_STATS, &head, sizeof(head), answer, out, &bytes);
        given = (out - fixed) / each < 2 ? (out - fixed) / each : 2;
        CHECK(error == 0 && bytes == fixed + given * each && engine->given == given &&
                  engine->consumers == 2,
              "%lu bytes: %lu, %lu, %u of %u given", out, error, bytes, engine->given,
              engine->consumers);
    }
}

/* ---- fields ---- */

static void heads(const struct shape *shape)
{
    static const uint16_t versions[] = {0, 2, 0x100, 0x101, 0xffff};
    uint32_t sizes[] = {0, 1, shape->in - 1, shape->in + 1, shape->in << 16, 0xffffffffu};
    unsigned i;

    for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        make_good(shape);
        what.head.version = versions[i];
        invalid(shape);
    }
    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        make_good(shape);
        what.head.size = sizes[i];
        invalid(shape);
    }
    for (i = 0; i < 16; i++) {
        if ((shape->flags & 1u << i) != 0)
            continue;
        make_good(shape);
        what.head.flags = (uint16_t)(what.head.flags | 1u << i);
        invalid(shape);
    }
}

static void acknowledged_too_much(DWORD code)
{
    const struct shape *shape = shape_of(code);
    uint64_t seqs[] = {delivered_seq + 1, before.engine.last_seq, before.engine.last_seq + 1,
                       1ull << 63,        UINT64_MAX - 1,         UINT64_MAX};
    unsigned i;

    for (i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++) {
        make_good(shape);
        what.fetch.acked_seq = seqs[i];
        invalid(shape);
    }
}

static bool name_character(unsigned c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* Both have it at the same place. */
static void names(DWORD code)
{
    static const uint32_t sizes[] = {65, 66, 1u << 16, 1u << 31, 0xffffffffu};
    const struct shape *shape = shape_of(code);
    unsigned i, at;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        make_good(shape);
        memset(what.attach.name, 'n', sizeof(what.attach.name));
        what.attach.name_size = sizes[i];
        invalid(shape);
    }
    for (at = 0; at < ROLLCALL_CONSUMER_NAME; at += 9) {
        for (i = 0; i < 256; i++) {
            make_good(shape);
            memset(what.attach.name, 'n', at + 1);
            what.attach.name_size = at + 1;
            what.attach.name[at] = (char)i;
            if (!name_character(i))
                invalid(shape);
        }
        make_good(shape);
        memset(what.attach.name, 'n', at);
        what.attach.name_size = at;
        what.attach.name[at] = 'n';
        invalid(shape); /* behind the name */
    }
    make_good(shape);
    what.attach.reserved = 1;
    invalid(shape);
}

static void configurations(void)
{
    static const uint64_t budgets[] = {0, ROLLCALL_BUDGET_MIN - 1, ROLLCALL_BUDGET_MAX + 1ull,
                                       1ull << 32, UINT64_MAX};
    static const uint32_t records[] = {0, ROLLCALL_RECORD_MIN - 1, ROLLCALL_RECORD_MAX + 1,
                                       0xffffffffu};
    const struct shape *shape = shape_of(ROLLCALL_CODE_CONFIGURE);
    unsigned i;

    for (i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
        make_good(shape);
        what.configure.budget = budgets[i];
        invalid(shape);
    }
    for (i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        make_good(shape);
        what.configure.record_max = records[i];
        invalid(shape);
    }
    /* Values that no flag announces. */
    for (i = 0; i < 3; i++) {
        make_good(shape);
        what.head.flags = (uint16_t)i;
        invalid(shape);
    }
    make_good(shape);
    what.configure.reserved = 1;
    invalid(shape);
}

static void fields(void)
{
    const struct shape *shape = shape_of(ROLLCALL_CODE_ATTACH);
    size_t i;

    for (i = 0; i < SHAPES; i++)
        heads(&shapes[i]);
    acknowledged_too_much(ROLLCALL_CODE_FETCH);
    acknowledged_too_much(ROLLCALL_CODE_DRAIN);
    acknowledged_too_much(ROLLCALL_CODE_ACKNOWLEDGE);
    names(ROLLCALL_CODE_ATTACH);
    names(ROLLCALL_CODE_DETACH);
    configurations();
    make_good(shape);
    what.head.flags = ROLLCALL_ATTACH_CONTINUE; /* of no name */
    invalid(shape);
    shape = shape_of(ROLLCALL_CODE_DETACH);
    make_good(shape);
    memset(what.detach.name, 0, sizeof(what.detach.name));
    what.detach.name_size = 0;
    invalid(shape);
}

/* ---- codes ---- */

static void unknown_code(DWORD code)
{
    struct rollcall_request head = head_of(sizeof(head), 0);
    DWORD error;
    char text[32];

    error = request(attached, code, &head, sizeof(head), answer, sizeof(before.engine), NULL);
    snprintf(text, sizeof(text), "code %lx", code);
    CHECK(error == ERROR_INVALID_FUNCTION, "%s: %lu", text, error);
    unchanged(text, sizeof(head), sizeof(before.engine));
}

static void unknown_codes(void)
{
    static const DWORD types[] = {ROLLCALL_DEVICE_TYPE, ROLLCALL_DEVICE_TYPE - 1, 0x22};
    DWORD type, function, rest, code;

    for (type = 0; type < 3; type++)
        for (function = 0x7f0; function <= 0x820; function++)
            for (rest = 0; rest < 16; rest++) {
                code = types[type] << 16 | rest >> 2 << 14 | function << 2 | (rest & 3);
                if (shape_of(code) == NULL)
                    unknown_code(code);
            }
}

/* Without the right that the code names it does not come to the driver. With it, it does, and is
 * malformed; of a handle that is not attached either may be said. */
static void with_right(const struct shape *shape, HANDLE device, bool permitted)
{
    DWORD error;

    make_good(shape);
    if (permitted)
        what.head.version = 0;
    error = request(device, shape->code, &what, shape->in, answer, sizeof(answer), NULL);
    if (permitted)
        CHECK(error == ERROR_INVALID_PARAMETER || error == ERROR_BAD_COMMAND, "%s: %lu",
              shape->what, error);
    else
        CHECK(error == ERROR_ACCESS_DENIED, "%s: %lu", shape->what, error);
    unchanged(shape->what, shape->in, sizeof(answer));
}

static void access_rights(void)
{
    static const DWORD rights[] = {0, GENERIC_READ, GENERIC_WRITE};
    HANDLE device;
    DWORD have;
    size_t i;

    for (have = 0; have < 3; have++) {
        device = device_open(ROLLCALL_DEVICE_PATH, rights[have]);
        for (i = 0; i < SHAPES; i++)
            with_right(&shapes[i], device, (shapes[i].code >> 14 & 3 & ~have) == 0);
        CloseHandle(device);
    }
}

/* ---- all ---- */

static void begin(void)
{
    struct rollcall_attached reply;
    struct answer events;

    attached = driver_open();
    other = driver_open();
    CHECK(ask_attach(attached, SPARE, 0, &reply) == 0, "attach");
    CloseHandle(attached);
    attached = driver_open();
    CHECK(ask_attach(attached, ATTACHED, 0, &reply) == 0, "attach");
    raise_bulk(1000, 3, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 16);
    CHECK(ask_drain(attached, 0, &events, sizeof(events)) == 0, "drain");
    delivered_seq = events.reply.last_seq;
    CHECK(ask_acknowledge(attached, delivered_seq - 4) == 0, "acknowledge");
    raise_bulk(2000, 3, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 16);
    stats_get(other, &before);
}

int main(void)
{
    size_t i;

    test_begin("rollcall.sys");
    CHECK(driver_start() == 0, "start");
    begin();
    for (i = 0; i < SHAPES; i++)
        lengths(&shapes[i]);
    stats_lengths();
    fields();
    unknown_codes();
    access_rights();
    printf("%u refused\n", refusals);
    CloseHandle(attached);
    CloseHandle(other);
    return test_end();
}
