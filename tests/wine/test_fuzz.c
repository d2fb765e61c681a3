/* SPDX-License-Identifier: MIT */
/*
 * Requests at random: well-formed ones, changed ones, hostile ones, on handles that come and go,
 * from several threads, while processes begin and end. The driver answers each with a status that
 * it may have, and with records that are whole; in the end it still loses nothing.
 * fuzz.exe [SECONDS [SEED]]: the same seed sends the same, but the threads meet differently.
 */
#include "tests/wine/lib/chance.h"
#include "tests/wine/lib/numbers.h"

#include <rollcall/rollcall.h>

#include <stdio.h>
#include <string.h>

#define THREADS   4
#define HANDLES   8  /* that all threads use */
#define SENT      48 /* requests of a thread that may wait */
#define OUT_MAX   16384u
#define PROCESSES 1000

/* A request, from when it is sent until its end has been looked at. */
struct sent {
    struct pended pended;
    HANDLE device;
    DWORD code;
    bool there;
    union {
        struct rollcall_reply reply;
        struct rollcall_engine_stats stats;
        uint8_t bytes[OUT_MAX];
    } out;
};

struct thread {
    struct chance chance;
    uint64_t requests, good; /* good: that succeeded */
    struct sent sent[SENT];
};

union any {
    struct rollcall_request head;
    struct rollcall_attach attach;
    struct rollcall_fetch fetch;
    struct rollcall_configure configure;
    struct rollcall_detach_request detach;
    uint8_t bytes[512];
};

/* A kind of request: its code, its size, and that of its answer. */
static const struct {
    DWORD code, in, out;
} kinds[] = {
    {ROLLCALL_CODE_ATTACH, sizeof(struct rollcall_attach), sizeof(struct rollcall_attached)},
    {ROLLCALL_CODE_FETCH, sizeof(struct rollcall_fetch), sizeof(struct rollcall_reply)},
    {ROLLCALL_CODE_DRAIN, sizeof(struct rollcall_fetch), sizeof(struct rollcall_reply)},
    {ROLLCALL_CODE_WAIT, sizeof(struct rollcall_request), sizeof(struct rollcall_ready)},
    {ROLLCALL_CODE_ACKNOWLEDGE, sizeof(struct rollcall_acknowledge), 0},
    {ROLLCALL_CODE_STATS, sizeof(struct rollcall_request), sizeof(struct rollcall_engine_stats)},
    {ROLLCALL_CODE_CONFIGURE, sizeof(struct rollcall_configure), 0},
    {ROLLCALL_CODE_DETACH, sizeof(struct rollcall_detach_request), 0},
    {ROLLCALL_CODE_RELEASE, sizeof(struct rollcall_request), 0},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static HANDLE volatile handles[HANDLES];
static struct thread threads[THREADS];
static volatile bool over;
static uint64_t seed;

/* ---- answers ---- */

static bool status_allowed(DWORD code, DWORD error)
{
    switch (error) {
    case 0:
    case ERROR_INVALID_FUNCTION:
    case ERROR_INVALID_PARAMETER:
    case ERROR_ACCESS_DENIED:
    case ERROR_INVALID_HANDLE: /* another thread has closed it */
    case ERROR_OPERATION_ABORTED:
        return true;
    case ERROR_INSUFFICIENT_BUFFER:
        return code != ROLLCALL_CODE_ACKNOWLEDGE && code != ROLLCALL_CODE_CONFIGURE &&
               code != ROLLCALL_CODE_DETACH && code != ROLLCALL_CODE_RELEASE;
    case ERROR_DEVICE_REMOVED:
        return code == ROLLCALL_CODE_ATTACH || code == ROLLCALL_CODE_FETCH ||
               code == ROLLCALL_CODE_DRAIN || code == ROLLCALL_CODE_WAIT;
    case ERROR_MORE_DATA:
        return code == ROLLCALL_CODE_FETCH || code == ROLLCALL_CODE_DRAIN;
    case ERROR_BAD_COMMAND:
        return code == ROLLCALL_CODE_FETCH || code == ROLLCALL_CODE_DRAIN ||
               code == ROLLCALL_CODE_WAIT || code == ROLLCALL_CODE_ACKNOWLEDGE;
    case ERROR_NOT_ENOUGH_QUOTA:
        return code == ROLLCALL_CODE_ATTACH || code == ROLLCALL_CODE_FETCH ||
               code == ROLLCALL_CODE_WAIT;
    case ERROR_BUSY:
    case ERROR_NOT_FOUND:
        return code == ROLLCALL_CODE_ATTACH || code == ROLLCALL_CODE_DETACH;
    default:
        return false;
    }
}

/* Records that are whole, with numbers one after the other. */
static void check_reply(const struct rollcall_reply *reply, DWORD bytes)
{
    const uint8_t *records = (const uint8_t *)(reply + 1);
    uint64_t next = reply->first_seq;
    uint32_t count = 0;
    size_t at = 0;

    CHECK(bytes == sizeof(*reply) + (reply->count > 0 ? reply->size : 0), "%lu bytes, %u of %u",
          bytes, reply->count, reply->size);
    while (at + sizeof(*reply) < bytes) {
        const struct rollcall_event *event = (const void *)(records + at);

        if (!rollcall_event_valid(event, bytes - sizeof(*reply) - at) || event->seq != next) {
            CHECK(false, "record %u at %zu is damaged", count, at);
            return;
        }
        next = rollcall_event_last_seq(event) + 1;
        at += event->size;
        count++;
    }
    CHECK(count == reply->count && next == reply->last_seq + 1, "%u records of %u", count,
          reply->count);
}

static void check_success(const struct sent *sent, DWORD bytes)
{
    const struct rollcall_engine_stats *stats = &sent->out.stats;
    DWORD expected = 0;
    size_t i;

    for (i = 0; i < KINDS; i++)
        if (kinds[i].code == sent->code)
            expected = kinds[i].out;
    if (sent->code == ROLLCALL_CODE_FETCH || sent->code == ROLLCALL_CODE_DRAIN) {
        check_reply(&sent->out.reply, bytes);
        return;
    }
    if (sent->code == ROLLCALL_CODE_STATS) {
        CHECK(stats->given <= stats->consumers && stats->consumers <= ROLLCALL_CONSUMERS_MAX,
              "%u of %u consumers", stats->given, stats->consumers);
        expected += stats->given * (DWORD)sizeof(struct rollcall_consumer_stats);
    }
    CHECK(bytes == expected, "code %lx: %lu bytes, not %lu", sent->code, bytes, expected);
}

/* Waits for it, when the handle is closed or it is canceled. */
static void look(struct thread *thread, struct sent *sent, bool cancels)
{
    DWORD bytes, error;

    if (cancels)
        CancelIoEx(sent->device, &sent->pended.overlapped);
    error = pended_wait(&sent->pended, &bytes);
    sent->there = false;
    thread->good += error == 0;
    CHECK(status_allowed(sent->code, error), "code %lx: %lu", sent->code, error);
    if (error == 0)
        check_success(sent, bytes);
    else if (error == ERROR_MORE_DATA)
        CHECK(bytes == sizeof(sent->out.reply) && sent->out.reply.count == 0, "%lu bytes", bytes);
    else
        CHECK(bytes == 0, "code %lx: %lu bytes with error %lu", sent->code, bytes, error);
}

/* ---- requests ---- */

static uint64_t number(struct chance *chance)
{
    static const uint64_t hostile[] = {0,          1,          0x7fffffff,
                                       0x80000000, 0xffffffff, 1ull << 32,
                                       1ull << 63, UINT64_MAX, UINT64_MAX - 1};

    switch (chance_below(chance, 3)) {
    case 0:
        return hostile[chance_below(chance, sizeof(hostile) / sizeof(hostile[0]))];
    case 1:
        return chance_below(chance, 1u << chance_below(chance, 31));
    default:
        return chance_next(chance);
    }
}

static void make_name(struct chance *chance, uint32_t *size, char *name)
{
    *size = chance_below(chance, 3);
    if (*size > 0)
        memset(name, 'a' + (int)chance_below(chance, 3), *size);
}

/* One that is taken. */
static void make_good(struct chance *chance, size_t kind, union any *what)
{
    memset(what, 0, sizeof(*what));
    what->head = head_of(kinds[kind].in, 0);
    switch (kinds[kind].code) {
    case ROLLCALL_CODE_ATTACH:
        what->head.flags = (uint16_t)chance_below(chance, 8);
        make_name(chance, &what->attach.name_size, what->attach.name);
        break;
    case ROLLCALL_CODE_DETACH:
        make_name(chance, &what->detach.name_size, what->detach.name);
        break;
    case ROLLCALL_CODE_FETCH:
    case ROLLCALL_CODE_DRAIN:
    case ROLLCALL_CODE_ACKNOWLEDGE:
        what->fetch.acked_seq = chance_below(chance, 4) == 0 ? number(chance) : 0;
        break;
    case ROLLCALL_CODE_CONFIGURE:
        what->head.flags = ROLLCALL_CONFIGURE_BUDGET | ROLLCALL_CONFIGURE_RECORD;
        what->configure.budget = ROLLCALL_BUDGET_MIN + chance_below(chance, 1u << 20);
        what->configure.record_max = ROLLCALL_RECORD_MIN + chance_below(chance, 1u << 17);
        break;
    }
}

static void change(struct chance *chance, union any *what, DWORD size)
{
    uint64_t value = number(chance);
    uint32_t width = 1u << chance_below(chance, 4);
    uint32_t at = chance_below(chance, size > width ? (uint32_t)(size - width) : 1) & ~(width - 1);

    memcpy(what->bytes + at, &value, width);
}

static DWORD size_near(struct chance *chance, DWORD size, DWORD most)
{
    DWORD result;

    switch (chance_below(chance, 4)) {
    case 0:
        result = size + chance_below(chance, 9) - 4;
        break;
    case 1:
        result = chance_below(chance, most + 1);
        break;
    default:
        result = size;
    }
    return result > most ? size : result;
}

static DWORD code_near(struct chance *chance, DWORD code)
{
    if (chance_below(chance, 16) != 0)
        return code;
    return chance_below(chance, 2) == 0
               ? code ^ 1u << chance_below(chance, 16)
               : ROLLCALL_CODE(chance_below(chance, 0x1000), chance_below(chance, 4));
}

static void send_one(struct thread *thread, struct sent *sent)
{
    struct chance *chance = &thread->chance;
    /* The last kind ends the use of all handles: it is rare. */
    size_t kind = chance_below(chance, 100) == 0 ? KINDS - 1 : chance_below(chance, KINDS - 1);
    DWORD in = kinds[kind].in, out = chance_below(chance, OUT_MAX + 1);
    union any what;
    uint32_t i;

    make_good(chance, kind, &what);
    if (chance_below(chance, 4) == 0)
        for (i = 1 + chance_below(chance, 3); i > 0; i--)
            change(chance, &what, in);
    if (chance_below(chance, 8) == 0)
        in = size_near(chance, in, sizeof(what));
    if (chance_below(chance, 4) == 0)
        out = size_near(chance, kinds[kind].out, OUT_MAX);
    sent->code = code_near(chance, kinds[kind].code);
    sent->device = handles[chance_below(chance, HANDLES)];
    sent->there = true;
    thread->requests++;
    pended_send(&sent->pended, sent->device, sent->code, &what, in, &sent->out, out);
}

/* ---- handles ---- */

static HANDLE open_some(struct chance *chance)
{
    static const DWORD rights[] = {0, GENERIC_READ, GENERIC_WRITE, GENERIC_READ | GENERIC_WRITE};
    uint32_t which = chance_below(chance, 16);

    return device_open(ROLLCALL_DEVICE_PATH, rights[which < 3 ? which : 3]);
}

/* Mostly attached at once, and sometimes with all that there is before it. */
static void exchange(struct chance *chance)
{
    HANDLE volatile *place = &handles[chance_below(chance, HANDLES)];
    const char *const names[] = {"", "", "a", "b", "cc"};
    HANDLE device = open_some(chance);
    struct rollcall_attached attached;

    if (chance_below(chance, 4) != 0)
        ask_attach(device, names[chance_below(chance, 5)], chance_below(chance, 2), &attached);
    CloseHandle(InterlockedExchangePointer((void *volatile *)place, device));
}

/* Removes the durable consumers that nobody has. */
static void sweep(void)
{
    HANDLE device = driver_open();
    struct stats stats;
    char name[ROLLCALL_CONSUMER_NAME + 1] = {0};
    uint32_t i;

    stats_get(device, &stats);
    for (i = 0; i < stats.engine.given; i++) {
        if (stats.consumers[i].name_size == 0)
            continue;
        memcpy(name, stats.consumers[i].name, ROLLCALL_CONSUMER_NAME);
        ask_detach(device, name);
    }
    CloseHandle(device);
}

static void cancel_some(struct chance *chance)
{
    HANDLE device = handles[chance_below(chance, HANDLES)];

    if (chance_below(chance, 2) == 0)
        CancelIo(device);
    else
        CancelIoEx(device, NULL);
}

/* ---- threads ---- */

static void step(struct thread *thread)
{
    struct chance *chance = &thread->chance;
    struct sent *sent = &thread->sent[chance_below(chance, SENT)];
    uint32_t which = chance_below(chance, 256);

    if (which < 4)
        exchange(chance);
    else if (which < 8)
        cancel_some(chance);
    else if (which < 9)
        sweep();
    else if (!sent->there)
        send_one(thread, sent);
    else if (pended_done(&sent->pended) || which % 4 == 0)
        look(thread, sent, true);
}

static DWORD WINAPI run(void *context)
{
    struct thread *thread = context;
    unsigned i;

    while (!over && !test_failed())
        step(thread);
    for (i = 0; i < SENT; i++)
        if (thread->sent[i].there)
            look(thread, &thread->sent[i], true);
    return 0;
}

static DWORD WINAPI raise_some(void *context)
{
    struct chance chance = chance_begin(seed, THREADS);
    uint32_t pid = 1000, count;

    (void)context;
    while (!over) {
        count = chance_below(&chance, 20);
        raise_bulk(pid, count, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH,
                   chance_below(&chance, 4000));
        pid = pid > 1000000 ? 1000 : pid + 4 * count;
    }
    return 0;
}

/* A consumer that begins now misses nothing. */
static void still_exact(void)
{
    HANDLE device = driver_open();
    struct rollcall_attached attached;
    struct numbers numbers = {0};
    struct stats stats;

    sweep();
    CHECK(ask_configure(device, ROLLCALL_BUDGET_DEFAULT, ROLLCALL_RECORD_MAX) == 0, "configure");
    CHECK(ask_attach(device, "exact", 0, &attached) == 0, "attach");
    numbers_begin(&numbers, attached.acked_seq);
    CHECK(raise_bulk(1000, PROCESSES, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 64) == 0, "refused");
    numbers_drain(&numbers, device);
    numbers_check(&numbers, attached.acked_seq + 2 * PROCESSES);
    stats_get(device, &stats);
    CHECK(stats.engine.consumers == 1 && stats.engine.last_seq == numbers.last_seq,
          "%u consumers, up to %llu", stats.engine.consumers,
          (unsigned long long)stats.engine.last_seq);
    numbers_free(&numbers);
    CloseHandle(device);
}

static void fuzz(DWORD seconds)
{
    struct chance chance = chance_begin(seed, THREADS + 1);
    HANDLE running[THREADS + 1];
    DWORD begin = GetTickCount();
    unsigned i;

    for (i = 0; i < HANDLES; i++)
        handles[i] = open_some(&chance);
    for (i = 0; i < THREADS; i++) {
        threads[i].chance = chance_begin(seed, i);
        running[i] = thread_begin(run, &threads[i]);
    }
    running[i] = thread_begin(raise_some, NULL);
    while (GetTickCount() - begin < 1000 * seconds && !test_failed())
        Sleep(10);
    over = true;
    for (i = 0; i <= THREADS; i++)
        thread_join(running[i]);
    for (i = 0; i < HANDLES; i++)
        CloseHandle(handles[i]);
    for (i = 0; i < THREADS; i++)
        printf("%llu requests, %llu succeeded\n", (unsigned long long)threads[i].requests,
               (unsigned long long)threads[i].good);
}

int main(int argc, char **argv)
{
    DWORD seconds = argc > 1 ? (DWORD)strtoul(argv[1], NULL, 0) : 60;

    test_begin("rollcall.sys");
    seed = chance_seed(argc > 2 ? argv[2] : NULL);
    CHECK(driver_start() == 0, "start");
    fuzz(seconds);
    still_exact();
    return test_end();
}
