/* SPDX-License-Identifier: MIT */
/*
 * Requests are canceled while events complete them. Each ends once, with events or canceled, and
 * no event is lost by it or delivered twice.
 * cancel.exe [SEED]
 */
#include "tests/wine/lib/numbers.h"
#include "tests/wine/lib/race.h"

#define TOGETHER  2
#define ROUNDS    1500
#define REQUESTS  8
#define PROCESSES (REQUESTS / 2) /* each has two events */

struct client {
    const char *name;
    bool waits; /* its requests take nothing */
    HANDLE device, runtime;
    struct race race;
    struct numbers numbers;
    struct fetch requests[REQUESTS];
    struct bulk bulk;
    uint32_t pid;
    unsigned round;
};

static struct client fetching[TOGETHER] = {{.name = "durable"}, {.name = ""}};
static struct client waiting = {.name = "waits", .waits = true};

static void send_one(struct client *client, struct fetch *fetch)
{
    struct rollcall_request wait = head_of(sizeof(wait), 0);

    if (client->waits)
        pended_send(&fetch->pended, client->device, ROLLCALL_CODE_WAIT, &wait, sizeof(wait),
                    &fetch->answer, sizeof(struct rollcall_ready));
    else
        fetch_send(fetch, client->device, client->numbers.whole_seq, sizeof(fetch->answer));
}

static DWORD wait_end(struct client *client, struct fetch *fetch)
{
    const struct rollcall_ready *ready = (const void *)&fetch->answer;
    DWORD error, bytes;

    if (!client->waits) {
        error = fetch_wait(fetch);
        if (error == 0)
            numbers_add(&client->numbers, &fetch->answer);
        return error;
    }
    error = pended_wait(&fetch->pended, &bytes);
    if (error == 0)
        CHECK(bytes == sizeof(*ready) && ready->next_seq == client->numbers.whole_seq + 1 &&
                  ready->last_seq >= ready->next_seq,
              "%lu bytes, next %llu", bytes, (unsigned long long)ready->next_seq);
    return error;
}

static void raise(void *context)
{
    struct client *client = context;

    bulk_send(&client->bulk, client->runtime, client->pid, PROCESSES, 16);
}

/* From the one that is completed last, so that the two meet. */
static void cancel_each(struct client *client)
{
    unsigned i;

    for (i = REQUESTS; i > 0; i--)
        CancelIoEx(client->device, &client->requests[i - 1].pended.overlapped);
}

static void cancel(void *context)
{
    struct client *client = context;

    if (client->round % 3 == 0)
        CancelIo(client->device);
    else if (client->round % 3 == 1)
        CancelIoEx(client->device, NULL);
    else
        cancel_each(client);
}

static void play(struct client *client)
{
    unsigned i, completed = 0, canceled = 0;
    DWORD error;

    for (i = 0; i < REQUESTS; i++)
        send_one(client, &client->requests[i]);
    race_run(&client->race, raise, cancel, client);
    for (i = 0; i < REQUESTS; i++) {
        error = wait_end(client, &client->requests[i]);
        CHECK(error == 0 || error == ERROR_OPERATION_ABORTED, "%s: %lu", client->name, error);
        completed += error == 0;
        canceled += error != 0;
    }
    race_won(&client->race, completed, canceled);
    error = bulk_wait(&client->bulk);
    CHECK(error == 0 && client->bulk.result.status == 0, "raising: %lu", error);
    numbers_drain(&client->numbers, client->device);
}

static DWORD WINAPI run(void *context)
{
    struct client *client = context;

    for (client->round = 0; client->round < test_part(ROUNDS) && !test_failed(); client->round++)
        play(client);
    return 0;
}

static void begin(struct client *client, uint64_t seed, uint32_t number)
{
    struct rollcall_attached attached;
    DWORD error;

    client->race.chance = chance_begin(seed, number);
    client->pid = 1000000 * (number + 1);
    client->device = driver_open();
    client->runtime = device_open(CONTROL_PATH, GENERIC_READ | GENERIC_WRITE);
    error = ask_attach(client->device, client->name, 0, &attached);
    CHECK(error == 0, "%s: %lu", client->name, error);
    numbers_begin(&client->numbers, attached.acked_seq);
}

static void end(struct client *client)
{
    struct stats stats;

    stats_get(client->device, &stats);
    numbers_drain(&client->numbers, client->device);
    numbers_check(&client->numbers, stats.engine.last_seq);
    numbers_free(&client->numbers);
    race_check(&client->race, client->name);
    CloseHandle(client->device);
    CloseHandle(client->runtime);
}

static void together(uint64_t seed)
{
    HANDLE threads[TOGETHER];
    uint32_t i;

    for (i = 0; i < TOGETHER; i++)
        begin(&fetching[i], seed, i);
    for (i = 0; i < TOGETHER; i++)
        threads[i] = thread_begin(run, &fetching[i]);
    for (i = 0; i < TOGETHER; i++)
        thread_join(threads[i]);
    for (i = 0; i < TOGETHER; i++)
        end(&fetching[i]);
}

int main(int argc, char **argv)
{
    uint64_t seed = chance_seed(argc > 1 ? argv[1] : NULL);

    test_begin("rollcall.sys");
    CHECK(driver_start() == 0, "start");
    together(seed);
    /* Alone: an event that somebody else raises ends all waits, and nothing would race. */
    begin(&waiting, seed, TOGETHER);
    run(&waiting);
    end(&waiting);
    return test_end();
}
