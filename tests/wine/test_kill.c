/* SPDX-License-Identifier: MIT */
/*
 * A process that has requests pended is killed while events complete them. Its consumer is free
 * for the next one, and begins where the dead one had acknowledged: nothing is lost.
 * kill.exe [SEED]; it starts itself as "kill.exe child".
 */
#include "tests/wine/lib/numbers.h"
#include "tests/wine/lib/race.h"

#include <stdio.h>
#include <string.h>

#define TURNS     60
#define REQUESTS  64
#define PROCESSES 400 /* raised while the child is killed */
#define NAME      "killed"
#define KILLED    1234 /* its exit status; another one when it found something wrong */
#define SHARED    "rollcall-kill"
#define READY     "rollcall-kill-ready"

/* What outlives the child. */
struct shared {
    volatile LONG64 asked_seq; /* the highest that it wanted to acknowledge */
    volatile LONG64 told_seq;  /* the highest that was acknowledged by a request that has ended */
    volatile LONG64 completed; /* requests */
};

static struct shared *shared_open(void)
{
    HANDLE mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                                        sizeof(struct shared), SHARED);
    struct shared *shared = MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, sizeof(*shared));

    if (shared == NULL)
        die("no shared memory: %lu", GetLastError());
    return shared;
}

/* ---- the one that is killed ---- */

static void child_send(struct shared *shared, struct fetch *fetch, HANDLE device, uint64_t seq)
{
    shared->asked_seq = (LONG64)seq;
    fetch_send(fetch, device, seq, sizeof(fetch->answer));
}

static void child(void)
{
    static struct fetch fetches[REQUESTS];
    struct shared *shared = shared_open();
    HANDLE ready = OpenEventA(EVENT_MODIFY_STATE, FALSE, READY);
    HANDLE device = driver_open();
    struct rollcall_attached attached;
    struct numbers numbers = {0};
    unsigned i;

    attach_again(device, NAME, ROLLCALL_ATTACH_CONTINUE, &attached);
    numbers_begin(&numbers, attached.acked_seq);
    for (i = 0; i < REQUESTS; i++)
        fetch_send(&fetches[i], device, 0, sizeof(fetches[i].answer));
    SetEvent(ready);
    for (i = 0;; i = (i + 1) % REQUESTS) {
        if (fetch_wait(&fetches[i]) != 0 || test_failed())
            return;
        shared->completed++;
        if (fetches[i].acked_seq > (uint64_t)shared->told_seq)
            shared->told_seq = (LONG64)fetches[i].acked_seq;
        numbers_add(&numbers, &fetches[i].answer);
        child_send(shared, &fetches[i], device, numbers.whole_seq);
    }
}

/* ---- the one that kills ---- */

struct killing {
    HANDLE runtime, ready;
    struct shared *shared;
    struct chance chance;
    struct numbers numbers;
};

/* Kills it when it has sent its requests, or, in each fourth turn, at any moment. */
static void kill_child(struct killing *killing, unsigned turn)
{
    DWORD limit = turn % 4 == 3 ? chance_below(&killing->chance, 300) : LIMIT_MS;
    HANDLE process = self_begin("child");
    DWORD error, status = 0;
    struct bulk bulk;

    if (WaitForSingleObject(killing->ready, limit) != WAIT_OBJECT_0 && limit == LIMIT_MS)
        die("the child does not begin");
    bulk_send(&bulk, killing->runtime, 100000 + turn * 4 * PROCESSES, PROCESSES, 16);
    race_spin(&killing->chance, turn % 2 == 0 ? 2000 : 40000);
    TerminateProcess(process, KILLED);
    if (WaitForSingleObject(process, LIMIT_MS) != WAIT_OBJECT_0)
        die("the child does not end");
    GetExitCodeProcess(process, &status);
    CHECK(status == KILLED, "the child ended with %lu", status);
    CloseHandle(process);
    ResetEvent(killing->ready);
    error = bulk_wait(&bulk);
    CHECK(error == 0 && bulk.result.status == 0, "raising: %lu", error);
}

/* Takes over, and leaves some to the next child. */
static void take_over(struct killing *killing)
{
    uint64_t told_seq = (uint64_t)killing->shared->told_seq;
    uint64_t asked_seq = (uint64_t)killing->shared->asked_seq;
    HANDLE device = driver_open();
    struct rollcall_attached attached;
    struct answer answer;

    attach_again(device, NAME, ROLLCALL_ATTACH_CONTINUE, &attached);
    CHECK(attached.acked_seq >= told_seq && attached.acked_seq <= asked_seq,
          "it continues after %llu: not from %llu to %llu", (unsigned long long)attached.acked_seq,
          (unsigned long long)told_seq, (unsigned long long)asked_seq);
    numbers_begin(&killing->numbers, attached.acked_seq);
    if (chance_below(&killing->chance, 2) == 0) {
        numbers_drain(&killing->numbers, device);
        numbers_check(&killing->numbers, killing->numbers.last_seq);
    } else if (ask_drain(device, 0, &answer, sizeof(answer)) == 0) {
        numbers_add(&killing->numbers, &answer);
        CHECK(ask_acknowledge(device, killing->numbers.whole_seq) == 0, "acknowledged");
    }
    killing->shared->told_seq = (LONG64)killing->numbers.whole_seq;
    killing->shared->asked_seq = (LONG64)killing->numbers.whole_seq;
    CloseHandle(device);
}

static void killing_begin(struct killing *killing, uint64_t seed)
{
    HANDLE device = driver_open();
    struct rollcall_attached attached;

    killing->runtime = device_open(CONTROL_PATH, GENERIC_READ | GENERIC_WRITE);
    killing->ready = CreateEventA(NULL, TRUE, FALSE, READY);
    killing->shared = shared_open();
    killing->chance = chance_begin(seed, 0);
    CHECK(ask_attach(device, NAME, 0, &attached) == 0, "attach");
    killing->shared->told_seq = (LONG64)attached.acked_seq;
    killing->shared->asked_seq = (LONG64)attached.acked_seq;
    CloseHandle(device);
}

/* All that was raised has been delivered to somebody who acknowledged it, or is now. */
static void killing_end(struct killing *killing)
{
    HANDLE device = driver_open();
    struct rollcall_attached attached;
    struct stats stats;

    attach_again(device, NAME, ROLLCALL_ATTACH_CONTINUE, &attached);
    numbers_begin(&killing->numbers, attached.acked_seq);
    numbers_drain(&killing->numbers, device);
    stats_get(device, &stats);
    numbers_check(&killing->numbers, stats.engine.last_seq);
    printf("%d killed, %lld requests completed\n", TURNS, (long long)killing->shared->completed);
    CHECK(killing->shared->completed > 0, "none was completed");
    numbers_free(&killing->numbers);
    CloseHandle(device);
    CloseHandle(killing->runtime);
}

int main(int argc, char **argv)
{
    static struct killing killing;
    unsigned turn;

    if (argc > 1 && strcmp(argv[1], "child") == 0) {
        child();
        return 1;
    }
    test_begin("rollcall.sys");
    CHECK(driver_start() == 0, "start");
    killing_begin(&killing, chance_seed(argc > 1 ? argv[1] : NULL));
    for (turn = 0; turn < TURNS && !test_failed(); turn++) {
        kill_child(&killing, turn);
        take_over(&killing);
    }
    killing_end(&killing);
    return test_end();
}
