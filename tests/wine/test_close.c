/* SPDX-License-Identifier: MIT */
/*
 * Handles are closed, or asked for, while events complete what they have pended, and while requests
 * arrive on them; duplicates of a handle are the same consumer, which ends with the last.
 * close.exe [SEED]
 */
#include "tests/wine/lib/numbers.h"
#include "tests/wine/lib/race.h"

#define REQUESTS        8
#define PROCESSES       (REQUESTS / 2)
#define CLOSE_TURNS     1000 /* of either kind */
#define ARRIVE_TURNS    800  /* of each kind */
#define ARRIVING        4
#define DUPLICATE_TURNS 500

static HANDLE runtime;
static uint32_t pid = 1000;

/* Each process two events. */
static void raise_some(struct bulk *bulk)
{
    bulk_send(bulk, runtime, pid, PROCESSES, 16);
    pid += 4 * PROCESSES;
}

static void raised(struct bulk *bulk)
{
    DWORD error = bulk_wait(bulk);

    CHECK(error == 0, "raising: %lu", error);
}

static HANDLE duplicate_of(HANDLE device)
{
    HANDLE duplicate = NULL;

    if (!DuplicateHandle(GetCurrentProcess(), device, GetCurrentProcess(), &duplicate, 0, FALSE,
                         DUPLICATE_SAME_ACCESS))
        die("no duplicate: %lu", GetLastError());
    return duplicate;
}

/* ---- with requests pended ---- */

struct closing {
    HANDLE device;
    bool releases; /* all handles, before it is closed */
    struct race race;
    struct numbers numbers;
    struct fetch fetches[REQUESTS];
    struct bulk bulk;
};

static void closing_raise(void *context)
{
    raise_some(&((struct closing *)context)->bulk);
}

static void closing_close(void *context)
{
    const struct closing *closing = context;
    DWORD error = closing->releases ? ask_release(closing->device) : 0;

    CHECK(error == 0, "release: %lu", error);
    CloseHandle(closing->device);
}

/* What the last one acknowledged is where this one begins. */
static void closing_attach(struct closing *closing)
{
    uint64_t acked_seq = closing->numbers.acked_seq;
    struct rollcall_attached attached;
    DWORD error;

    closing->device = driver_open();
    error = ask_attach(closing->device, closing->releases ? "releasing" : "closing", 0, &attached);
    if (error != 0)
        die("attach: %lu", error);
    CHECK(acked_seq == 0 || (attached.acked_seq == acked_seq && attached.continued == 1),
          "it continues after %llu, not %llu", (unsigned long long)attached.acked_seq,
          (unsigned long long)acked_seq);
    numbers_begin(&closing->numbers, attached.acked_seq);
}

static void closing_turn(struct closing *closing)
{
    unsigned i, completed = 0, canceled = 0;
    DWORD error;

    closing_attach(closing);
    /* Else the requests find what is there already. */
    if (chance_below(&closing->race.chance, 4) != 0)
        numbers_drain(&closing->numbers, closing->device);
    numbers_begin(&closing->numbers, closing->numbers.whole_seq);
    for (i = 0; i < REQUESTS; i++)
        fetch_send(&closing->fetches[i], closing->device, 0, sizeof(closing->fetches[i].answer));
    race_run(&closing->race, closing_raise, closing_close, closing);
    for (i = 0; i < REQUESTS; i++) {
        error = fetch_wait(&closing->fetches[i]);
        CHECK(error == 0 || error == ERROR_OPERATION_ABORTED, "%lu", error);
        if (error == 0)
            numbers_add(&closing->numbers, &closing->fetches[i].answer);
        completed += error == 0;
        canceled += error != 0;
    }
    numbers_check(&closing->numbers, closing->numbers.last_seq);
    race_won(&closing->race, completed, canceled);
    raised(&closing->bulk);
}

static void closed_with_pended(uint64_t seed, bool releases)
{
    struct closing closing = {.releases = releases, .race.chance = chance_begin(seed, 2)};
    struct stats stats;
    unsigned i;

    for (i = 0; i < test_part(CLOSE_TURNS) && !test_failed(); i++)
        closing_turn(&closing);
    closing_attach(&closing);
    numbers_drain(&closing.numbers, closing.device);
    stats_get(closing.device, &stats);
    numbers_check(&closing.numbers, stats.engine.last_seq);
    CloseHandle(closing.device);
    numbers_free(&closing.numbers);
    race_check(&closing.race, releases ? "completed and released" : "completed and closed");
}

/* ---- with requests that arrive ---- */

struct arriving {
    HANDLE device;
    HANDLE go, done;
    bool over;
    enum { ATTACHED, ATTACHES, RELEASED } kind; /* ATTACHES: the first one that arrives does */
    struct race race;
    struct pended attach;
    struct rollcall_attached attached;
    struct fetch fetches[ARRIVING];
};

static DWORD WINAPI arriving_send(void *context)
{
    struct rollcall_attach attach = {.request = head_of(sizeof(attach), ROLLCALL_ATTACH_OLDEST)};
    struct arriving *arriving = context;
    unsigned i;

    for (;;) {
        WaitForSingleObject(arriving->go, INFINITE);
        if (arriving->over)
            return 0;
        if (arriving->kind == ATTACHES)
            pended_send(&arriving->attach, arriving->device, ROLLCALL_CODE_ATTACH, &attach,
                        sizeof(attach), &arriving->attached, sizeof(arriving->attached));
        for (i = 0; i < ARRIVING; i++)
            fetch_send(&arriving->fetches[i], arriving->device, 0,
                       sizeof(arriving->fetches[i].answer));
        SetEvent(arriving->done);
    }
}

static void arriving_go(void *context)
{
    SetEvent(((struct arriving *)context)->go);
}

/* A released one is closed by its owner, later. */
static void arriving_close(void *context)
{
    const struct arriving *arriving = context;

    if (arriving->kind == RELEASED)
        CHECK(ask_release(arriving->device) == 0, "release");
    else
        CloseHandle(arriving->device);
}

static bool has_arrived(const struct arriving *arriving, DWORD error)
{
    DWORD late = arriving->kind == RELEASED ? ERROR_DEVICE_REMOVED : ERROR_INVALID_HANDLE;

    CHECK(error == 0 || error == ERROR_OPERATION_ABORTED || error == late, "%lu", error);
    return error != late;
}

static void arriving_turn(struct arriving *arriving)
{
    unsigned i, arrived = 0;
    DWORD error;

    arriving->device = driver_open();
    if (arriving->kind != ATTACHES) {
        error = ask_attach(arriving->device, "", ROLLCALL_ATTACH_OLDEST, &arriving->attached);
        CHECK(error == 0, "attach: %lu", error);
    }
    race_run(&arriving->race, arriving_go, arriving_close, arriving);
    if (WaitForSingleObject(arriving->done, LIMIT_MS) != WAIT_OBJECT_0)
        die("a request does not come back");
    if (arriving->kind == ATTACHES)
        has_arrived(arriving, pended_wait(&arriving->attach, NULL));
    for (i = 0; i < ARRIVING; i++)
        arrived += has_arrived(arriving, fetch_wait(&arriving->fetches[i]));
    if (arriving->kind == RELEASED)
        CloseHandle(arriving->device);
    race_won(&arriving->race, arrived, ARRIVING - arrived);
}

static void closed_with_arriving(uint64_t seed, struct arriving *arriving, const char *what)
{
    HANDLE thread;
    unsigned i;

    arriving->race.chance = chance_begin(seed, arriving->kind);
    arriving->go = CreateEventW(NULL, FALSE, FALSE, NULL);
    arriving->done = CreateEventW(NULL, FALSE, FALSE, NULL);
    thread = thread_begin(arriving_send, arriving);
    for (i = 0; i < test_part(ARRIVE_TURNS) && !test_failed(); i++) {
        if (i % 8 == 0)
            raise_bulk(pid, 1, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 16);
        arriving_turn(arriving);
    }
    arriving->over = true;
    SetEvent(arriving->go);
    thread_join(thread);
    CloseHandle(arriving->go);
    CloseHandle(arriving->done);
    race_check(&arriving->race, what);
}

/* ---- duplicates ---- */

static void same_consumer(HANDLE other)
{
    HANDLE device = driver_open(), duplicate = duplicate_of(device);
    static struct fetch fetches[2 * REQUESTS + 1];
    struct rollcall_attached attached, again;
    struct numbers numbers = {0};
    struct stats stats;
    unsigned i;

    CHECK(ask_attach(device, "", 0, &attached) == 0, "attach");
    numbers_begin(&numbers, attached.acked_seq);
    CHECK(ask_attach(duplicate, "", 0, &again) == ERROR_BUSY, "attached twice");
    for (i = 0; i < 2 * REQUESTS; i++)
        fetch_send(&fetches[i], i % 2 == 0 ? device : duplicate, 0, sizeof(fetches[i].answer));
    stats_wait_pended(other, "", 2 * REQUESTS);
    CloseHandle(device);
    stats_get(other, &stats);
    CHECK(stats.engine.consumers == 1 && stats.consumers[0].pended == 2 * REQUESTS,
          "%u consumers, %u requests", stats.engine.consumers, stats.consumers[0].pended);
    raise_bulk(pid, REQUESTS, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 16);
    for (i = 0; i < 2 * REQUESTS; i++) {
        CHECK(fetch_wait(&fetches[i]) == 0, "fetch %u", i);
        numbers_add(&numbers, &fetches[i].answer);
    }
    numbers_check(&numbers, attached.acked_seq + 2 * REQUESTS);
    fetch_send(&fetches[i], duplicate, numbers.whole_seq, sizeof(fetches[i].answer));
    CloseHandle(duplicate);
    CHECK(fetch_wait(&fetches[i]) == ERROR_OPERATION_ABORTED, "the last handle is closed");
    stats_get(other, &stats);
    CHECK(stats.engine.consumers == 0, "%u consumers", stats.engine.consumers);
    numbers_free(&numbers);
}

struct duplicate {
    HANDLE device;
    struct fetch fetches[REQUESTS];
    DWORD errors[REQUESTS];
};

static DWORD WINAPI fetch_and_close(void *context)
{
    struct duplicate *duplicate = context;
    unsigned i;

    for (i = 0; i < REQUESTS; i++)
        fetch_send(&duplicate->fetches[i], duplicate->device, 0,
                   sizeof(duplicate->fetches[i].answer));
    CloseHandle(duplicate->device);
    /* Requests end with the thread that has sent them. */
    for (i = 0; i < REQUESTS; i++)
        duplicate->errors[i] = fetch_wait(&duplicate->fetches[i]);
    return 0;
}

static void add_all(struct numbers *numbers, const struct duplicate *duplicate)
{
    unsigned i;

    for (i = 0; i < REQUESTS; i++) {
        CHECK(duplicate->errors[i] == 0 || duplicate->errors[i] == ERROR_OPERATION_ABORTED, "%lu",
              duplicate->errors[i]);
        if (duplicate->errors[i] == 0)
            numbers_add(numbers, &duplicate->fetches[i].answer);
    }
}

static void no_consumer_left(HANDLE other)
{
    DWORD begin = GetTickCount();
    struct stats stats;

    do
        stats_get(other, &stats);
    while (stats.engine.consumers > 0 && GetTickCount() - begin < LIMIT_MS);
    CHECK(stats.engine.consumers == 0, "%u consumers", stats.engine.consumers);
}

static void closed_at_once(HANDLE other)
{
    static struct duplicate duplicates[2];
    struct rollcall_attached attached;
    struct numbers numbers = {0};
    struct bulk bulk;
    HANDLE threads[2];
    unsigned i;

    duplicates[0].device = driver_open();
    duplicates[1].device = duplicate_of(duplicates[0].device);
    CHECK(ask_attach(duplicates[0].device, "", 0, &attached) == 0, "attach");
    numbers_begin(&numbers, attached.acked_seq);
    threads[0] = thread_begin(fetch_and_close, &duplicates[0]);
    raise_some(&bulk);
    threads[1] = thread_begin(fetch_and_close, &duplicates[1]);
    for (i = 0; i < 2; i++) {
        thread_join(threads[i]);
        add_all(&numbers, &duplicates[i]);
    }
    numbers_check(&numbers, numbers.last_seq);
    numbers_free(&numbers);
    raised(&bulk);
    no_consumer_left(other);
}

/* ---- release ---- */

static void refused(HANDLE device, const char *name)
{
    struct rollcall_request wait = head_of(sizeof(wait), 0);
    struct rollcall_attached attached;
    struct rollcall_ready ready;
    struct answer answer;
    struct fetch fetch;
    DWORD error;

    fetch_send(&fetch, device, 0, sizeof(fetch.answer));
    error = fetch_wait(&fetch);
    CHECK(error == ERROR_DEVICE_REMOVED, "fetch: %lu", error);
    error = ask_drain(device, 0, &answer, sizeof(answer));
    CHECK(error == ERROR_DEVICE_REMOVED, "drain: %lu", error);
    error = request(device, ROLLCALL_CODE_WAIT, &wait, sizeof(wait), &ready, sizeof(ready), NULL);
    CHECK(error == ERROR_DEVICE_REMOVED, "wait: %lu", error);
    error = ask_attach(device, name, 0, &attached);
    CHECK(error == ERROR_DEVICE_REMOVED, "attach: %lu", error);
}

/* What was delivered can still be acknowledged; a handle that is opened later is as any. */
static void released(void)
{
    HANDLE old = driver_open(), other = driver_open(), new;
    struct rollcall_attached attached;
    struct answer answer;
    struct fetch fetch;

    CHECK(ask_attach(old, "released", 0, &attached) == 0, "attach");
    raise_bulk(pid, 2, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 16);
    CHECK(ask_drain(old, 0, &answer, sizeof(answer)) == 0, "drain");
    fetch_send(&fetch, old, 0, sizeof(fetch.answer));
    CHECK(ask_release(other) == 0, "release");
    CHECK(fetch_wait(&fetch) == ERROR_OPERATION_ABORTED, "what was pended is canceled");
    raise_bulk(pid, 2, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 16);
    refused(old, "released");
    refused(other, "another");
    CHECK(ask_acknowledge(old, answer.reply.first_seq) == 0, "acknowledge");
    new = driver_open();
    CHECK(ask_attach(new, "released", 0, &attached) == ERROR_BUSY, "it still has its consumer");
    CloseHandle(old);
    CHECK(ask_attach(new, "released", 0, &attached) == 0 && attached.continued == 1 &&
              attached.acked_seq == answer.reply.first_seq,
          "its successor continues");
    CHECK(ask_drain(new, 0, &answer, sizeof(answer)) == 0 && answer.reply.count == 7, "%u events",
          answer.reply.count);
    CloseHandle(new);
    CloseHandle(other);
}

int main(int argc, char **argv)
{
    uint64_t seed = chance_seed(argc > 1 ? argv[1] : NULL);
    HANDLE other;
    unsigned i;

    test_begin("rollcall.sys");
    CHECK(driver_start() == 0, "start");
    runtime = device_open(CONTROL_PATH, GENERIC_READ | GENERIC_WRITE);
    other = driver_open();
    same_consumer(other);
    for (i = 0; i < test_part(DUPLICATE_TURNS) && !test_failed(); i++)
        closed_at_once(other);
    closed_with_arriving(seed, &(struct arriving){.kind = ATTACHED}, "arrived and closed");
    closed_with_arriving(seed, &(struct arriving){.kind = ATTACHES}, "attached and closed");
    no_consumer_left(other);
    closed_with_pended(seed, false);
    CloseHandle(other);
    closed_with_arriving(seed, &(struct arriving){.kind = RELEASED}, "arrived and released");
    closed_with_pended(seed, true);
    released();
    CloseHandle(runtime);
    return test_end();
}
