/* SPDX-License-Identifier: MIT */
/*
 * The driver's start. Who was there before is told as `exists`, who comes meanwhile or later as
 * `create`: each process once, and its exit after that, however they come and go meanwhile.
 */
#include "tests/wine/lib/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STARTS       50
#define THREADS      4u
#define EACH         100u
#define RACES        4u
#define EXISTING_PID 100000u
#define SYSTEM_PID   4u
#define LIVES_MAX    65536u

static struct stream stream;

/* ---- nobody comes or goes ---- */

static void expect_exists(const struct rollcall_event *event, const char *exe, const char *user)
{
    struct rollcall_string text;

    CHECK((event->present & ~(unsigned)ROLLCALL_HAS_PARENT) ==
              (ROLLCALL_HAS_SESSION | ROLLCALL_HAS_START_KEY),
          "process %u: %x", event->pid, event->present);
    CHECK(event->flags == 0 && event->session == 0 && event->creator_pid == 0 &&
              event->status == 0 && event->uid == 0,
          "process %u", event->pid);
    CHECK(event->start_key == runtime_start_key(event->pid), "process %u: %llx", event->pid,
          (unsigned long long)event->start_key);
    CHECK(event->start_ns != 0, "process %u", event->pid);
    CHECK(rollcall_event_text(event, ROLLCALL_EXE, &text) && text.flags == 0 &&
              text.size == strlen(exe) && memcmp(text.data, exe, text.size) == 0,
          "process %u is %s", event->pid, exe);
    CHECK(rollcall_event_text(event, ROLLCALL_USER, &text) && text.size == strlen(user) &&
              memcmp(text.data, user, text.size) == 0,
          "process %u is of %s", event->pid, user);
    CHECK(!rollcall_event_text(event, ROLLCALL_COMMAND, &text), "process %u", event->pid);
}

static void quiet_start(uint32_t existing)
{
    const struct rollcall_event *event, *system;
    uint32_t i;

    runtime_setting("ExistingProcesses", existing);
    driver_begin();
    stream_open(&stream, "", ROLLCALL_ATTACH_OLDEST);
    stream_read(&stream);
    CHECK(stream.count == existing + 2, "%zu events", stream.count);
    CHECK(stream_count(&stream, ROLLCALL_EXISTS, 0) == existing + 1, "%zu",
          stream_count(&stream, ROLLCALL_EXISTS, 0));
    system = stream_find(&stream, NULL, ROLLCALL_EXISTS, SYSTEM_PID);
    if (system == NULL)
        die("System is missing");
    expect_exists(system, "System", "S-1-5-18");
    CHECK(system->ppid == 0 && system->parent_start_ns == 0, "its parent is %u", system->ppid);
    CHECK(strcmp(system->comm, "System") == 0, "%s", system->comm);
    for (i = 0; i < existing; i++) {
        event = stream_find(&stream, NULL, ROLLCALL_EXISTS, EXISTING_PID + 4 * i);
        if (event == NULL)
            die("process %u is missing", EXISTING_PID + 4 * i);
        expect_exists(event, "\\Device\\HarddiskVolume1\\before.exe", "S-1-5-21-1-2-3-1001");
        CHECK((event->present & ROLLCALL_HAS_PARENT) && event->ppid == SYSTEM_PID &&
                  event->parent_start_ns == system->start_ns,
              "process %u: parent %u", event->pid, event->ppid);
        CHECK(strcmp(event->comm, "before.exe") == 0, "%s", event->comm);
        CHECK(stream_count(&stream, ROLLCALL_EXISTS, event->pid) == 1, "process %u", event->pid);
    }
    event = stream_find(&stream, NULL, ROLLCALL_SYNCED, 0);
    CHECK(event != NULL && event->seq == existing + 2 && event->present == 0 &&
              event->size == sizeof(*event),
          "synced is the last");
    stream_close(&stream);
    CHECK(driver_stop() == 0, "stop");
}

/* ---- processes come and go ---- */

/* What the stream says of one process: its start key tells it from all others. */
struct life {
    uint64_t start_key, start_ns;
    uint32_t pid;
    bool exited;
};

static struct life lives[LIVES_MAX];
static uint32_t count;

static struct life *life_of(const struct rollcall_event *event)
{
    uint32_t i;

    for (i = count; i > 0; i--)
        if (lives[i - 1].start_key == event->start_key)
            return &lives[i - 1];
    return NULL;
}

static void begins(const struct rollcall_event *event)
{
    CHECK(life_of(event) == NULL, "process %u, key %llx, is told twice", event->pid,
          (unsigned long long)event->start_key);
    if (count == LIVES_MAX)
        die("too many processes");
    lives[count++] = (struct life){event->start_key, event->start_ns, event->pid, false};
}

static void ends(const struct rollcall_event *event)
{
    struct life *life = life_of(event);

    CHECK(life != NULL, "process %u exits and has not begun", event->pid);
    if (life == NULL)
        return;
    CHECK(!life->exited, "process %u exits twice", event->pid);
    CHECK(life->pid == event->pid && life->start_ns == event->start_ns, "process %u is another one",
          event->pid);
    life->exited = true;
}

/* Returns how many exits there are. */
static uint32_t follow(void)
{
    const struct rollcall_event *event = NULL;
    uint32_t exits = 0;

    count = 0;
    while ((event = stream_next(&stream, event)) != NULL) {
        if (event->type == ROLLCALL_EXISTS || event->type == ROLLCALL_CREATE)
            begins(event);
        else if (event->type == ROLLCALL_EXIT)
            ends(event);
        exits += event->type == ROLLCALL_EXIT;
    }
    return exits;
}

static int compare(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

    return one < other ? -1 : one > other;
}

static bool is_of(enum control_race kind, uint32_t pid)
{
    return pid >= (uint32_t)kind && pid < (uint32_t)kind + 4 * RACES;
}

/* Of every other one somebody else has got the pid. */
static bool has_ended(uint32_t pid)
{
    return is_of(RACE_ENDED, pid) && (pid & 4) != 0;
}

/* Those that the stream says to live are those that do. Of those that had exited before there was
 * anybody to tell there is nothing, of those that are about to not yet. */
static void expect_living(void)
{
    static uint32_t told[LIVES_MAX], living[LIVES_MAX];
    uint32_t i, told_count = 0, living_count = 0;
    size_t pids = runtime_pids(living, LIVES_MAX);

    for (i = 0; i < pids; i++)
        if (!has_ended(living[i]) && !is_of(RACE_ENDING, living[i]))
            living[living_count++] = living[i];
    for (i = 0; i < count; i++)
        if (!lives[i].exited)
            told[told_count++] = lives[i].pid;
    qsort(told, told_count, sizeof(told[0]), compare);
    qsort(living, living_count, sizeof(living[0]), compare);
    CHECK(told_count == living_count, "%u are told, %u live", told_count, living_count);
    for (i = 0; i < told_count && i < living_count && told[i] == living[i]; i++)
        ;
    CHECK(i == told_count, "%u is told, %u lives", told[i], living[i]);
}

static void wait_until_raised(void)
{
    DWORD begin = GetTickCount();

    while (runtime_facts().raising > 0) {
        if (GetTickCount() - begin > LIMIT_MS)
            die("%u threads still raise", runtime_facts().raising);
        Sleep(1);
    }
}

/* How often somebody with that pid has begun, and exited. */
static void expect_pid(uint32_t pid, uint32_t begun, uint32_t exited)
{
    size_t exist = stream_count(&stream, ROLLCALL_EXISTS, pid);
    size_t created = stream_count(&stream, ROLLCALL_CREATE, pid);
    size_t exits = stream_count(&stream, ROLLCALL_EXIT, pid);

    CHECK(exist + created == begun && exits == exited,
          "process %u: %zu exists, %zu create, %zu exit", pid, exist, created, exits);
}

/* Each of a kind. */
static void expect_race(enum control_race kind, uint32_t begun, uint32_t exited)
{
    uint32_t i;

    for (i = 0; i < RACES; i++)
        expect_pid((uint32_t)kind + 4 * i, begun, exited);
}

static void expect_races(void)
{
    const struct rollcall_event *event;
    uint32_t i;

    expect_race(RACE_TOLD_LATER, 1, 0);
    for (i = 0; i < RACES; i++)
        expect_pid(RACE_ENDED + 4 * i, has_ended(RACE_ENDED + 4 * i) ? 0 : 1, 0);
    expect_race(RACE_ENDING, 0, 0);
    expect_race(RACE_CREATED, 1, 0);
    expect_race(RACE_EXITS, 1, 1);
    expect_race(RACE_GONE, 1, 1);
    expect_race(RACE_REUSED, 2, 1);
    expect_race(RACE_EXITS_NAMED, 1, 1);
    expect_race(RACE_TOLD_NAMED, 1, 0);
    CHECK(stream_count(&stream, ROLLCALL_SYNCED, 0) == 1, "%zu synced",
          stream_count(&stream, ROLLCALL_SYNCED, 0));
    event = stream_find(&stream, NULL, ROLLCALL_SYNCED, 0);
    /* Behind it only who was about to exit. */
    while (event != NULL && (event = stream_next(&stream, event)) != NULL)
        CHECK(event->type != ROLLCALL_EXISTS ||
                  stream_find(&stream, event, ROLLCALL_EXIT, event->pid) != NULL,
              "process %u exists after `synced`", event->pid);
}

/* Their exit is told when all is synced: who it was comes before. */
static void exit_later(void)
{
    uint32_t i;

    for (i = 0; i < RACES; i++)
        raise_exit(RACE_ENDING + 4 * i, 7);
    stream_read(&stream);
    expect_race(RACE_ENDING, 1, 1);
}

/* They have been told as `exists` when the kernel gets to telling of their creation. */
static void tell_later(void)
{
    uint32_t i, status;

    for (i = 0; i < RACES; i++) {
        struct process process = {.pid = RACE_TOLD_LATER + 4 * i,
                                  .ppid = SYSTEM_PID,
                                  .image = L"race.exe",
                                  .command = L"race.exe"};

        process.flags = CONTROL_LISTED | (i % 2 == 1 ? CONTROL_REFUSED_AFTER : 0u);
        status = raise_create(&process);
        CHECK((status != 0) == (i % 2 == 1), "process %u: %x", process.pid, status);
        if (i % 2 == 0)
            raise_exit(process.pid, 0);
    }
    stream_read(&stream);
    expect_race(RACE_TOLD_LATER, 1, 1);
}

static void busy_start(uint32_t existing)
{
    struct rollcall_engine_stats stats;
    uint32_t exits;

    runtime_setting("ExistingProcesses", existing);
    driver_begin();
    wait_until_raised();
    stream_open(&stream, "", ROLLCALL_ATTACH_OLDEST);
    stream_read(&stream);
    exits = follow();
    CHECK(exits == runtime_facts().exits, "%u exits, %u were raised", exits, runtime_facts().exits);
    expect_living();
    expect_races();
    tell_later();
    exit_later();
    follow();
    stats = driver_stats();
    CHECK(stats.last_seq == stream.count && stream.lost == 0, "%zu events of %llu", stream.count,
          (unsigned long long)stats.last_seq);
    stream_close(&stream);
    CHECK(driver_stop() == 0, "stop");
}

int main(void)
{
    static const uint32_t existing[] = {0, 1, 500};
    size_t i;

    test_begin("rollcall.sys");
    for (i = 0; i < sizeof(existing) / sizeof(existing[0]); i++)
        quiet_start(existing[i]);
    runtime_setting("StartThreads", THREADS);
    runtime_setting("StartProcesses", EACH);
    runtime_setting("StartRaces", RACES);
    for (i = 0; i < STARTS; i++)
        busy_start(i % 10 == 9 ? 500 : 10);
    return test_end();
}
