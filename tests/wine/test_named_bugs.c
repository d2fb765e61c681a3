/* SPDX-License-Identifier: MIT */
/*
 * Bugs that others had in this place, each under a name. Those of which another test shows that
 * they are not here stand in the table with that test's file and function.
 */
#include "tests/wine/lib/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET    65536u
#define FIRST_PID 10000u
#define EACH_WAY  (CONTROL_CREATE_EACH | CONTROL_EXIT_EACH)
#define THREADS   4u
#define EACH      500u

static struct stream reader;

/* ---- fetches ---- */

static void fetch_begin(struct fetch *fetch)
{
    fetch_send(fetch, reader.device, 0, sizeof(fetch->answer));
}

/* Waits for it and takes what it got. Returns its error. */
static DWORD fetch_end(struct fetch *fetch)
{
    DWORD error = fetch_wait(fetch);

    if (error == 0)
        stream_take(&reader, &fetch->answer.reply);
    return error;
}

static void raise_some(uint32_t count)
{
    CHECK(raise_bulk(FIRST_PID, count, EACH_WAY, 100) == 0, "refused");
}

static uint64_t last_seq(void)
{
    return driver_stats().last_seq;
}

/* All that was raised since `base` has been read, and nothing was lost. */
static void expect_all(uint64_t base, uint64_t raised)
{
    stream_read(&reader);
    CHECK(reader.next_seq == base + raised + 1 && reader.lost == 0, "%llu of %llu, %llu lost",
          (unsigned long long)(reader.next_seq - base - 1), (unsigned long long)raised,
          (unsigned long long)reader.lost);
}

/* ---- DMF, NotifyUserWithRequest ---- */

struct raising {
    uint32_t first_pid, count;
    bool one_by_one;
};

static DWORD WINAPI raise_thread(void *context)
{
    const struct raising *raising = context;
    uint32_t i;

    if (!raising->one_by_one)
        raise_bulk(raising->first_pid, raising->count, EACH_WAY, 100);
    for (i = 0; raising->one_by_one && i < raising->count; i++)
        raise_bulk(raising->first_pid + 4 * i, 1, EACH_WAY, 100);
    return 0;
}

static volatile LONG turn;

static DWORD WINAPI raise_in_turn(void *context)
{
    LONG i, rounds = *(LONG *)context;

    for (i = 1; i <= rounds; i++) {
        while (turn < i)
            SwitchToThread();
        raise_pid(FIRST_PID);
    }
    return 0;
}

/* The request vanishes while an event is on its way into it. */
static void dmf_event_lost_between_find_and_retrieve(void)
{
    static struct fetch fetch;
    LONG rounds = 1000, i, canceled = 0;
    uint64_t base = last_seq();
    HANDLE thread;
    DWORD error;
    int k;

    turn = 0;
    thread = thread_begin(raise_in_turn, &rounds);
    for (i = 1; i <= rounds; i++) {
        fetch_begin(&fetch);
        InterlockedExchange(&turn, i);
        for (k = rand() % 64; k > 0; k--)
            SwitchToThread();
        CancelIoEx(reader.device, &fetch.pended.overlapped);
        error = fetch_end(&fetch);
        CHECK(error == 0 || error == ERROR_OPERATION_ABORTED, "%lu", error);
        canceled += error != 0;
        if (error == 0)
            continue;
        fetch_begin(&fetch);
        CHECK(fetch_end(&fetch) == 0, "round %ld", i);
    }
    thread_join(thread);
    printf("%ld of %ld were canceled\n", canceled, rounds);
    raise_exit(FIRST_PID, 0);
    expect_all(base, (uint64_t)rounds + 1);
}

/* After that the event is back in its queue, and a request that has come meanwhile in its own: each
 * waits for the other. */
static void dmf_event_and_request_wait_for_each_other(void)
{
    static struct fetch first, second;
    struct raising raising = {FIRST_PID, 1, true};
    uint64_t base = last_seq();
    HANDLE thread;
    uint32_t i;

    for (i = 0; i < 300; i++) {
        fetch_begin(&first);
        thread = thread_begin(raise_thread, &raising);
        CancelIoEx(reader.device, &first.pended.overlapped);
        fetch_begin(&second);
        fetch_end(&first);
        while (reader.next_seq <= base + 2 * i + 1) {
            CHECK(fetch_end(&second) == 0, "round %u", i);
            fetch_begin(&second);
        }
        thread_join(thread);
        while (reader.next_seq <= base + 2 * i + 2) {
            CHECK(fetch_end(&second) == 0, "round %u", i);
            fetch_begin(&second);
        }
        CancelIoEx(reader.device, &second.pended.overlapped);
        CHECK(fetch_end(&second) == ERROR_OPERATION_ABORTED, "there is nothing more");
    }
    expect_all(base, 2 * i);
}

/* Those that are completed, in the order of their numbers. */
static uint32_t take_completed(struct fetch *all, uint32_t count)
{
    uint32_t taken = 0, i;

    for (i = 0; i < count; i++) {
        if (!pended_done(&all[i].pended) || all[i].answer.reply.first_seq != reader.next_seq)
            continue;
        CHECK(fetch_end(&all[i]) == 0, "fetch %u", i);
        fetch_begin(&all[i]);
        taken++;
        i = (uint32_t)-1;
    }
    return taken;
}

static void cancel_all(struct fetch *all, uint32_t count)
{
    uint32_t i;

    CancelIoEx(reader.device, NULL);
    for (i = 0; i < count; i++)
        CHECK(fetch_end(&all[i]) == ERROR_OPERATION_ABORTED, "fetch %u", i);
}

static uint32_t thread_of(uint32_t pid)
{
    return (pid - FIRST_PID) / 100000;
}

/* Two producers and many requests: each process exits after its creation, and each producer's
 * processes come in their order. */
static void dmf_producers_overtake_each_other(void)
{
    static struct fetch fetches[8];
    struct raising raising[THREADS];
    HANDLE threads[THREADS];
    uint32_t next[THREADS] = {0}, i;
    const struct rollcall_event *event = NULL;
    uint64_t base = last_seq();

    for (i = 0; i < 8; i++)
        fetch_begin(&fetches[i]);
    for (i = 0; i < THREADS; i++) {
        raising[i] = (struct raising){FIRST_PID + 100000 * i, EACH, false};
        threads[i] = thread_begin(raise_thread, &raising[i]);
    }
    while (reader.next_seq <= base + 2ull * THREADS * EACH)
        if (take_completed(fetches, 8) == 0)
            SwitchToThread();
    for (i = 0; i < THREADS; i++)
        thread_join(threads[i]);
    cancel_all(fetches, 8);
    while ((event = stream_next(&reader, event)) != NULL) {
        i = thread_of(event->pid);
        CHECK(event->pid == FIRST_PID + 100000 * i + 4 * (next[i] / 2) &&
                  event->type == (next[i] % 2 == 0 ? ROLLCALL_CREATE : ROLLCALL_EXIT),
              "process %u, event %u", event->pid, event->type);
        next[i]++;
    }
    expect_all(base, 2ull * THREADS * EACH);
}

/* A request that fails counts as pended for ever: after enough of them all are refused. */
static void dmf_counter_leaks_and_refuses_for_ever(void)
{
    static struct fetch all[ROLLCALL_PENDED_MAX], more;
    uint32_t i, k;

    for (k = 0; k < 2; k++) {
        for (i = 0; i < ROLLCALL_PENDED_MAX; i++) {
            runtime_fail_allocation(1 + i % 3);
            fetch_begin(&more);
            if (more.pended.error == ERROR_IO_PENDING)
                CancelIoEx(reader.device, &more.pended.overlapped);
            CHECK(fetch_end(&more) != 0, "there is nothing");
            runtime_fail_allocation(0);
        }
        for (i = 0; i < ROLLCALL_PENDED_MAX; i++)
            fetch_begin(&all[i]);
        fetch_begin(&more);
        CHECK(fetch_end(&more) == ERROR_NOT_ENOUGH_QUOTA, "one too many");
        for (i = 0; i < ROLLCALL_PENDED_MAX; i++)
            CHECK(!pended_done(&all[i].pended), "fetch %u", i);
        cancel_all(all, ROLLCALL_PENDED_MAX);
    }
}

/* What is given up for newer events is freed. */
static void dmf_dropped_events_leak(void)
{
    uint64_t before;
    int i;

    driver_configure(BUDGET, 0);
    raise_some(1000);
    before = runtime_facts().allocated;
    for (i = 0; i < 5; i++)
        raise_some(1000);
    CHECK(runtime_facts().allocated <= before + BUDGET / 8, "%llu bytes, %llu before",
          (unsigned long long)runtime_facts().allocated, (unsigned long long)before);
    driver_configure(ROLLCALL_BUDGET_DEFAULT, 0);
}

/* The value of a handle that was closed comes again: what was pended for the one is not the
 * other's, and the other has not attached. */
static void dmf_stale_file_matches_new_handle(void)
{
    static struct fetch one, other;
    struct stream old;
    HANDLE device;
    int i;

    for (i = 0; i < 200; i++) {
        stream_open(&old, "", 0);
        fetch_send(&one, old.device, 0, sizeof(one.answer));
        stream_close(&old);
        device = driver_open();
        fetch_send(&other, device, 0, sizeof(other.answer));
        CHECK(fetch_wait(&other) == ERROR_BAD_COMMAND, "it has not attached");
        CHECK(WaitForSingleObject(one.pended.overlapped.hEvent, LIMIT_MS) == WAIT_OBJECT_0,
              "the old request is not over");
        CloseHandle(one.pended.overlapped.hEvent);
        CloseHandle(device);
    }
}

/* ---- KSystemInformer, wintun: a wake-up is missed ---- */

/* The consumer goes to sleep right when an event comes. */
static void ksi_wakeup_lost_between_busy_and_recheck(void)
{
    static struct fetch fetch;
    LONG rounds = 500, i;
    uint64_t base = last_seq();
    HANDLE thread;
    int k;

    turn = 0;
    thread = thread_begin(raise_in_turn, &rounds);
    for (i = 1; i <= rounds; i++) {
        InterlockedExchange(&turn, i);
        for (k = rand() % 64; k > 0; k--)
            SwitchToThread();
        fetch_begin(&fetch);
        CHECK(fetch_end(&fetch) == 0, "round %ld", i);
    }
    thread_join(thread);
    raise_exit(FIRST_PID, 0);
    expect_all(base, (uint64_t)rounds + 1);
}

/* The same with the request that only waits. */
static void wintun_wakeup_missed(void)
{
    struct rollcall_request wait = head_of(sizeof(wait), 0);
    struct rollcall_ready ready;
    LONG rounds = 500, i;
    uint64_t base = last_seq();
    HANDLE thread;
    int k;

    turn = 0;
    thread = thread_begin(raise_in_turn, &rounds);
    for (i = 1; i <= rounds; i++) {
        InterlockedExchange(&turn, i);
        for (k = rand() % 64; k > 0; k--)
            SwitchToThread();
        CHECK(request(reader.device, ROLLCALL_CODE_WAIT, &wait, sizeof(wait), &ready, sizeof(ready),
                      NULL) == 0,
              "round %ld", i);
        CHECK(ready.next_seq == base + (uint64_t)i && ready.last_seq == ready.next_seq, "%llu",
              (unsigned long long)ready.next_seq);
        stream_read(&reader);
    }
    thread_join(thread);
    raise_exit(FIRST_PID, 0);
    expect_all(base, (uint64_t)rounds + 1);
}

static const char *const dying_names[] = {"dying-1", "dying-2", "dying-3"};

static void be_killed(void)
{
    HANDLE ready = OpenEventA(EVENT_MODIFY_STATE, FALSE, "dying");
    static struct stream streams[5];
    size_t i;

    for (i = 0; i < 5; i++)
        stream_open(&streams[i], i < 3 ? dying_names[i] : "", 0);
    SetEvent(ready);
    Sleep(INFINITE);
}

static void child_killed(void)
{
    HANDLE ready = CreateEventA(NULL, TRUE, FALSE, "dying");
    HANDLE process = self_begin("child");

    if (WaitForSingleObject(ready, LIMIT_MS) != WAIT_OBJECT_0)
        die("the child does not attach");
    TerminateProcess(process, 9);
    WaitForSingleObject(process, LIMIT_MS);
    CloseHandle(process);
    CloseHandle(ready);
}

/* A process dies that had several: only the first is let go. */
static void wintun_only_the_first_of_a_dying_process(void)
{
    struct rollcall_consumer_stats stats = {.pid = 1};
    uint32_t consumers = driver_stats().consumers;
    DWORD begin = GetTickCount();
    size_t i;

    child_killed();
    while (driver_stats().consumers != consumers + 3 && GetTickCount() - begin < LIMIT_MS)
        Sleep(1);
    for (i = 0; i < 3; i++) {
        while (consumer_stats(dying_names[i], &stats) && stats.pid != 0 &&
               GetTickCount() - begin < LIMIT_MS)
            Sleep(1);
        CHECK(driver_detach(dying_names[i]) == 0, "%s", dying_names[i]);
    }
    CHECK(driver_stats().consumers == consumers, "%u", driver_stats().consumers);
}

/* ---- WinDivert ---- */

/* Events are thrown away after 2 seconds. */
static void windivert_queue_age_drops(void)
{
    uint64_t base = last_seq();

    raise_some(10);
    Sleep(3000);
    expect_all(base, 20);
}

/* Too large for the buffer of a request that waits: cut, and gone. */
static void windivert_too_large_for_the_buffer_is_gone(void)
{
    static struct fetch fetch;
    const struct rollcall_reply *reply = &fetch.answer.reply;
    uint64_t base = last_seq();

    fetch_send(&fetch, reader.device, 0, sizeof(*reply) + sizeof(struct rollcall_event));
    raise_pid(FIRST_PID);
    CHECK(fetch_wait(&fetch) == ERROR_MORE_DATA, "too small");
    CHECK(reply->first_seq == base + 1 && reply->size > sizeof(struct rollcall_event), "%u bytes",
          reply->size);
    fetch_send(&fetch, reader.device, 0, sizeof(*reply) + reply->size);
    CHECK(fetch_end(&fetch) == 0, "as large as it said");
    raise_exit(FIRST_PID, 0);
    expect_all(base, 2);
}

static DWORD WINAPI stop_thread(void *context)
{
    *(DWORD *)context = driver_stop();
    return 0;
}

/* Stopping while somebody has it open lasts until that is closed, not longer; then it can be
 * started again. */
static void windivert_stop_with_an_open_handle_sticks(void)
{
    static struct fetch fetch;
    DWORD error = 1;
    HANDLE thread;

    fetch_begin(&fetch);
    thread = thread_begin(stop_thread, &error);
    Sleep(200); /* so that it waits, though it need not */
    CancelIoEx(reader.device, &fetch.pended.overlapped);
    CHECK(fetch_end(&fetch) == ERROR_OPERATION_ABORTED, "canceled");
    stream_close(&reader);
    thread_join(thread);
    CHECK(error == 0, "stop: %lu", error);
    driver_begin();
    stream_open(&reader, "", 0);
}

/* ---- zodiacon's SysMon ---- */

/* 56 + its bytes do not fit into 16 bits. */
static void sysmon_command_line_size_wraps(void)
{
    static wchar_t command[CONTROL_TEXT_MAX];
    const struct rollcall_event *event = NULL;
    struct rollcall_string text;
    size_t length, i;

    for (i = 0; i < CONTROL_TEXT_MAX; i++)
        command[i] = L'm';
    for (length = 32735; length <= CONTROL_TEXT_MAX; length++) {
        raise_create(&(struct process){.pid = FIRST_PID,
                                       .ppid = 8,
                                       .image = L"m.exe",
                                       .command = command,
                                       .command_length = length});
        raise_exit(FIRST_PID, 0);
        stream_forget(&reader);
        stream_read(&reader);
        event = stream_find(&reader, NULL, ROLLCALL_CREATE, FIRST_PID);
        CHECK(event != NULL && rollcall_event_text(event, ROLLCALL_COMMAND, &text) &&
                  text.size == length && text.data[length - 1] == 'm',
              "%zu characters", length);
    }
}

/* One too many passes a limit that is tested for equality: then there is none. */
static void sysmon_limit_passed_by_one_is_none(void)
{
    struct raising raising[THREADS];
    HANDLE threads[THREADS];
    uint64_t used, most = 0;
    uint32_t i;

    driver_configure(BUDGET, 0);
    for (i = 0; i < THREADS; i++) {
        raising[i] = (struct raising){FIRST_PID + 100000 * i, 2000, false};
        threads[i] = thread_begin(raise_thread, &raising[i]);
    }
    for (i = 0; i < THREADS; i++) {
        while (WaitForSingleObject(threads[i], 0) == WAIT_TIMEOUT) {
            used = driver_stats().used;
            most = used > most ? used : most;
        }
        thread_join(threads[i]);
    }
    CHECK(most > BUDGET / 2 && most <= BUDGET, "%llu bytes", (unsigned long long)most);
    driver_configure(ROLLCALL_BUDGET_DEFAULT, 0);
}

/* A buffer smaller than the first record gets nothing and no error, for ever. */
static void sysmon_head_larger_than_buffer_sticks(void)
{
    static struct answer answer;
    const struct rollcall_reply *reply = &answer.reply;
    DWORD error;

    raise_some(3);
    error = ask_drain(reader.device, 0, &answer, sizeof(*reply) + sizeof(struct rollcall_event));
    CHECK(error == ERROR_MORE_DATA, "%lu", error);
    /* One byte less than it says is too little, that is enough. */
    CHECK(stream_drain(&reader, sizeof(*reply) + reply->size - 1) == ERROR_MORE_DATA, "less");
    CHECK(stream_drain(&reader, sizeof(*reply) + reply->size) == 0, "as much");
    CHECK(reader.count == 1, "%zu records", reader.count);
    CHECK(stream_read(&reader) == 5, "%zu records", reader.count);
}

/* ---- OSR's inverted call ---- */

static void osr_no_request_pended_loses(void)
{
    uint64_t base = last_seq();

    raise_some(50);
    expect_all(base, 100);
}

/* What nobody was there for has a number too. */
static void osr_sequence_hides_loss(void)
{
    uint64_t base = last_seq();
    struct stream stream;

    stream_close(&reader);
    raise_some(50);
    stream_open(&stream, "", ROLLCALL_ATTACH_OLDEST);
    CHECK(stream.attached.last_seq == base + 100, "%llu",
          (unsigned long long)(stream.attached.last_seq - base));
    stream_read(&stream);
    CHECK(stream.next_seq == base + 101, "%llu", (unsigned long long)(stream.next_seq - base));
    stream_close(&stream);
    stream_open(&reader, "", 0);
}

static void osr_sddl_declared_not_applied(void)
{
    struct control_facts facts = runtime_facts();

    CHECK(wcscmp((const wchar_t *)facts.sddl, L"D:P(A;;GA;;;SY)(A;;GA;;;BA)") == 0, "%ls",
          (const wchar_t *)facts.sddl);
}

/* ---- dokany ---- */

/* An event that does not fit is put behind those that do. */
static void dokany_events_rotated_out_of_order(void)
{
    uint64_t base = last_seq();
    uint32_t i;

    for (i = 0; i < 20; i++)
        raise_bulk(FIRST_PID + 4 * i, 1, EACH_WAY, i % 2 == 0 ? 4000 : 2);
    /* An exit fits, a creation with a long command line does not. */
    while (reader.next_seq <= base + 40)
        if (stream_drain(&reader, 600) == ERROR_MORE_DATA)
            CHECK(stream_drain(&reader, 6000) == 0, "larger");
    expect_all(base, 40);
}

/* Some of many requests are canceled: the others' answers are not theirs. */
static void dokany_replies_matched_to_wrong_requests(void)
{
    static struct fetch all[32];
    uint64_t base = last_seq();
    uint32_t i;

    for (i = 0; i < 32; i++)
        fetch_begin(&all[i]);
    for (i = 0; i < 32; i += 3)
        CancelIoEx(reader.device, &all[i].pended.overlapped);
    for (i = 0; i < 32; i += 3)
        CHECK(fetch_end(&all[i]) == ERROR_OPERATION_ABORTED, "fetch %u", i);
    /* One record for each that is left, the oldest first. */
    for (i = 0; i < 32; i++)
        if (i % 3 != 0)
            raise_create(&(struct process){.pid = FIRST_PID + 4 * i, .ppid = 8, .image = L"d.exe"});
    for (i = 0; i < 32; i++) {
        if (i % 3 == 0)
            continue;
        stream_forget(&reader);
        CHECK(fetch_end(&all[i]) == 0 && reader.count == 1 &&
                  stream_next(&reader, NULL)->pid == FIRST_PID + 4 * i,
              "fetch %u", i);
    }
    for (i = 0; i < 32; i++)
        if (i % 3 != 0)
            raise_exit(FIRST_PID + 4 * i, 0);
    expect_all(base, 42);
}

static void dokany_entry_leaks_per_canceled_request(void)
{
    static struct fetch fetch;
    struct control_facts before, after;
    int i;

    before = runtime_facts();
    for (i = 0; i < 1000; i++) {
        fetch_begin(&fetch);
        CancelIoEx(reader.device, &fetch.pended.overlapped);
        CHECK(fetch_end(&fetch) == ERROR_OPERATION_ABORTED, "canceled");
    }
    after = runtime_facts();
    CHECK(after.allocations == before.allocations && after.objects <= before.objects + 4,
          "%u allocations and %u objects, %u and %u before", after.allocations, after.objects,
          before.allocations, before.objects);
}

/* ---- WinFsp #369 ---- */

/* It is stopped while events come on several threads. */
static void winfsp_stopped_while_events_come(void)
{
    int i;

    stream_close(&reader);
    CHECK(driver_stop() == 0, "stop");
    runtime_setting("StartThreads", THREADS);
    runtime_setting("StartProcesses", 10000000);
    for (i = 0; i < 10; i++) {
        driver_begin();
        stream_open(&reader, "", ROLLCALL_ATTACH_OLDEST);
        CHECK(stream_drain(&reader, 4096) == 0, "drain");
        stream_close(&reader);
        CHECK(runtime_facts().raising == THREADS, "they have ended: this tests nothing");
        CHECK(driver_stop() == 0, "stop");
    }
    runtime_setting("StartThreads", 0);
    driver_begin();
    stream_open(&reader, "", 0);
}

/* ---- texts ---- */

static void expect_own_text(const struct rollcall_event *event)
{
    struct rollcall_string text;
    char own[32];

    snprintf(own, sizeof(own), "%u/%llu", event->pid, (unsigned long long)event->session);
    CHECK(rollcall_event_text(event, ROLLCALL_COMMAND, &text) && text.size == strlen(own) &&
              memcmp(text.data, own, text.size) == 0,
          "process %s: %.*s", own, (int)text.size, text.data);
}

static void raise_with_own_text(uint32_t pid, uint32_t session)
{
    wchar_t own[32];

    _snwprintf(own, 32, L"%u/%u", pid, session);
    raise_create(&(struct process){
        .pid = pid, .ppid = 8, .session = session, .image = L"own.exe", .command = own});
    raise_exit(pid, 0);
}

static DWORD WINAPI raise_own_texts(void *context)
{
    uint32_t first_pid = *(const uint32_t *)context, i;

    for (i = 0; i < EACH; i++)
        raise_with_own_text(first_pid + 4 * i, i);
    return 0;
}

/* A reader sees the record before its text has been written. */
static void wireguard_index_before_text(void)
{
    uint32_t first_pid[THREADS], i;
    HANDLE threads[THREADS];
    uint64_t base = last_seq();
    const struct rollcall_event *event = NULL;

    for (i = 0; i < THREADS; i++) {
        first_pid[i] = FIRST_PID + 100000 * i;
        threads[i] = thread_begin(raise_own_texts, &first_pid[i]);
    }
    while (reader.next_seq <= base + 2ull * THREADS * EACH)
        stream_drain(&reader, 4096);
    for (i = 0; i < THREADS; i++)
        thread_join(threads[i]);
    while ((event = stream_next(&reader, event)) != NULL)
        if (event->type == ROLLCALL_CREATE)
            expect_own_text(event);
    expect_all(base, 2ull * THREADS * EACH);
}

/* The text is asked for by the pid when the event is read: the process is gone, and the pid is
 * somebody else's. */
static void ntosebpfext_text_looked_up_later(void)
{
    const struct rollcall_event *event = NULL;
    uint32_t i, count = 0;

    for (i = 0; i < 2000; i++)
        raise_with_own_text(FIRST_PID + 4 * (i % 10), i);
    stream_read(&reader);
    while ((event = stream_next(&reader, event)) != NULL) {
        if (event->type != ROLLCALL_CREATE)
            continue;
        CHECK(event->session == count, "process %u", event->session);
        expect_own_text(event);
        count++;
    }
    CHECK(count == 2000, "%u", count);
}

/* Who is gone before anybody can look has a command line. */
static void etw_short_lived_have_no_command_line(void)
{
    const struct rollcall_event *event;

    raise_with_own_text(FIRST_PID, 1);
    stream_read(&reader);
    event = stream_find(&reader, NULL, ROLLCALL_CREATE, FIRST_PID);
    CHECK(event != NULL, "its creation");
    if (event != NULL)
        expect_own_text(event);
}

/* ---- all ---- */

/* In another test: its file, and the function there. */
#define SHOWN_IN(file, function) .where = "tests/wine/" file ": " function

static const struct bug {
    const char *name, *origin;
    void (*run)(void);
    const char *where;
} bugs[] = {
#define HERE(name, origin)                                                                         \
    {                                                                                              \
#name, origin, name, NULL                                                                  \
    }
    HERE(dmf_event_lost_between_find_and_retrieve, "DMF 4cf162d, pull request 263"),
    HERE(dmf_event_and_request_wait_for_each_other, "DMF Dmf_NotifyUserWithRequest.c:424"),
    HERE(dmf_producers_overtake_each_other, "DMF Dmf_NotifyUserWithRequest.c"),
    HERE(dmf_counter_leaks_and_refuses_for_ever, "DMF Dmf_NotifyUserWithRequest.c:1000"),
    HERE(dmf_dropped_events_leak, "DMF Dmf_NotifyUserWithRequest.c:867"),
    HERE(dmf_stale_file_matches_new_handle, "DMF pull request 146"),
    {"dmf_all_buffers_in_flight", "DMF Dmf_NotifyUserWithRequest.c:880",
     SHOWN_IN("test_budget.c", "many_threads")},
    HERE(ksi_wakeup_lost_between_busy_and_recheck, "System Informer kphringbuff.c:86"),
    {"ksi_allocation_failure_not_counted", "System Informer comms.c:629",
     SHOWN_IN("test_failures.c", "events")},
    HERE(wintun_wakeup_missed, "wintun ec0a6b9"),
    HERE(wintun_only_the_first_of_a_dying_process, "wintun TunProcessNotification()"),
    {"wintun_no_signal_that_there_is_space", "firezone 8159",
     SHOWN_IN("test_deny.c", "exactly_when_full")},
    HERE(windivert_queue_age_drops, "WinDivert 75, 355"),
    HERE(windivert_too_large_for_the_buffer_is_gone, "WinDivert windivert.c:2247"),
    HERE(windivert_stop_with_an_open_handle_sticks, "WinDivert 406"),
    HERE(sysmon_command_line_size_wraps, "zodiacon SysMon.cpp:147"),
    HERE(sysmon_limit_passed_by_one_is_none, "zodiacon Globals.cpp:15"),
    HERE(sysmon_head_larger_than_buffer_sticks, "zodiacon SysMon"),
    {"sysmon_callback_before_there_is_a_list", "zodiacon SysMon.cpp:39",
     SHOWN_IN("test_snapshot.c", "busy_start")},
    {"sysmon_no_image_no_event", "zodiacon SysMon", SHOWN_IN("test_events.c", "absent_fields")},
    {"sysmon_pid_alone_is_no_identity", "zodiacon SysMon", SHOWN_IN("test_events.c", "pid_reuse")},
    HERE(osr_no_request_pended_loses, "OSR InvertedExample.cpp:465"),
    HERE(osr_sequence_hides_loss, "OSR InvertedExample.cpp:541"),
    HERE(osr_sddl_declared_not_applied, "OSR inverted.h:56"),
    HERE(dokany_events_rotated_out_of_order, "dokany fscontrol.c:477"),
    HERE(dokany_replies_matched_to_wrong_requests, "dokany DokanCompleteIrp()"),
    HERE(dokany_entry_leaks_per_canceled_request, "dokany event.c:118"),
    {"dokany_notifications_without_bound", "dokany notification.c",
     SHOWN_IN("test_budget.c", "nobody_reads")},
    {"dokany_restart_of_the_service", "dokany 26, 133",
     SHOWN_IN("test_consumers.c", "killed_again_and_again")},
    HERE(winfsp_stopped_while_events_come, "WinFsp 369"),
    HERE(wireguard_index_before_text, "wireguard-nt logging.c:27"),
    HERE(ntosebpfext_text_looked_up_later, "ntosebpfext process_monitor.c"),
    HERE(etw_short_lived_have_no_command_line, "rustinel 340, 349"),
    {"etw_loss_in_no_counter", "rustinel 305", SHOWN_IN("test_budget.c", "nobody_reads")},
    {"minispy_loss_record_needs_memory", "minispy mspyLib.c:217",
     SHOWN_IN("test_failures.c", "no_memory_at_all")},
    {"krabsetw_snapshot_and_stream_do_not_join", "krabsetw 178",
     SHOWN_IN("test_snapshot.c", "busy_start")},
#undef HERE
};

int main(int argc, char **argv)
{
    unsigned seed = GetTickCount();
    size_t i;

    (void)argv;
    if (argc > 1)
        be_killed();
    test_begin("rollcall.sys");
    printf("seed %u\n", seed);
    srand(seed);
    driver_begin();
    for (i = 0; i < sizeof(bugs) / sizeof(bugs[0]); i++) {
        printf("%s (%s)%s%s\n", bugs[i].name, bugs[i].origin, bugs[i].where != NULL ? ": " : "",
               bugs[i].where != NULL ? bugs[i].where : "");
        if (bugs[i].run == NULL)
            continue;
        stream_open(&reader, "", 0);
        bugs[i].run();
        stream_close(&reader);
    }
    return test_end();
}
