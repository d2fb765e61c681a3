/* SPDX-License-Identifier: MIT */
/*
 * What a fetch, a drain and a wait are completed with: a buffer that is too small for the next
 * record, several kinds of requests on one handle, several threads on one handle.
 */
#include "tests/wine/lib/numbers.h"

#include <string.h>

#define HEAD      sizeof(struct rollcall_reply)
#define WHOLE     sizeof(struct answer)
#define LITTLE    16u   /* bytes of a command line */
#define MUCH      6000u /* the same: its record needs half of that, and more than ... */
#define ROOM      300u  /* ... this, in which one with a little command line fits, but not two */
#define THREADS   4u
#define FETCHES   4u /* of each */
#define PROCESSES 10000u
#define AT_ONCE   50u

static HANDLE other; /* attached to nothing */
static uint32_t next_pid = 1000;

/* One event. */
static void raise_one(uint32_t command_size)
{
    raise_bulk(next_pid, 1, CONTROL_CREATE_EACH, command_size);
    next_pid += 4;
}

static HANDLE attach(struct numbers *numbers)
{
    HANDLE device = driver_open();
    struct rollcall_attached attached;

    CHECK(ask_attach(device, "", 0, &attached) == 0, "attach");
    memset(numbers, 0, sizeof(*numbers));
    numbers_begin(numbers, attached.acked_seq);
    return device;
}

/* All that was raised has been delivered. */
static void finish(struct numbers *numbers, HANDLE device)
{
    struct stats stats;

    stats_get(other, &stats);
    numbers_check(numbers, stats.engine.last_seq);
    numbers_free(numbers);
    CloseHandle(device);
}

static uint64_t delivered_seq(void)
{
    struct stats stats;

    stats_get(other, &stats);
    return stats.consumers[0].delivered_seq;
}

/* ---- a buffer that is too small ---- */

typedef DWORD (*take_routine)(HANDLE device, struct answer *answer, size_t room);

static DWORD by_drain(HANDLE device, struct answer *answer, size_t room)
{
    return ask_drain(device, 0, answer, room);
}

static DWORD by_fetch(HANDLE device, struct answer *answer, size_t room)
{
    static struct fetch fetch;
    DWORD error;

    fetch_send(&fetch, device, 0, room);
    error = fetch_wait(&fetch);
    memcpy(answer, &fetch.answer, sizeof(*answer));
    return error;
}

/* Returns the bytes that the record needs. */
static uint32_t refused(take_routine take, HANDLE device, size_t room)
{
    uint64_t before = delivered_seq();
    struct answer answer = {.reply.count = 0};
    DWORD error = take(device, &answer, room);

    CHECK(error == ERROR_MORE_DATA, "%zu bytes: %lu", room, error);
    CHECK(answer.reply.first_seq == before + 1 && delivered_seq() == before,
          "%llu comes next, %llu was delivered", (unsigned long long)answer.reply.first_seq,
          (unsigned long long)before);
    return answer.reply.size;
}

static void taken(take_routine take, HANDLE device, size_t room, struct numbers *numbers)
{
    struct answer answer;
    DWORD error = take(device, &answer, room);

    CHECK(error == 0 && answer.reply.count == 1, "%zu bytes: %lu", room, error);
    numbers_add(numbers, &answer);
}

static void too_small(take_routine take)
{
    struct numbers numbers;
    HANDLE device = attach(&numbers);
    uint32_t needed;

    raise_one(LITTLE);
    raise_one(MUCH);
    raise_one(LITTLE);
    taken(take, device, HEAD + ROOM, &numbers); /* only what fits, without an error */
    needed = refused(take, device, HEAD + ROOM);
    CHECK(needed > MUCH / 2 && needed < MUCH, "%u bytes", needed);
    CHECK(refused(take, device, HEAD) == needed, "without any room");
    CHECK(refused(take, device, HEAD + needed - 1) == needed, "one byte less");
    taken(take, device, HEAD + needed, &numbers);
    taken(take, device, WHOLE, &numbers);
    finish(&numbers, device);
}

/* The first fetch that waits is too small for what comes; the next one gets it. */
static void pended_too_small(void)
{
    static struct fetch small, large;
    struct numbers numbers;
    HANDLE device = attach(&numbers);
    DWORD error;

    fetch_send(&small, device, 0, HEAD + ROOM);
    fetch_send(&large, device, 0, WHOLE);
    stats_wait_pended(other, "", 2);
    raise_one(MUCH);
    error = fetch_wait(&small);
    CHECK(error == ERROR_MORE_DATA && small.answer.reply.first_seq == numbers.whole_seq + 1, "%lu",
          error);
    CHECK(fetch_wait(&large) == 0, "the large one");
    numbers_add(&numbers, &large.answer);

    fetch_send(&small, device, 0, HEAD + ROOM);
    stats_wait_pended(other, "", 1);
    raise_one(MUCH);
    error = fetch_wait(&small);
    CHECK(error == ERROR_MORE_DATA, "%lu", error);
    taken(by_fetch, device, HEAD + small.answer.reply.size, &numbers);
    finish(&numbers, device);
}

/* ---- waits ---- */

struct wait {
    struct pended pended;
    struct rollcall_ready ready;
};

static void wait_send(struct wait *wait, HANDLE device)
{
    struct rollcall_request what = head_of(sizeof(what), 0);

    pended_send(&wait->pended, device, ROLLCALL_CODE_WAIT, &what, sizeof(what), &wait->ready,
                sizeof(wait->ready));
}

static void wait_ended(struct wait *wait, uint64_t next_seq, uint64_t last_seq)
{
    DWORD bytes, error = pended_wait(&wait->pended, &bytes);

    CHECK(error == 0 && bytes == sizeof(wait->ready), "%lu, %lu bytes", error, bytes);
    CHECK(wait->ready.next_seq == next_seq && wait->ready.last_seq == last_seq,
          "%llu to %llu, not %llu to %llu", (unsigned long long)wait->ready.next_seq,
          (unsigned long long)wait->ready.last_seq, (unsigned long long)next_seq,
          (unsigned long long)last_seq);
}

static void waits(void)
{
    static struct wait all[3];
    struct numbers numbers;
    HANDLE device = attach(&numbers);
    uint64_t first = numbers.whole_seq + 1;
    unsigned i;

    for (i = 0; i < 3; i++)
        wait_send(&all[i], device);
    stats_wait_pended(other, "", 3);
    raise_one(LITTLE);
    for (i = 0; i < 3; i++)
        wait_ended(&all[i], first, first);
    raise_one(LITTLE);
    wait_send(&all[0], device);
    wait_ended(&all[0], first, first + 1);
    CHECK(delivered_seq() == first - 1, "nothing was taken");
    taken(by_drain, device, HEAD + ROOM, &numbers);
    wait_send(&all[0], device);
    wait_ended(&all[0], first + 1, first + 1);
    taken(by_fetch, device, WHOLE, &numbers);
    wait_send(&all[0], device);
    stats_wait_pended(other, "", 1);
    CancelIo(device);
    CHECK(pended_wait(&all[0].pended, NULL) == ERROR_OPERATION_ABORTED, "canceled");
    finish(&numbers, device);
}

/* In their order: what a wait finds, the fetch behind it takes, and not the other way round. */
static void waits_and_fetches(void)
{
    static struct wait before, behind;
    static struct fetch fetch;
    struct numbers numbers;
    HANDLE device = attach(&numbers);
    uint64_t first = numbers.whole_seq + 1;

    wait_send(&before, device);
    fetch_send(&fetch, device, 0, WHOLE);
    wait_send(&behind, device);
    stats_wait_pended(other, "", 3);
    raise_one(LITTLE);
    wait_ended(&before, first, first);
    CHECK(fetch_wait(&fetch) == 0, "fetch");
    numbers_add(&numbers, &fetch.answer);
    stats_wait_pended(other, "", 1);
    raise_one(LITTLE);
    wait_ended(&behind, first + 1, first + 1);
    taken(by_drain, device, WHOLE, &numbers);
    finish(&numbers, device);
}

/* ---- several threads on one handle ---- */

struct shared {
    SRWLOCK lock;
    HANDLE device;
    struct numbers numbers;
    bool over;
};

static struct shared shared;

static uint64_t whole_seq(void)
{
    uint64_t seq;

    AcquireSRWLockShared(&shared.lock);
    seq = shared.numbers.whole_seq;
    ReleaseSRWLockShared(&shared.lock);
    return seq;
}

/* Returns false when it was canceled: then it is over. */
static bool took(struct fetch *fetch)
{
    DWORD error = fetch_wait(fetch);

    CHECK(error == 0 || (error == ERROR_OPERATION_ABORTED && shared.over), "fetch: %lu", error);
    if (error != 0)
        return false;
    AcquireSRWLockExclusive(&shared.lock);
    numbers_add(&shared.numbers, &fetch->answer);
    ReleaseSRWLockExclusive(&shared.lock);
    return true;
}

static DWORD WINAPI fetch_always(void *context)
{
    struct fetch *fetches = context;
    bool ended[FETCHES] = {false};
    unsigned i, running = FETCHES;

    for (i = 0; i < FETCHES; i++)
        fetch_send(&fetches[i], shared.device, whole_seq(), WHOLE);
    for (i = 0; running > 0; i = (i + 1) % FETCHES) {
        if (ended[i])
            continue;
        if (took(&fetches[i])) {
            fetch_send(&fetches[i], shared.device, whole_seq(), WHOLE);
        } else {
            ended[i] = true;
            running--;
        }
    }
    return 0;
}

static void until(uint64_t seq)
{
    DWORD begin = GetTickCount();

    while (whole_seq() < seq && GetTickCount() - begin < LIMIT_MS)
        SwitchToThread();
    CHECK(whole_seq() == seq, "up to %llu, not %llu", (unsigned long long)whole_seq(),
          (unsigned long long)seq);
}

static void several_threads(void)
{
    static struct fetch fetches[THREADS][FETCHES];
    HANDLE threads[THREADS];
    struct stats stats;
    unsigned i;

    shared.device = attach(&shared.numbers);
    for (i = 0; i < THREADS; i++)
        threads[i] = thread_begin(fetch_always, fetches[i]);
    for (i = 0; i < PROCESSES; i += AT_ONCE) {
        raise_bulk(next_pid, AT_ONCE, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, LITTLE);
        next_pid += 4 * AT_ONCE;
    }
    stats_get(other, &stats);
    until(stats.engine.last_seq);
    shared.over = true;
    /* A request that a thread was just sending is canceled the next time. */
    for (i = 0; i < THREADS; i++) {
        while (WaitForSingleObject(threads[i], 1) != WAIT_OBJECT_0)
            CancelIoEx(shared.device, NULL);
        CloseHandle(threads[i]);
    }
    finish(&shared.numbers, shared.device);
}

int main(void)
{
    test_begin("rollcall.sys");
    CHECK(driver_start() == 0, "start");
    other = driver_open();
    too_small(by_drain);
    too_small(by_fetch);
    pended_too_small();
    waits();
    waits_and_fetches();
    several_threads();
    CloseHandle(other);
    return test_end();
}
