/* SPDX-License-Identifier: MIT */
#include "bench/floor.h"

#include "bench/clock.h"
#include "windows/bench/helper.h"
#include "windows/error.h"

#include <errno.h>
#include <string.h>

const struct floor_words floor_words = {
    .name = "an event object", .row = "an event object", .key = "event_object"};

/* What the helper, which sleeps, has in common with who wakes it. */
struct shared {
    HANDLE wake;
    HANDLE awake; /* it has woken up; the first time, it begins to wait */
    size_t count;
    uint64_t ns[]; /* when it was woken, and after that how long it took */
};

int floor_part(void *memory)
{
    struct shared *shared = memory;

    SetEvent(shared->awake);
    for (size_t i = 0; i < shared->count; i++) {
        if (WaitForSingleObject(shared->wake, INFINITE) != WAIT_OBJECT_0)
            return 1;
        shared->ns[i] = bench_now() - shared->ns[i];
        SetEvent(shared->awake);
    }
    return 0;
}

/* An event object that is set twice before somebody wakes up is set once: so each is waited for. */
static int wake(struct shared *shared, HANDLE helper, uint64_t pause_ns)
{
    HANDLE signs[2] = {shared->awake, helper};

    for (size_t i = 0;; i++) {
        if (WaitForMultipleObjects(2, signs, FALSE, INFINITE) != WAIT_OBJECT_0)
            return -ECHILD;
        if (i == shared->count)
            return 0;
        bench_pause(pause_ns);
        shared->ns[i] = bench_now();
        SetEvent(shared->wake);
    }
}

static int run(struct shared *shared, HANDLE memory, uint64_t pause_ns)
{
    HANDLE helper;
    int err = helper_start(L"floor", memory, &helper);

    if (err < 0)
        return err;
    err = wake(shared, helper, pause_ns);
    helper_end(helper);
    return err;
}

int floor_measure(uint64_t *ns, size_t count, uint64_t pause_ns)
{
    HANDLE memory;
    struct shared *shared = helper_memory(sizeof(*shared) + count * sizeof(*ns), &memory);
    int err;

    if (!shared)
        return -error_number(GetLastError());
    shared->count = count;
    shared->wake = helper_event();
    shared->awake = helper_event();
    err = shared->wake && shared->awake ? run(shared, memory, pause_ns)
                                        : -error_number(GetLastError());
    memcpy(ns, shared->ns, count * sizeof(*ns));
    if (shared->wake)
        CloseHandle(shared->wake);
    if (shared->awake)
        CloseHandle(shared->awake);
    UnmapViewOfFile(shared);
    CloseHandle(memory);
    return err;
}
