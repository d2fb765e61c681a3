/* SPDX-License-Identifier: MIT */
/*
 * How many fetches should be kept pending? Events come as fast as the runtime raises them, and are
 * taken by librollcall's own fetches, more of them each time. Prints a table; figures from Wine are
 * not those of Windows, but they compare with each other.
 */
#include "tests/wine/lib/test.h"

#include "windows/device.h"
#include "windows/fetch.h"

#include <stdio.h>
#include <stdlib.h>

#define PROCESSES 5000u /* of a round */
#define ROUNDS    5u
#define ROOM      (64u << 10)

static uint32_t next_pid = 1000;

struct round {
    double rate;  /* events per second */
    double batch; /* events in a fetch */
};

static DWORD WINAPI raise_all(void *unused)
{
    (void)unused;
    raise_bulk(next_pid, PROCESSES, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 100);
    return 0;
}

/* Takes all that have come, in order. Returns how many fetches those were. */
static unsigned take(struct fetches *fetches, uint64_t *seq)
{
    struct fetch *fetch;
    unsigned count = 0;

    while ((fetch = fetches_find(fetches, *seq + 1)) != NULL) {
        *seq = fetch->reply->last_seq;
        fetch->state = FETCH_IDLE;
        count++;
    }
    return count;
}

static HANDLE attach(struct rollcall_attached *attached)
{
    struct rollcall_attach request;
    HANDLE device;

    if (device_connect(&device) < 0)
        die("the device cannot be opened");
    device_request(&request.request, sizeof(request), 0);
    if (device_ask(device, ROLLCALL_CODE_ATTACH, &request, sizeof(request), attached,
                   sizeof(*attached), NULL) != ERROR_SUCCESS)
        die("it cannot be attached");
    return device;
}

static struct round measure(unsigned count)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    struct rollcall_attached attached;
    HANDLE device = attach(&attached);
    struct fetches fetches;
    LARGE_INTEGER begin, end, frequency;
    uint64_t seq, last, acked = 0;
    unsigned taken = 0;
    unsigned now;
    HANDLE raiser;

    if (fetches_open(&fetches, device, event, count, ROOM) < 0)
        die("out of memory");
    seq = attached.acked_seq;
    last = seq + 2 * PROCESSES;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&begin);
    raiser = thread_begin(raise_all, NULL);
    while (seq < last) {
        ResetEvent(event);
        if (fetches_send(&fetches, &acked) != ERROR_SUCCESS ||
            fetches_look(&fetches) != ERROR_SUCCESS)
            die("a fetch failed");
        now = take(&fetches, &seq);
        taken += now;
        acked = seq;
        /* What was taken is sent again before anything is waited for. */
        if (now == 0 && WaitForSingleObject(event, LIMIT_MS) != WAIT_OBJECT_0)
            die("no event comes");
    }
    QueryPerformanceCounter(&end);
    thread_join(raiser);
    fetches_close(&fetches);
    CloseHandle(event);
    CloseHandle(device);
    next_pid += 4 * PROCESSES;
    return (struct round){(double)frequency.QuadPart * 2 * PROCESSES /
                              (double)(end.QuadPart - begin.QuadPart),
                          2.0 * PROCESSES / taken};
}

static int by_rate(const void *a, const void *b)
{
    double first = ((const struct round *)a)->rate;
    double second = ((const struct round *)b)->rate;

    return (first > second) - (first < second);
}

int main(void)
{
    static const unsigned counts[] = {1, 2, 3, 4, 6, 8, 16};
    enum { COUNTS = sizeof(counts) / sizeof(counts[0]) };
    static struct round rounds[COUNTS][ROUNDS];

    test_begin("rollcall.sys");
    if (driver_start() != 0)
        die("the driver does not start");
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < COUNTS; i++)
            rounds[i][round] = measure(counts[i]);
    printf("| fetches | events per second | events in a fetch |\n| ---: | ---: | ---: |\n");
    for (unsigned i = 0; i < COUNTS; i++) {
        const struct round *sorted = rounds[i];

        qsort(rounds[i], ROUNDS, sizeof(rounds[i][0]), by_rate);
        printf("| %u | %.0f (%.0f .. %.0f) | %.1f |\n", counts[i], sorted[ROUNDS / 2].rate,
               sorted[0].rate, sorted[ROUNDS - 1].rate, sorted[ROUNDS / 2].batch);
    }
    return test_end();
}
