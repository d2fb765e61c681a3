/* SPDX-License-Identifier: MIT */
/* Correct use of what the runtime has: nothing is reported, and it does what it is documented to. */
#include "tests/wine/lib/test.h"
#include "tests/wine/probe/probe.h"

#include <string.h>

#define PENDED 100

static struct probe_counts counts_get(HANDLE device)
{
    struct probe_counts counts;
    DWORD bytes, error;

    memset(&counts, 0, sizeof(counts));
    error = request(device, PROBE_COUNTS, NULL, 0, &counts, sizeof(counts), &bytes);
    CHECK(error == 0 && bytes == sizeof(counts), "%lu, %lu bytes", error, bytes);
    return counts;
}

/* What happens on another thread of the driver is waited for. */
static void wait_closes(HANDLE device, uint32_t closes)
{
    DWORD begin = GetTickCount();

    while (counts_get(device).closes < closes && GetTickCount() - begin < LIMIT_MS)
        Sleep(1);
    CHECK(counts_get(device).closes == closes, "%u closes", counts_get(device).closes);
}

static void echoes(HANDLE device)
{
    char in[300], out[300];
    DWORD size, bytes, error;

    memset(in, 'e', sizeof(in));
    for (size = 1; size <= sizeof(in); size++) {
        memset(out, 0, sizeof(out));
        error = request(device, PROBE_ECHO, in, size, out, sizeof(out), &bytes);
        CHECK(error == 0 && bytes == size && memcmp(in, out, size) == 0, "%lu: %lu", size, error);
        CHECK(size == sizeof(out) || out[size] == 0, "more than %lu bytes", size);
    }
    error = request(device, PROBE_ECHO, in, 20, out, 19, &bytes);
    CHECK(error == ERROR_INSUFFICIENT_BUFFER, "%lu", error);
    error = request(device, PROBE_ECHO, NULL, 0, out, 19, &bytes);
    CHECK(error == ERROR_INSUFFICIENT_BUFFER, "%lu", error);
    error = request(device, PROBE_RAW, in, 20, out, 20, &bytes);
    CHECK(error == ERROR_INVALID_FUNCTION, "no buffers with METHOD_NEITHER: %lu", error);
}

static void pended(HANDLE device)
{
    static struct pended sent[PENDED];
    uint32_t found;
    int i;

    for (i = 0; i < PENDED; i++) {
        pended_send(&sent[i], device, PROBE_PEND, NULL, 0, NULL, 0);
        CHECK(sent[i].error == ERROR_IO_PENDING, "%lu", sent[i].error);
    }
    /* The oldest first. */
    for (i = 0; i < PENDED / 2; i++) {
        request(device, PROBE_RELEASE, NULL, 0, &found, sizeof(found), NULL);
        CHECK(found == 1 && pended_wait(&sent[i], NULL) == 0, "%d", i);
    }
    CHECK(!pended_done(&sent[i]), "too many are released");
    CHECK(CancelIoEx(device, &sent[i].overlapped), "%lu", GetLastError());
    CHECK(pended_wait(&sent[i], NULL) == ERROR_OPERATION_ABORTED, "canceled");
    CHECK(CancelIoEx(device, NULL), "%lu", GetLastError());
    for (i++; i < PENDED; i++)
        CHECK(pended_wait(&sent[i], NULL) == ERROR_OPERATION_ABORTED, "%d", i);
    CHECK(counts_get(device).canceled_on_queue == PENDED / 2, "%u",
          counts_get(device).canceled_on_queue);
    request(device, PROBE_RELEASE, NULL, 0, &found, sizeof(found), NULL);
    CHECK(found == 0, "none is left");
}

static void marked(HANDLE device)
{
    struct pended sent;

    pended_send(&sent, device, PROBE_MARK, NULL, 0, NULL, 0);
    CHECK(sent.error == ERROR_IO_PENDING, "%lu", sent.error);
    CancelIoEx(device, &sent.overlapped);
    CHECK(pended_wait(&sent, NULL) == ERROR_OPERATION_ABORTED, "canceled");
    CHECK(counts_get(device).cancel_routines == 1, "%u", counts_get(device).cancel_routines);
}

static void purged(HANDLE device)
{
    struct probe_counts before = counts_get(device);
    struct pended sent;
    uint32_t found;

    pended_send(&sent, device, PROBE_PEND, NULL, 0, NULL, 0);
    request(device, PROBE_PURGE, NULL, 0, NULL, 0, NULL);
    CHECK(pended_wait(&sent, NULL) == ERROR_OPERATION_ABORTED, "purged");
    CHECK(counts_get(device).purged == before.purged + 1, "the driver is told once");
    pended_send(&sent, device, PROBE_PEND, NULL, 0, NULL, 0);
    request(device, PROBE_RELEASE, NULL, 0, &found, sizeof(found), NULL);
    CHECK(found == 1 && pended_wait(&sent, NULL) == 0, "the queue was started again");
}

/* The last handle is closed with a request in the queue: it is canceled between clean-up and
 * close. */
static void closed(HANDLE device)
{
    struct probe_counts before = counts_get(device);
    HANDLE another = device_open(PROBE_PATH, GENERIC_READ | GENERIC_WRITE);
    struct pended sent;

    pended_send(&sent, another, PROBE_PEND, NULL, 0, NULL, 0);
    CHECK(sent.error == ERROR_IO_PENDING, "%lu", sent.error);
    CloseHandle(another);
    CHECK(WaitForSingleObject(sent.overlapped.hEvent, LIMIT_MS) == WAIT_OBJECT_0, "completed");
    wait_closes(device, before.closes + 1);
    CHECK(counts_get(device).cleanups == before.cleanups + 1, "one clean-up");
    CHECK(counts_get(device).canceled_on_queue == before.canceled_on_queue + 1, "canceled");
    CloseHandle(sent.overlapped.hEvent);
}

static void processes(HANDLE device)
{
    CHECK(raise_pid(1000) == 0, "created");
    CHECK(raise_pid(1002) == 0xC0000022u, "refused");
    raise_exit(1000, 5);
    CHECK(raise_bulk(2000, 10000, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 20) == 0, "refused");
    CHECK(counts_get(device).created == 10002, "%u", counts_get(device).created);
    CHECK(counts_get(device).exited == 10002, "%u", counts_get(device).exited);
    CHECK(counts_get(device).strangers == 0, "%u", counts_get(device).strangers);
}

static DWORD WINAPI create_children(void *context)
{
    uint32_t pid = *(const uint32_t *)context, i;

    for (i = 0; i < 300; i++)
        raise_create(&(struct process){.pid = pid + 4 * i, .ppid = GetCurrentProcessId()});
    return 0;
}

/* A process of Wine creates some on several threads, each of which refers to it for a while. */
static void children_of_this_process(HANDLE device)
{
    uint32_t pids[4], strangers = counts_get(device).strangers, i;
    HANDLE threads[4];

    for (i = 0; i < 4; i++) {
        pids[i] = 200000 + 10000 * i;
        threads[i] = thread_begin(create_children, &pids[i]);
    }
    for (i = 0; i < 4; i++)
        thread_join(threads[i]);
    CHECK(counts_get(device).strangers == strangers, "%u", counts_get(device).strangers);
}

/* Its creation was not told when it was listed; refused, and its exit is not told. */
static void kinds_of_processes(HANDLE device)
{
    struct probe_counts before = counts_get(device);
    struct process process = {.pid = 5000, .ppid = 8, .image = L"a"};
    uint64_t key;

    CHECK(raise_create(&process) == 0, "created");
    key = runtime_start_key(5000);
    process.flags = CONTROL_LISTED;
    CHECK(raise_create(&process) == 0 && runtime_start_key(5000) == key, "the same one");
    process.flags = 0;
    CHECK(raise_create(&process) == 0 && runtime_start_key(5000) > key, "another one");
    raise_exit(5000, 0);
    CHECK(runtime_start_key(5000) == 0, "nobody");
    process.pid = 5002;
    process.flags = CONTROL_NO_EXIT;
    CHECK(raise_create(&process) != 0 && runtime_start_key(5002) == 0, "refused");
    CHECK(counts_get(device).created == before.created + 4, "%u", counts_get(device).created);
    CHECK(counts_get(device).exited == before.exited + 1, "%u", counts_get(device).exited);
}

static void failing_allocation(void)
{
    char out[4];
    uint32_t n = 1;

    runtime_fail_allocation(2);
    CHECK(runtime_facts().fail_in == 2, "%u", runtime_facts().fail_in);
    while (runtime_facts().fail_in > 0 && n++ < 10) {
        HANDLE device = device_open(PROBE_PATH, GENERIC_READ | GENERIC_WRITE);

        request(device, PROBE_ECHO, "x", 1, out, sizeof(out), NULL);
        CloseHandle(device);
    }
    CHECK(runtime_facts().fail_in == 0, "%u", runtime_facts().fail_in);
    runtime_fail_allocation(0);
}

/* Processes that the runtime raises by itself from before the start on. */
static void raised_at_start(void)
{
    uint32_t pids[1024], alive;
    struct control_facts facts;
    HANDLE device;
    DWORD begin;

    runtime_setting("StartThreads", 3);
    runtime_setting("StartProcesses", 50);
    CHECK(driver_start() == 0, "start");
    begin = GetTickCount();
    while ((facts = runtime_facts()).raising > 0 && GetTickCount() - begin < LIMIT_MS)
        Sleep(1);
    device = device_open(PROBE_PATH, GENERIC_READ | GENERIC_WRITE);
    CHECK(facts.raising == 0 && facts.creations >= 150 && facts.exits >= 75, "%u, %u, %u",
          facts.raising, facts.creations, facts.exits);
    CHECK(counts_get(device).created == facts.creations, "%u, %u", counts_get(device).created,
          facts.creations);
    CHECK(counts_get(device).exited == facts.exits, "%u, %u", counts_get(device).exited,
          facts.exits);
    alive = (uint32_t)runtime_pids(pids, 1024);
    CHECK(alive >= 1 + 75, "%u live", alive);
    CloseHandle(device);
    CHECK(driver_stop() == 0, "stop");
}

int main(void)
{
    struct control_facts facts;
    HANDLE device;
    DWORD error;
    int i;

    test_begin("probe.sys");
    for (i = 0; i < 3; i++) {
        error = driver_start();
        CHECK(error == 0, "start: %lu", error);
        facts = runtime_facts();
        CHECK(facts.notify == 1 && (facts.characteristics & 0x100) != 0, "%u, %x", facts.notify,
              facts.characteristics);
        CHECK(wcscmp((const wchar_t *)facts.sddl, L"D:P(A;;GA;;;SY)(A;;GA;;;BA)") == 0, "%ls",
              (const wchar_t *)facts.sddl);
        device = device_open(PROBE_PATH, GENERIC_READ | GENERIC_WRITE);
        echoes(device);
        pended(device);
        marked(device);
        purged(device);
        closed(device);
        processes(device);
        kinds_of_processes(device);
        children_of_this_process(device);
        CloseHandle(device);
        failing_allocation();
        error = driver_stop();
        CHECK(error == 0, "stop: %lu", error);
    }
    raised_at_start();
    return test_end();
}
