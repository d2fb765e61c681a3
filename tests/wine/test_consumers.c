/* SPDX-License-Identifier: MIT */
/*
 * Consumers that come late, die, or stand still: each gets everything, from where it had
 * acknowledged, and costs the others nothing.
 */
#include "tests/wine/lib/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EARLY     300u
#define KILLS     12
#define THREADS   3u
#define BURST     100u
#define AHEAD_MAX 20000
#define FIRST_PID 10000u

/* What a child that is killed has told of itself. */
struct shared {
    volatile LONG64 acknowledging; /* it was about to, or has */
    volatile LONG64 acknowledged;
    volatile LONG64 delivered;
};

static struct shared *shared;
static volatile LONG64 raised_seq;
static HANDLE enough;

static void shared_open(const char *name)
{
    HANDLE mapping =
        CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, sizeof(*shared), name);

    if (mapping != NULL)
        shared = MapViewOfFile(mapping, FILE_MAP_ALL_ACCESS, 0, 0, 0);
    if (shared == NULL)
        die("no shared memory: %lu", GetLastError());
}

/* ---- the driver first ---- */

static void driver_first(void)
{
    struct stream stream;
    const struct rollcall_event *event;
    uint32_t i;

    driver_begin();
    CHECK(raise_bulk(FIRST_PID, EARLY, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 100) == 0,
          "refused");
    stream_open(&stream, "late", ROLLCALL_ATTACH_OLDEST);
    CHECK(stream.attached.continued == 0 && stream.attached.acked_seq == 0, "a new one");
    stream_read(&stream);
    CHECK(stream.lost == 0 && stream.next_seq == driver_stats().last_seq + 1, "%llu",
          (unsigned long long)stream.next_seq);
    event = stream_find(&stream, NULL, ROLLCALL_SYNCED, 0);
    for (i = 0; i < EARLY && event != NULL; i++) {
        event = stream_next(&stream, event);
        CHECK(event != NULL && event->type == ROLLCALL_CREATE && event->pid == FIRST_PID + 4 * i,
              "process %u", FIRST_PID + 4 * i);
        event = event != NULL ? stream_next(&stream, event) : NULL;
        CHECK(event != NULL && event->type == ROLLCALL_EXIT && event->pid == FIRST_PID + 4 * i,
              "exit of %u", FIRST_PID + 4 * i);
    }
    stream_close(&stream);
    CHECK(driver_detach("late") == 0, "detach");
}

/* ---- killed ---- */

/* Reads and acknowledges until it is killed. */
static void be_killed(const char *name)
{
    struct stream stream;

    shared_open(name);
    stream_open(&stream, name, ROLLCALL_ATTACH_CONTINUE);
    for (;;) {
        uint64_t before = stream.next_seq;

        CHECK(stream_drain(&stream, 4096) == 0, "drain");
        InterlockedExchange64(&shared->delivered, (LONG64)stream.next_seq - 1);
        stream_forget(&stream);
        if (stream.next_seq - before < 2)
            continue;
        /* Some are always in its hands. */
        before = (before + stream.next_seq) / 2;
        InterlockedExchange64(&shared->acknowledging, (LONG64)before);
        ask_acknowledge(stream.device, before);
        InterlockedExchange64(&shared->acknowledged, (LONG64)before);
    }
}

/* Not more ahead of the child than the driver can keep. */
static DWORD WINAPI raise_until_enough(void *context)
{
    uint32_t first = *(const uint32_t *)context;

    while (WaitForSingleObject(enough, 0) == WAIT_TIMEOUT) {
        if (raised_seq - shared->delivered > AHEAD_MAX) {
            Sleep(1);
            continue;
        }
        CHECK(raise_bulk(first, BURST, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 100) == 0,
              "refused");
        InterlockedExchangeAdd64(&raised_seq, 2 * BURST);
    }
    return 0;
}

static void wait_delivered(uint64_t seq)
{
    DWORD begin = GetTickCount();

    while ((uint64_t)shared->delivered < seq) {
        if (GetTickCount() - begin > LIMIT_MS)
            die("the child has got no event: %lld", (long long)shared->delivered);
        Sleep(1);
    }
}

/* The handle of a process that was killed is closed a moment later. */
static void open_again(struct stream *stream, const char *name)
{
    DWORD begin = GetTickCount(), error;

    while ((error = stream_try(stream, name, ROLLCALL_ATTACH_CONTINUE)) == ERROR_BUSY &&
           GetTickCount() - begin < LIMIT_MS)
        Sleep(1);
    if (error != 0)
        die("'%s' cannot be attached again: %lu", name, error);
}

/* What the one was given the other is given too, byte for byte. */
static void expect_same(const struct stream *all, const struct stream *again)
{
    const struct rollcall_event *one = NULL, *other = stream_next(again, NULL);
    uint64_t first = other != NULL ? other->seq : 0;

    while ((one = stream_next(all, one)) != NULL && one->seq < first)
        ;
    for (; other != NULL && one != NULL; one = stream_next(all, one)) {
        CHECK(one->size == other->size && memcmp(one, other, one->size) == 0, "event %llu",
              (unsigned long long)one->seq);
        other = stream_next(again, other);
    }
    CHECK(other == NULL, "more than there are");
}

static void killed_once(const char *name, struct stream *all, int i)
{
    struct stream again;
    HANDLE child;

    child = self_begin(name);
    wait_delivered((uint64_t)shared->delivered + 1 + (unsigned)rand() % 500);
    TerminateProcess(child, 9);
    WaitForSingleObject(child, LIMIT_MS);
    CloseHandle(child);
    open_again(&again, name);
    CHECK(again.attached.continued == 1, "continued");
    CHECK(again.attached.acked_seq == (uint64_t)shared->acknowledged ||
              again.attached.acked_seq == (uint64_t)shared->acknowledging,
          "kill %d: from %llu; it had acknowledged %lld", i,
          (unsigned long long)again.attached.acked_seq, (long long)shared->acknowledged);
    stream_read(&again);
    stream_read(all);
    CHECK(again.count > 0 && again.lost == 0, "kill %d: %zu events", i, again.count);
    expect_same(all, &again);
    /* The next child gets half of it again. */
    ask_acknowledge(again.device, (again.attached.acked_seq + again.next_seq) / 2);
    InterlockedExchange64(&shared->delivered,
                          (LONG64)(again.attached.acked_seq + again.next_seq) / 2);
    shared->acknowledged = shared->acknowledging = shared->delivered;
    stream_close(&again);
}

static void killed_again_and_again(void)
{
    uint32_t first[THREADS], i;
    unsigned seed = GetTickCount();
    HANDLE threads[THREADS];
    struct stream all, named;

    printf("seed %u\n", seed);
    srand(seed);
    enough = CreateEventA(NULL, TRUE, FALSE, NULL);
    shared_open("killed");
    stream_open(&all, "", 0);
    stream_open(&named, "killed", 0);
    shared->acknowledged = shared->acknowledging = (LONG64)named.attached.acked_seq;
    shared->delivered = shared->acknowledged;
    raised_seq = shared->acknowledged;
    stream_close(&named);
    for (i = 0; i < THREADS; i++) {
        first[i] = FIRST_PID + 100000 * i;
        threads[i] = thread_begin(raise_until_enough, &first[i]);
    }
    for (i = 0; i < KILLS; i++)
        killed_once("killed", &all, (int)i);
    SetEvent(enough);
    for (i = 0; i < THREADS; i++)
        thread_join(threads[i]);
    CHECK(driver_detach("killed") == 0, "detach");
    stream_read(&all);
    CHECK(all.lost == 0 && all.next_seq == driver_stats().last_seq + 1, "%llu",
          (unsigned long long)all.next_seq);
    stream_close(&all);
    CloseHandle(enough);
}

/* ---- one stands still ---- */

/* The one that waits is woken by each event, whatever the other has not read. */
static void one_stands_still(void)
{
    static struct fetch fetch;
    struct stream prompt, still, late;
    uint32_t i;

    stream_open(&still, "still", 0);
    stream_open(&late, "", 0);
    stream_open(&prompt, "prompt", 0);
    for (i = 0; i < EARLY; i++) {
        fetch_send(&fetch, prompt.device, 0, sizeof(fetch.answer));
        CHECK(fetch.pended.error == ERROR_IO_PENDING, "%lu", fetch.pended.error);
        raise_pid(FIRST_PID + 4 * i);
        CHECK(fetch_wait(&fetch) == 0, "fetch %u", i);
        stream_take(&prompt, &fetch.answer.reply);
        raise_exit(FIRST_PID + 4 * i, 0);
        stream_read(&prompt);
        stream_acknowledge(&prompt);
    }
    CHECK(prompt.count == 2 * EARLY && prompt.lost == 0, "%zu events", prompt.count);
    stream_read(&still);
    stream_read(&late);
    CHECK(still.count == prompt.count && still.size == prompt.size &&
              memcmp(still.records, prompt.records, still.size) == 0,
          "%zu events", still.count);
    CHECK(late.count == prompt.count && late.size == prompt.size &&
              memcmp(late.records, prompt.records, late.size) == 0,
          "%zu events", late.count);
    stream_close(&still);
    stream_close(&late);
    stream_close(&prompt);
    CHECK(driver_detach("still") == 0 && driver_detach("prompt") == 0, "detach");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        be_killed(argv[1]);
    test_begin("rollcall.sys");
    driver_first();
    killed_again_and_again();
    one_stands_still();
    return test_end();
}
