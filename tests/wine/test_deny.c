/* SPDX-License-Identifier: MIT */
/*
 * The policy `deny`: while somebody holds it a process is refused rather than an event of the
 * holder lost. Exactly then, whoever may not be refused is not, and a refused one was never there.
 */
#include "tests/wine/lib/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET    65536u
#define BLOCK     4096u       /* of the engine's log, with this budget */
#define REFUSED   0xC000009Au /* STATUS_INSUFFICIENT_RESOURCES */
#define BY_OTHERS 0xC0000022u /* STATUS_ACCESS_DENIED, that the runtime refuses with */
#define FIRST_PID 10000u
#define FILL_PID  900000u
#define THREADS   4u
#define EACH      2000u
#define EACH_WAY  (CONTROL_CREATE_EACH | CONTROL_EXIT_EACH)

static struct stream holder;

/* A process that comes and goes. Returns the status of its creation. */
static uint32_t come_and_go(uint32_t pid, uint32_t creator_pid, uint32_t flags)
{
    uint32_t status = raise_create(&(struct process){.pid = pid,
                                                     .ppid = 8,
                                                     .creator_pid = creator_pid,
                                                     .creator_tid = 12,
                                                     .flags = flags,
                                                     .image = L"\\Device\\some.exe",
                                                     .command = L"some.exe"});

    if (status == 0)
        raise_exit(pid, 0);
    return status;
}

/* Until somebody is refused; *refused: how many were. Returns how many were not. */
static uint32_t fill_counting(uint32_t *refused)
{
    uint32_t count = 1000;

    *refused = raise_bulk(FILL_PID, count, EACH_WAY, 100);
    CHECK(*refused > 0, "nobody is refused");
    return count - *refused;
}

static uint32_t fill(void)
{
    uint32_t refused;

    return fill_counting(&refused);
}

static void hold(void)
{
    stream_open(&holder, "holder", ROLLCALL_ATTACH_DENY);
    CHECK(driver_stats().deny == 1, "held");
}

static void let_go(void)
{
    stream_close(&holder);
    CHECK(driver_detach("holder") == 0, "detach");
}

static void expect_creations_and_exits(size_t count)
{
    CHECK(stream_count(&holder, ROLLCALL_CREATE, 0) == count, "%zu creations, not %zu",
          stream_count(&holder, ROLLCALL_CREATE, 0), count);
    CHECK(stream_count(&holder, ROLLCALL_EXIT, 0) == count, "%zu exits, not %zu",
          stream_count(&holder, ROLLCALL_EXIT, 0), count);
}

/* ---- when ---- */

static void exactly_when_full(void)
{
    struct rollcall_engine_stats before = driver_stats(), stats;
    uint32_t count = 0, refused, more;

    hold();
    while (raise_bulk(FIRST_PID + 4 * count, 1, EACH_WAY, 100) == 0)
        count++;
    stats = driver_stats();
    CHECK(stats.denied == before.denied + 1, "%llu", (unsigned long long)stats.denied);
    CHECK(stats.last_seq == before.last_seq + 2 * count, "%llu",
          (unsigned long long)stats.last_seq);
    CHECK(stats.used <= BUDGET && stats.used + BLOCK > BUDGET, "%llu bytes",
          (unsigned long long)stats.used);
    /* What was read is not acknowledged. */
    stream_read(&holder);
    CHECK(holder.lost == 0, "%llu lost", (unsigned long long)holder.lost);
    expect_creations_and_exits(count);
    CHECK(come_and_go(FIRST_PID, 8, 0) == REFUSED, "not acknowledged");
    /* A part is, then all. */
    CHECK(ask_acknowledge(holder.device, before.last_seq + count) == 0, "acknowledge");
    more = fill_counting(&refused);
    CHECK(more > count / 4 && more < count, "%u, after %u", more, count);
    stream_read(&holder);
    stream_acknowledge(&holder);
    CHECK(come_and_go(FIRST_PID, 8, 0) == 0, "acknowledged");
    stream_read(&holder);
    expect_creations_and_exits(count + more + 1);
    CHECK(holder.lost == 0 && driver_stats().denied == before.denied + 2 + refused, "%llu",
          (unsigned long long)driver_stats().denied);
    let_go();
}

/* An exit takes room too: who lives has his reserved. */
static void who_lives_can_exit(void)
{
    uint32_t i, count = 0;

    hold();
    while (raise_bulk(FIRST_PID + 4 * count, 1, CONTROL_CREATE_EACH, 20) == 0) {
        stream_read(&holder);
        stream_acknowledge(&holder);
        if (++count > BUDGET)
            die("nobody is refused");
    }
    CHECK(count > 100, "%u", count);
    CHECK(driver_stats().used <= BUDGET, "%llu", (unsigned long long)driver_stats().used);
    /* And while all is full as well. */
    for (i = 0; i < 10; i++)
        raise_exit(FIRST_PID + 4 * i, 0);
    fill();
    for (; i < count; i++)
        raise_exit(FIRST_PID + 4 * i, 0);
    stream_read(&holder);
    CHECK(holder.lost == 0, "%llu lost", (unsigned long long)holder.lost);
    CHECK(stream_count(&holder, ROLLCALL_CREATE, 0) == stream_count(&holder, ROLLCALL_EXIT, 0),
          "%zu and %zu", stream_count(&holder, ROLLCALL_CREATE, 0),
          stream_count(&holder, ROLLCALL_EXIT, 0));
    let_go();
}

/* ---- what is left of one that was refused ---- */

static DWORD WINAPI create_many(void *context)
{
    uint32_t *number = context;

    *number = raise_bulk(FIRST_PID + 100000 * *number, EACH, EACH_WAY, 50);
    return 0;
}

/* Returns how many were refused. */
static uint32_t threads_create(bool read)
{
    uint32_t numbers[THREADS], refused = 0, i;
    HANDLE threads[THREADS];

    for (i = 0; i < THREADS; i++) {
        numbers[i] = 1 + i;
        threads[i] = thread_begin(create_many, &numbers[i]);
    }
    for (i = 0; i < THREADS; i++) {
        while (read && WaitForSingleObject(threads[i], 0) == WAIT_TIMEOUT) {
            stream_read(&holder);
            stream_acknowledge(&holder);
        }
        thread_join(threads[i]);
        refused += numbers[i];
    }
    return refused;
}

static void nothing_is_left(void)
{
    struct rollcall_engine_stats before, after;
    struct control_facts facts;

    hold();
    fill();
    before = driver_stats();
    facts = runtime_facts();
    CHECK(threads_create(false) == THREADS * EACH, "all are refused");
    after = driver_stats();
    CHECK(after.last_seq == before.last_seq, "%llu events",
          (unsigned long long)(after.last_seq - before.last_seq));
    CHECK(after.denied == before.denied + THREADS * EACH, "%llu",
          (unsigned long long)(after.denied - before.denied));
    CHECK(runtime_facts().allocated == facts.allocated, "%llu bytes, %llu before",
          (unsigned long long)runtime_facts().allocated, (unsigned long long)facts.allocated);
    let_go();
}

static void some_are_refused(void)
{
    struct rollcall_engine_stats before, after;
    uint32_t refused;

    hold();
    before = driver_stats();
    refused = threads_create(true);
    stream_read(&holder);
    after = driver_stats();
    CHECK(refused > 0 && refused < THREADS * EACH, "%u are refused: this tests nothing", refused);
    CHECK(after.denied == before.denied + refused, "%llu of %u",
          (unsigned long long)(after.denied - before.denied), refused);
    CHECK(holder.lost == 0, "%llu lost", (unsigned long long)holder.lost);
    expect_creations_and_exits(THREADS * EACH - refused);
    let_go();
}

/* While the creator of a few goes on to their exits others are refused, as many as there may be. */
static void its_exit_comes_late(void)
{
    uint64_t last;
    uint32_t i;

    hold();
    fill();
    last = driver_stats().last_seq;
    for (i = 0; i < 10; i++)
        CHECK(come_and_go(FIRST_PID + 4 * i, 8, CONTROL_EXIT_LATER) == REFUSED, "%u", i);
    CHECK(raise_bulk(FILL_PID, EACH, EACH_WAY, 50) == EACH, "refused");
    for (i = 0; i < 10; i++)
        raise_exit(FIRST_PID + 4 * i, 0);
    CHECK(driver_stats().last_seq == last, "%llu events",
          (unsigned long long)(driver_stats().last_seq - last));
    let_go();
}

/* Somebody else gets the pid; also if the exit of the refused one was not told. */
static void its_pid_is_used_again(uint32_t flags)
{
    uint32_t i;

    hold();
    fill();
    for (i = 0; i < 300; i++)
        CHECK(come_and_go(FIRST_PID, 8, flags) == REFUSED, "%u", i);
    stream_read(&holder);
    stream_acknowledge(&holder);
    stream_forget(&holder);
    for (i = 0; i < 10; i++)
        CHECK(come_and_go(FIRST_PID, 8, 0) == 0, "%u", i);
    stream_read(&holder);
    expect_creations_and_exits(10);
    let_go();
}

/* ---- who ---- */

static void be_exempt(const char *name)
{
    HANDLE ready = OpenEventA(EVENT_MODIFY_STATE, FALSE, name);
    struct stream stream;

    if (strcmp(name, "deny-holds") == 0)
        stream_open(&stream, "killed", ROLLCALL_ATTACH_DENY);
    else
        stream_open(&stream, "", 0);
    SetEvent(ready);
    Sleep(INFINITE);
}

static HANDLE child_begin(const char *name)
{
    HANDLE ready = CreateEventA(NULL, TRUE, FALSE, name);
    HANDLE process = self_begin(name);

    if (WaitForSingleObject(ready, LIMIT_MS) != WAIT_OBJECT_0)
        die("the child does not attach");
    CloseHandle(ready);
    return process;
}

static void child_kill(HANDLE child)
{
    TerminateProcess(child, 9);
    WaitForSingleObject(child, LIMIT_MS);
    CloseHandle(child);
}

/* The driver hears of the end of a process a moment later. */
static void wait_consumers(uint32_t consumers)
{
    DWORD begin = GetTickCount();

    while (driver_stats().consumers != consumers && GetTickCount() - begin < LIMIT_MS)
        Sleep(1);
    CHECK(driver_stats().consumers == consumers, "%u consumers", driver_stats().consumers);
}

static void who_is_exempt(void)
{
    struct process guard = {.pid = 900, .ppid = 8, .flags = CONTROL_PROTECTED, .image = L"guard"};
    struct process plain = {.pid = 904, .ppid = 8, .image = L"plain"};
    HANDLE child;
    DWORD pid;
    uint32_t refused;
    uint64_t denied;

    CHECK(raise_create(&guard) == 0 && raise_create(&plain) == 0, "created");
    hold();
    child = child_begin("deny-exempt");
    pid = GetProcessId(child);
    fill();
    denied = driver_stats().denied;
    CHECK(come_and_go(FIRST_PID, GetCurrentProcessId(), 0) == 0, "made by the holder");
    CHECK(come_and_go(FIRST_PID, pid, 0) == 0, "made by a consumer");
    CHECK(come_and_go(FIRST_PID, 4, 0) == 0, "made by System");
    CHECK(come_and_go(FIRST_PID, 900, 0) == 0, "made by a protected process");
    CHECK(come_and_go(FIRST_PID, 904, CONTROL_PROTECTED) == 0, "a protected process");
    CHECK(driver_stats().denied == denied, "%llu", (unsigned long long)driver_stats().denied);
    /* What they took may have made room for others. */
    fill_counting(&refused);
    CHECK(come_and_go(FIRST_PID, 904, 0) == REFUSED, "made by anybody else");
    CHECK(driver_stats().denied == denied + refused + 1, "%llu",
          (unsigned long long)driver_stats().denied);
    child_kill(child);
    wait_consumers(1);
    CHECK(come_and_go(FIRST_PID, pid, 0) == REFUSED, "no consumer any more");
    stream_read(&holder);
    CHECK(holder.next_seq == driver_stats().last_seq + 1, "%llu",
          (unsigned long long)holder.next_seq);
    let_go();
    raise_exit(900, 0);
    raise_exit(904, 0);
}

/* ---- until when ---- */

static void wait_until_nobody_holds_it(void)
{
    DWORD begin = GetTickCount();

    while (driver_stats().deny != 0 && GetTickCount() - begin < LIMIT_MS)
        Sleep(1);
    CHECK(driver_stats().deny == 0, "it is held");
}

static void until_it_is_closed(void)
{
    struct stream other;

    hold();
    stream_open(&other, "other", ROLLCALL_ATTACH_DENY);
    fill();
    stream_read(&holder);
    stream_acknowledge(&holder);
    CHECK(come_and_go(FIRST_PID, 8, 0) == REFUSED, "the other one has not acknowledged");
    stream_close(&other);
    wait_consumers(2);
    CHECK(come_and_go(FIRST_PID, 8, 0) == 0, "the other one is gone");
    fill();
    stream_close(&holder);
    wait_until_nobody_holds_it();
    CHECK(raise_bulk(FIRST_PID, 1000, EACH_WAY, 50) == 0, "nobody holds it");
    stream_open(&holder, "holder", ROLLCALL_ATTACH_CONTINUE);
    CHECK(driver_stats().deny == 0, "it has not asked for it");
    stream_read(&holder);
    CHECK(holder.lost > 0, "nothing was lost");
    let_go();
    CHECK(driver_detach("other") == 0, "detach");
}

static void until_it_dies(void)
{
    HANDLE child = child_begin("deny-holds");

    CHECK(driver_stats().deny == 1, "held");
    fill();
    CHECK(come_and_go(FIRST_PID, GetCurrentProcessId(), 0) == REFUSED, "a consumer no more");
    child_kill(child);
    wait_until_nobody_holds_it();
    CHECK(raise_bulk(FIRST_PID, 1000, EACH_WAY, 50) == 0, "nobody holds it");
    CHECK(driver_detach("killed") == 0, "detach");
}

/* ---- others refuse ---- */

/* Nobody overwrites what they have said. */
static void others_refuse(void)
{
    const struct rollcall_event *event;
    uint32_t count;

    hold();
    CHECK(come_and_go(FIRST_PID, 8, CONTROL_REFUSED) == BY_OTHERS, "before");
    CHECK(come_and_go(FIRST_PID, 8, CONTROL_REFUSED_AFTER) == BY_OTHERS, "after");
    stream_read(&holder);
    expect_creations_and_exits(2);
    event = stream_find(&holder, NULL, ROLLCALL_EXIT, FIRST_PID);
    CHECK(event != NULL && event->status == BY_OTHERS, "its status");
    count = fill();
    CHECK(count > 0, "%u", count);
    CHECK(come_and_go(FIRST_PID, 8, CONTROL_REFUSED) == BY_OTHERS, "full, before");
    let_go();
}

static void without_deny(void)
{
    stream_open(&holder, "holder", 0);
    CHECK(come_and_go(FIRST_PID, 8, CONTROL_REFUSED) == BY_OTHERS, "before");
    CHECK(come_and_go(FIRST_PID, 8, CONTROL_REFUSED_AFTER) == BY_OTHERS, "after");
    stream_read(&holder);
    expect_creations_and_exits(2);
    CHECK(raise_bulk(FIRST_PID, 1000, EACH_WAY, 50) == 0, "nobody holds it");
    CHECK(driver_stats().denied == 0, "%llu", (unsigned long long)driver_stats().denied);
    let_go();
}

/* ---- the parameter ---- */

static void policy_of_the_driver(void)
{
    struct stream ephemeral;

    driver_parameter("Policy", 1);
    driver_begin();
    CHECK(raise_bulk(FIRST_PID, 1000, EACH_WAY, 50) == 0, "nobody is attached");
    stream_open(&ephemeral, "", 0);
    CHECK(raise_bulk(FIRST_PID, 1000, EACH_WAY, 50) == 0, "an ephemeral one does not hold it");
    stream_open(&holder, "holder", 0);
    CHECK(driver_stats().deny == 1, "a durable one does");
    fill();
    stream_read(&holder);
    CHECK(holder.lost == 0, "%llu", (unsigned long long)holder.lost);
    stream_close(&holder);
    wait_until_nobody_holds_it();
    CHECK(raise_bulk(FIRST_PID, 1000, EACH_WAY, 50) == 0, "it is not attached");
    stream_close(&ephemeral);
    CHECK(driver_stop() == 0, "stop");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        be_exempt(argv[1]);
    test_begin("rollcall.sys");
    driver_parameter("Budget", BUDGET);
    driver_begin();
    without_deny();
    exactly_when_full();
    who_lives_can_exit();
    nothing_is_left();
    some_are_refused();
    its_exit_comes_late();
    its_pid_is_used_again(0);
    its_pid_is_used_again(CONTROL_NO_EXIT);
    who_is_exempt();
    until_it_is_closed();
    until_it_dies();
    others_refuse();
    CHECK(driver_stop() == 0, "stop");
    policy_of_the_driver();
    return test_end();
}
