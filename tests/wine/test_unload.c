/* SPDX-License-Identifier: MIT */
/*
 * The driver is stopped and started under load: processes begin and end, consumers come and go, and
 * requests are pended when it is asked to stop. It stops when the last handle is closed, and leaves
 * nothing behind.
 * unload.exe [SEED]
 */
#include "tests/wine/lib/numbers.h"
#include "tests/wine/lib/race.h"

#include <stdio.h>

#define TURNS      80
#define CONSUMERS  3
#define REQUESTS   64
#define PROCESSES  2  /* at a time */
#define LATECOMERS 20 /* handles, one after the other */

struct consumer {
    HANDLE device;
    struct numbers numbers;
    struct fetch fetches[REQUESTS];
};

static const char *const names[CONSUMERS] = {"", "durable", ""};
static struct consumer consumers[CONSUMERS];
static struct control_facts fresh; /* of a driver that has just begun */
static unsigned completed, canceled;
static uint32_t pause = 1; /* between processes; so long that both happen to the requests */

/* ---- load ---- */

/* Until the runtime is gone with the driver. */
static DWORD WINAPI raise_always(void *context)
{
    HANDLE runtime = device_open(CONTROL_PATH, GENERIC_READ | GENERIC_WRITE);
    struct chance chance = chance_begin(pause, 1);
    uint32_t pid = 1000;
    struct bulk bulk;

    SetEvent(context);
    do {
        race_spin(&chance, pause);
        bulk_send(&bulk, runtime, pid, PROCESSES, 64);
        pid += 4 * PROCESSES;
    } while (bulk_wait(&bulk) == 0);
    CloseHandle(runtime);
    return 0;
}

/* Opens, attaches, pends, closes; while it stops it is refused, afterwards there is no device. */
static DWORD WINAPI come_and_go(void *context)
{
    static struct fetch fetches[REQUESTS];
    struct rollcall_attached attached;
    unsigned i, k;
    HANDLE device;

    (void)context;
    for (i = 0; i < LATECOMERS; i++) {
        device = CreateFileW(ROLLCALL_DEVICE_PATH, GENERIC_READ | GENERIC_WRITE, 0, NULL,
                             OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
        if (device == INVALID_HANDLE_VALUE)
            return 0;
        ask_attach(device, "", i % 2 == 0 ? ROLLCALL_ATTACH_OLDEST : 0, &attached);
        for (k = 0; k < REQUESTS; k++)
            fetch_send(&fetches[k], device, 0, sizeof(fetches[k].answer));
        CloseHandle(device);
        for (k = 0; k < REQUESTS; k++)
            fetch_wait(&fetches[k]);
    }
    return 0;
}

static DWORD WINAPI stop(void *context)
{
    *(DWORD *)context = driver_stop();
    return 0;
}

/* ---- one driver ---- */

static void start(void)
{
    DWORD error = driver_start();
    struct control_facts facts;

    if (error != 0)
        die("start: %lu", error);
    facts = runtime_facts();
    if (fresh.objects == 0)
        fresh = facts;
    CHECK(facts.objects == fresh.objects && facts.allocations == fresh.allocations &&
              facts.allocated == fresh.allocated,
          "%u objects, %u allocations, %llu bytes; at first %u, %u, %llu", facts.objects,
          facts.allocations, (unsigned long long)facts.allocated, fresh.objects, fresh.allocations,
          (unsigned long long)fresh.allocated);
}

static void begin(struct consumer *consumer, const char *name)
{
    struct rollcall_attached attached;
    unsigned i;

    consumer->device = driver_open();
    CHECK(ask_attach(consumer->device, name, 0, &attached) == 0, "attach");
    numbers_begin(&consumer->numbers, attached.acked_seq);
    for (i = 0; i < REQUESTS; i++)
        fetch_send(&consumer->fetches[i], consumer->device, 0, sizeof(consumer->fetches[i].answer));
}

/* Each request has ended, and what was delivered is without a hole. */
static void end(struct consumer *consumer)
{
    DWORD error;
    unsigned i;

    for (i = 0; i < REQUESTS; i++) {
        error = fetch_wait(&consumer->fetches[i]);
        CHECK(error == 0 || error == ERROR_OPERATION_ABORTED, "%lu", error);
        if (error == 0)
            numbers_add(&consumer->numbers, &consumer->fetches[i].answer);
        completed += error == 0;
        canceled += error != 0;
    }
    numbers_check(&consumer->numbers, consumer->numbers.last_seq);
}

static void play(struct chance *chance)
{
    HANDLE other, raising = CreateEventW(NULL, TRUE, FALSE, NULL);
    DWORD error = 0;
    unsigned i, before = completed;
    HANDLE threads[3];

    start();
    other = driver_open();
    threads[0] = thread_begin(raise_always, raising);
    WaitForSingleObject(raising, LIMIT_MS);
    for (i = 0; i < CONSUMERS; i++)
        begin(&consumers[i], names[i]);
    threads[1] = thread_begin(come_and_go, NULL);
    race_spin(chance, 10000);
    threads[2] = thread_begin(stop, &error);
    race_spin(chance, 30000);
    /* Some owners close their handles by themselves, some when they are asked to. */
    if (chance_below(chance, 2) == 0)
        CHECK(ask_release(other) == 0, "release");
    CloseHandle(other);
    for (i = 0; i < CONSUMERS; i++) {
        CloseHandle(consumers[i].device);
        race_spin(chance, 1000);
    }
    for (i = 0; i < CONSUMERS; i++)
        end(&consumers[i]);
    for (i = 0; i < 3; i++)
        thread_join(threads[i]);
    CHECK(error == 0, "stop: %lu", error);
    pause =
        completed - before > CONSUMERS * REQUESTS / 2 ? pause + pause / 4 + 1 : pause - pause / 4;
    CloseHandle(raising);
}

/* ---- what is open when it is asked to stop ---- */

static bool is_refused(void)
{
    HANDLE device = driver_open();
    struct rollcall_attached attached;
    DWORD error = ask_attach(device, "", 0, &attached);

    CloseHandle(device);
    return error != 0;
}

/* Requests on a handle that is open are served until it is closed. */
static void served_until_closed(void)
{
    struct consumer *consumer = &consumers[0];
    DWORD begun = GetTickCount();
    DWORD error = 0;
    HANDLE runtime, thread;
    struct bulk bulk;

    start();
    begin(consumer, "");
    runtime = device_open(CONTROL_PATH, GENERIC_READ | GENERIC_WRITE);
    thread = thread_begin(stop, &error);
    while (!is_refused() && GetTickCount() - begun < LIMIT_MS)
        SwitchToThread();
    bulk_send(&bulk, runtime, 1000, REQUESTS, 16);
    CHECK(bulk_wait(&bulk) == 0, "raising");
    end(consumer);
    CHECK(consumer->numbers.last_seq > consumer->numbers.acked_seq, "events still come");
    numbers_drain(&consumer->numbers, consumer->device);
    CloseHandle(consumer->device);
    CloseHandle(runtime);
    thread_join(thread);
    CHECK(error == 0, "stop: %lu", error);
}

int main(int argc, char **argv)
{
    struct chance chance = chance_begin(chance_seed(argc > 1 ? argv[1] : NULL), 0);
    unsigned i;

    test_begin("rollcall.sys");
    for (i = 0; i < TURNS && !test_failed() && *runtime_reports() == 0; i++)
        play(&chance);
    printf("loaded and unloaded %u times, %u requests completed, %u canceled\n", i, completed,
           canceled);
    CHECK(completed > 0 && canceled > 0, "they do not race");
    served_until_closed();
    for (i = 0; i < CONSUMERS; i++)
        numbers_free(&consumers[i].numbers);
    return test_end();
}
