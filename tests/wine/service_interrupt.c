/* SPDX-License-Identifier: MIT */
/* rollcall_interrupt(): who waits comes back, who does not yet wait is told when it does, each time and once. */
#include "tests/wine/service_tools.h"

#include <rollcall/rollcall.h>

#include <errno.h>

#define TIMES 200u

static HANDLE seen;

static DWORD WINAPI send_many(void *context)
{
    for (unsigned i = 0; i < TIMES; i++) {
        rollcall_interrupt(context);
        if (WaitForSingleObject(seen, LIMIT_MS) != WAIT_OBJECT_0)
            return 1;
    }
    return 0;
}

static void by_thread(struct rollcall *rc)
{
    struct rollcall_batch batch;
    HANDLE thread = CreateThread(NULL, 0, send_many, rc, 0, NULL);
    DWORD result = 1;

    CHECK(thread != NULL, "a thread: %lu", GetLastError());
    for (unsigned i = 0; i < TIMES; i++) {
        int n = rollcall_next(rc, -1, &batch);

        CHECK(n == -EINTR, "interruption %u: %d", i, n);
        SetEvent(seen);
    }
    WaitForSingleObject(thread, LIMIT_MS);
    GetExitCodeThread(thread, &result);
    CloseHandle(thread);
    CHECK(result == 0, "one was not seen");
}

static void before(struct rollcall *rc)
{
    struct rollcall_batch batch;

    rollcall_interrupt(rc);
    rollcall_interrupt(rc);
    CHECK(rollcall_next(rc, -1, &batch) == -EINTR, "it waits");
    CHECK(rollcall_next(rc, 0, &batch) == 0, "it came twice");
    rollcall_interrupt(rc);
    CHECK(rollcall_next(rc, 0, &batch) == -EINTR, "who does not wait is not told");
}

static void interrupt(uint32_t flags)
{
    const struct rollcall_options opts = {.struct_size = sizeof(opts), .flags = flags};
    struct rollcall *rc;

    if (rollcall_open(&opts, &rc) < 0)
        die("%s", rollcall_error());
    if (!(flags & ROLLCALL_SPIN))
        by_thread(rc);
    before(rc);
    rollcall_close(rc);
}

int main(void)
{
    DWORD error;

    test_begin("rollcall.sys");
    tools_begin();
    seen = CreateEventW(NULL, FALSE, FALSE, NULL);
    error = driver_start();
    CHECK(error == 0, "start: %lu", error);
    interrupt(0);
    interrupt(ROLLCALL_SPIN);
    CloseHandle(seen);
    return test_end();
}
