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
        CloseHandle(device);
        error = driver_stop();
        CHECK(error == 0, "stop: %lu", error);
    }
    return test_end();
}
