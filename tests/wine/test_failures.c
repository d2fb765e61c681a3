/* SPDX-License-Identifier: MIT */
/*
 * Each allocation fails once. The driver's start then fails and leaves nothing, or succeeds and all
 * is there; an event is kept, without its strings if need be, or stands in a gap.
 */
#include "tests/wine/lib/stream.h"

#include <stdio.h>
#include <string.h>

#define EXISTING  3u
#define FIRST_PID 10000u
#define ROUNDS    60u
#define LENGTH    2000u /* characters of a command line: several blocks of the log in a round */

static struct stream stream;

/* ---- the start ---- */

/* All that there is to say about the start, or a gap for it. */
static void expect_whole_start(uint32_t n)
{
    struct rollcall_engine_stats stats = driver_stats();

    stream_open(&stream, "", ROLLCALL_ATTACH_OLDEST);
    raise_bulk(FIRST_PID, 10, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 100);
    stream_read(&stream);
    CHECK(stream_count(&stream, ROLLCALL_EXISTS, 0) + stream.lost >= EXISTING + 1 &&
              stream_count(&stream, ROLLCALL_SYNCED, 0) + stream.lost >= 1,
          "allocation %u: %zu exist, %llu are lost", n, stream_count(&stream, ROLLCALL_EXISTS, 0),
          (unsigned long long)stream.lost);
    CHECK(stream.count - stream_count(&stream, ROLLCALL_GAP, 0) + stream.lost == EXISTING + 2 + 20,
          "allocation %u: %zu, %llu are lost", n, stream.count, (unsigned long long)stream.lost);
    CHECK(stats.lost[ROLLCALL_LOST_FAILED] == stream.lost, "allocation %u: %llu", n,
          (unsigned long long)stats.lost[ROLLCALL_LOST_FAILED]);
    stream_close(&stream);
}

static void starts(void)
{
    uint32_t n, failed = 0;
    bool all = false;
    DWORD error;

    runtime_setting("ExistingProcesses", EXISTING);
    for (n = 1; !all; n++) {
        runtime_setting("FailAllocation", n);
        error = driver_start();
        failed += error != 0;
        if (error != 0) {
            CHECK(error == ERROR_NO_SYSTEM_RESOURCES, "allocation %u: %lu", n, error);
        } else {
            all = runtime_facts().fail_in > 0;
            runtime_fail_allocation(0);
            expect_whole_start(n);
            CHECK(driver_stop() == 0, "stop");
        }
        CHECK(runtime_reports()[0] == 0, "allocation %u:\n%s", n, runtime_reports());
        runtime_clear();
    }
    runtime_setting("FailAllocation", 0);
    printf("%u allocations, %u are needed\n", n - 2, failed);
    CHECK(failed > 5, "%u", failed);
}

/* ---- an event ---- */

static wchar_t command[LENGTH];

static void expect_text(const struct rollcall_event *event, enum rollcall_text_field field,
                        size_t size, uint32_t n)
{
    struct rollcall_string text = {.data = NULL};
    bool there = rollcall_event_text(event, field, &text);

    /* The engine may have kept the base alone; then that is counted. */
    if (!there) {
        CHECK(event->size == sizeof(*event), "allocation %u: string %u", n, field);
        return;
    }
    CHECK(text.full_size == size || (field == ROLLCALL_USER && text.full_size == 0),
          "allocation %u, string %u: %llu bytes of %zu", n, field,
          (unsigned long long)text.full_size, size);
    CHECK(text.size == size || (text.flags & ROLLCALL_TEXT_CUT) != 0, "allocation %u, string %u", n,
          field);
}

/* One creation and one exit, of which the n-th allocation fails. false: there were not so many. */
static bool event_fails(uint32_t n)
{
    uint64_t lost = stream.lost, base = stream.next_seq - 1;
    struct process process = {.pid = FIRST_PID,
                              .ppid = 8,
                              .creator_tid = 12,
                              .image = L"\\Device\\one.exe",
                              .command = command,
                              .command_length = LENGTH};
    const struct rollcall_event *event;
    bool failed;

    runtime_fail_allocation(n);
    CHECK(raise_create(&process) == 0, "refused");
    raise_exit(FIRST_PID, 7);
    failed = runtime_facts().fail_in == 0;
    runtime_fail_allocation(0);
    stream_forget(&stream);
    stream_read(&stream);
    CHECK(stream.next_seq == base + 3, "allocation %u: %llu events", n,
          (unsigned long long)(stream.next_seq - base - 1));
    CHECK(stream.count - stream_count(&stream, ROLLCALL_GAP, 0) + stream.lost - lost == 2,
          "allocation %u: %zu and %llu", n, stream.count, (unsigned long long)(stream.lost - lost));
    event = stream_find(&stream, NULL, ROLLCALL_CREATE, FIRST_PID);
    if (event != NULL) {
        expect_text(event, ROLLCALL_EXE, 15, n);
        expect_text(event, ROLLCALL_COMMAND, LENGTH, n);
    }
    event = stream_find(&stream, NULL, ROLLCALL_EXIT, FIRST_PID);
    CHECK(event == NULL || event->status == 7, "allocation %u", n);
    stream_acknowledge(&stream);
    return failed;
}

/* What the driver asks for an event, and now and then a block of the log. */
static void events(void)
{
    uint64_t lost = driver_stats().lost[ROLLCALL_LOST_FAILED];
    uint32_t n, round, failures = 0;

    stream_open(&stream, "named", 0);
    for (round = 0; round < ROUNDS; round++) {
        for (n = 1; event_fails(n); n++)
            failures++;
        CHECK(n > 2, "an event without an allocation");
    }
    printf("%u allocations failed, %llu events are lost\n", failures,
           (unsigned long long)stream.lost);
    CHECK(driver_stats().lost[ROLLCALL_LOST_FAILED] - lost == stream.lost, "%llu are counted",
          (unsigned long long)driver_stats().lost[ROLLCALL_LOST_FAILED]);
    stream_close(&stream);
    CHECK(driver_detach("named") == 0, "detach");
}

/* Nobody reads while each allocation but a few fails. */
static void a_long_time(void)
{
    struct rollcall_engine_stats before = driver_stats(), after;
    uint32_t i;

    stream_open(&stream, "named", 0);
    for (i = 0; i < ROUNDS; i++) {
        runtime_fail_allocation(1 + i % 7);
        CHECK(raise_bulk(FIRST_PID, 20, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 2000) == 0,
              "refused");
    }
    runtime_fail_allocation(0);
    stream_read(&stream);
    after = driver_stats();
    CHECK(after.last_seq == before.last_seq + 40 * ROUNDS, "%llu",
          (unsigned long long)after.last_seq);
    CHECK(stream.next_seq == after.last_seq + 1, "%llu", (unsigned long long)stream.next_seq);
    CHECK(after.lost[ROLLCALL_LOST_FAILED] - before.lost[ROLLCALL_LOST_FAILED] +
                  after.lost[ROLLCALL_LOST_FULL] - before.lost[ROLLCALL_LOST_FULL] ==
              stream.lost,
          "%llu lost", (unsigned long long)stream.lost);
    stream_close(&stream);
    CHECK(driver_detach("named") == 0, "detach");
}

/* There is no memory for a long time: what is lost stands in one gap, of its own reason, and what
 * comes afterwards is there. Nothing is allocated to say so. */
static void no_memory_at_all(void)
{
    struct rollcall_engine_stats before = driver_stats(), after;
    const struct rollcall_event *event = NULL;
    uint64_t gaps = 0;

    stream_open(&stream, "named", 0);
    runtime_fail_all(true);
    CHECK(raise_bulk(FIRST_PID, 1000, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 2000) == 0,
          "refused");
    runtime_fail_all(false);
    CHECK(raise_bulk(FIRST_PID, 10, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 20) == 0, "refused");
    stream_read(&stream);
    after = driver_stats();
    CHECK(after.last_seq == before.last_seq + 2020 && stream.next_seq == after.last_seq + 1, "%llu",
          (unsigned long long)stream.next_seq);
    CHECK(stream.lost > 1000, "%llu are lost", (unsigned long long)stream.lost);
    CHECK(after.lost[ROLLCALL_LOST_FAILED] - before.lost[ROLLCALL_LOST_FAILED] == stream.lost,
          "%llu are counted", (unsigned long long)after.lost[ROLLCALL_LOST_FAILED]);
    while ((event = stream_next(&stream, event)) != NULL) {
        if (event->type != ROLLCALL_GAP)
            continue;
        CHECK(event->reason == ROLLCALL_LOST_FAILED, "%u", event->reason);
        CHECK(event->seq + event->lost == after.last_seq - 19, "%llu, %llu are lost",
              (unsigned long long)event->seq, (unsigned long long)event->lost);
        gaps++;
    }
    CHECK(gaps == 1, "%llu gaps", (unsigned long long)gaps);
    stream_close(&stream);
    CHECK(driver_detach("named") == 0, "detach");
}

int main(void)
{
    uint32_t i;

    for (i = 0; i < LENGTH; i++)
        command[i] = L'c';
    test_begin("rollcall.sys");
    starts();
    runtime_setting("ExistingProcesses", 0);
    driver_begin();
    events();
    a_long_time();
    no_memory_at_all();
    return test_end();
}
