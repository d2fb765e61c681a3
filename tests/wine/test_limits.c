/* SPDX-License-Identifier: MIT */
/* The limits: one more is refused and changes nothing; what is given back can be had again. */
#include "tests/wine/lib/ask.h"

#include <stdio.h>
#include <string.h>

#define TURNS 20

static HANDLE other; /* attached to nothing */

/* What may differ, and does not, is seen by whoever looks before and after. */
static void unchanged(const struct stats *before, const char *what)
{
    struct stats after;

    stats_get(other, &after);
    CHECK(memcmp(before, &after, sizeof(after)) == 0, "%s: something has changed", what);
}

static void attached_once(void)
{
    HANDLE device = driver_open(), second = driver_open();
    struct rollcall_attached attached;
    struct stats before;

    CHECK(ask_attach(device, "one", 0, &attached) == 0 && attached.continued == 0, "attach");
    stats_get(other, &before);
    CHECK(ask_attach(device, "one", 0, &attached) == ERROR_BUSY, "twice");
    CHECK(ask_attach(device, "two", 0, &attached) == ERROR_BUSY, "by another name");
    CHECK(ask_attach(device, "", 0, &attached) == ERROR_BUSY, "without a name");
    CHECK(ask_attach(second, "one", 0, &attached) == ERROR_BUSY, "from another handle");
    CHECK(ask_attach(second, "one", ROLLCALL_ATTACH_CONTINUE, &attached) == ERROR_BUSY, "to go on");
    CHECK(ask_attach(second, "two", ROLLCALL_ATTACH_CONTINUE, &attached) == ERROR_NOT_FOUND,
          "what is not there");
    CHECK(ask_detach(other, "one") == ERROR_BUSY, "detach of one that somebody has");
    CHECK(ask_detach(other, "two") == ERROR_NOT_FOUND, "detach of one that is not there");
    unchanged(&before, "attached once");
    CloseHandle(device);
    CHECK(ask_attach(second, "one", ROLLCALL_ATTACH_CONTINUE, &attached) == 0, "its successor");
    CHECK(attached.continued == 1, "continued");
    CloseHandle(second);
    CHECK(ask_detach(other, "one") == 0, "detach");
}

static void not_attached(void)
{
    HANDLE device = driver_open();
    struct rollcall_request wait = head_of(sizeof(wait), 0);
    struct rollcall_ready ready;
    struct answer answer;
    struct fetch fetch;
    struct stats before;
    DWORD error;

    stats_get(other, &before);
    fetch_send(&fetch, device, 0, sizeof(fetch.answer));
    error = fetch_wait(&fetch);
    CHECK(error == ERROR_BAD_COMMAND, "fetch: %lu", error);
    error = ask_drain(device, 0, &answer, sizeof(answer));
    CHECK(error == ERROR_BAD_COMMAND, "drain: %lu", error);
    error = request(device, ROLLCALL_CODE_WAIT, &wait, sizeof(wait), &ready, sizeof(ready), NULL);
    CHECK(error == ERROR_BAD_COMMAND, "wait: %lu", error);
    error = ask_acknowledge(device, 0);
    CHECK(error == ERROR_BAD_COMMAND, "acknowledge: %lu", error);
    unchanged(&before, "not attached");
    CloseHandle(device);
}

/* Every second one is durable and keeps its place when its handle is closed. */
static void consumers_max(void)
{
    HANDLE devices[ROLLCALL_CONSUMERS_MAX + 1];
    struct rollcall_attached attached;
    struct stats before;
    char name[16];
    DWORD error;
    unsigned i;

    for (i = 0; i <= ROLLCALL_CONSUMERS_MAX; i++) {
        devices[i] = driver_open();
        snprintf(name, sizeof(name), "limit-%u", i);
        if (i == ROLLCALL_CONSUMERS_MAX)
            stats_get(other, &before);
        error = ask_attach(devices[i], i % 2 == 0 ? name : "", 0, &attached);
        CHECK(error == (i < ROLLCALL_CONSUMERS_MAX ? 0 : ERROR_NOT_ENOUGH_QUOTA), "%u: %lu", i,
              error);
    }
    unchanged(&before, "one consumer too many");
    error = ask_attach(devices[i - 1], "", 0, &attached);
    CHECK(error == ERROR_NOT_ENOUGH_QUOTA, "without a name: %lu", error);
    CloseHandle(devices[0]);
    error = ask_attach(devices[i - 1], "", 0, &attached);
    CHECK(error == ERROR_NOT_ENOUGH_QUOTA, "a durable one keeps its place: %lu", error);
    CloseHandle(devices[1]);
    error = ask_attach(devices[i - 1], "", 0, &attached);
    CHECK(error == 0, "an ephemeral one gives it back: %lu", error);
    for (i = 2; i <= ROLLCALL_CONSUMERS_MAX; i++)
        CloseHandle(devices[i]);
    for (i = 0; i < ROLLCALL_CONSUMERS_MAX; i += 2) {
        snprintf(name, sizeof(name), "limit-%u", i);
        CHECK(ask_detach(other, name) == 0, "detach %u", i);
    }
    stats_get(other, &before);
    CHECK(before.engine.consumers == 0, "%u consumers", before.engine.consumers);
}

/* Fetches and waits together. */
static void send_one(struct fetch *fetch, HANDLE device, unsigned i)
{
    struct rollcall_request wait = head_of(sizeof(wait), 0);

    if (i % 4 == 0)
        pended_send(&fetch->pended, device, ROLLCALL_CODE_WAIT, &wait, sizeof(wait), &fetch->answer,
                    sizeof(struct rollcall_ready));
    else
        fetch_send(fetch, device, 0, sizeof(fetch->answer));
}

static void pended_max(HANDLE device, unsigned turn)
{
    static struct fetch fetches[ROLLCALL_PENDED_MAX];
    static struct fetch more;
    struct stats before;
    DWORD error;
    unsigned i;

    for (i = 0; i < ROLLCALL_PENDED_MAX; i++)
        send_one(&fetches[i], device, i);
    stats_wait_pended(other, "", ROLLCALL_PENDED_MAX);
    stats_get(other, &before);
    for (i = 0; i < 2; i++) {
        send_one(&more, device, i);
        error = pended_wait(&more.pended, NULL);
        CHECK(error == ERROR_NOT_ENOUGH_QUOTA, "one too many: %lu", error);
    }
    unchanged(&before, "one request too many");
    if (turn % 2 == 0)
        CancelIo(device);
    else
        raise_bulk(1000, ROLLCALL_PENDED_MAX, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 16);
    for (i = 0; i < ROLLCALL_PENDED_MAX; i++) {
        error = pended_wait(&fetches[i].pended, NULL);
        CHECK(error == (turn % 2 == 0 ? ERROR_OPERATION_ABORTED : 0), "%u: %lu", i, error);
    }
}

static void drain_all(HANDLE device)
{
    struct answer answer;

    do
        if (ask_drain(device, 0, &answer, sizeof(answer)) != 0)
            die("drain");
    while (answer.reply.count > 0);
}

static void requests_max(void)
{
    HANDLE device = driver_open();
    struct rollcall_attached attached;
    unsigned turn;

    CHECK(ask_attach(device, "", 0, &attached) == 0, "attach");
    for (turn = 0; turn < TURNS; turn++) {
        pended_max(device, turn);
        drain_all(device);
    }
    CloseHandle(device);
}

/* ---- at the same time ---- */

struct many {
    HANDLE device, sent, over;
    struct fetch fetches[ROLLCALL_PENDED_MAX];
    unsigned refused, canceled;
};

static DWORD WINAPI send_many(void *context)
{
    struct many *many = context;
    struct stats stats;
    unsigned i;
    DWORD error;

    for (i = 0; i < ROLLCALL_PENDED_MAX; i++)
        fetch_send(&many->fetches[i], many->device, 0, sizeof(struct rollcall_reply));
    stats_get(many->device,
              &stats); /* which is answered after those that this thread sent before */
    SetEvent(many->sent);
    WaitForSingleObject(many->over, INFINITE);
    for (i = 0; i < ROLLCALL_PENDED_MAX; i++) {
        error = fetch_wait(&many->fetches[i]);
        many->refused += error == ERROR_NOT_ENOUGH_QUOTA;
        many->canceled += error == ERROR_OPERATION_ABORTED;
    }
    return 0;
}

/* Twice as many as can be pended, from two threads: exactly half of them are refused. */
static void two_threads(HANDLE device)
{
    static struct many many[2];
    HANDLE over = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE threads[2];
    unsigned i;

    for (i = 0; i < 2; i++) {
        many[i].device = device;
        many[i].sent = CreateEventW(NULL, FALSE, FALSE, NULL);
        many[i].over = over;
        many[i].refused = many[i].canceled = 0;
        threads[i] = thread_begin(send_many, &many[i]);
    }
    for (i = 0; i < 2; i++)
        WaitForSingleObject(many[i].sent, INFINITE);
    stats_wait_pended(other, "", ROLLCALL_PENDED_MAX);
    CancelIoEx(device, NULL);
    SetEvent(over);
    for (i = 0; i < 2; i++) {
        thread_join(threads[i]);
        CloseHandle(many[i].sent);
    }
    CHECK(many[0].refused + many[1].refused == ROLLCALL_PENDED_MAX &&
              many[0].canceled + many[1].canceled == ROLLCALL_PENDED_MAX,
          "%u and %u are refused, %u and %u canceled", many[0].refused, many[1].refused,
          many[0].canceled, many[1].canceled);
    CloseHandle(over);
}

static void requests_max_of_two(void)
{
    HANDLE device = driver_open();
    struct rollcall_attached attached;
    unsigned turn;

    CHECK(ask_attach(device, "", 0, &attached) == 0, "attach");
    for (turn = 0; turn < TURNS; turn++)
        two_threads(device);
    CloseHandle(device);
}

int main(void)
{
    test_begin("rollcall.sys");
    CHECK(driver_start() == 0, "start");
    other = driver_open();
    attached_once();
    not_attached();
    consumers_max();
    requests_max();
    requests_max_of_two();
    CloseHandle(other);
    return test_end();
}
