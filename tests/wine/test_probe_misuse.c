/* SPDX-License-Identifier: MIT */
/* Each misuse, committed once, is reported by its name, and nothing else is. */
#include "tests/wine/lib/test.h"
#include "tests/wine/probe/probe.h"

#include <stdio.h>

static const char *const kinds[PROBE_MISUSES] = {
    [PROBE_COMPLETED_TWICE] = "completed-twice",
    [PROBE_TOUCHED] = "touched-after-completion",
    [PROBE_WRONG_HANDLE] = "wrong-handle",
    [PROBE_NULL_HANDLE] = "null-handle",
    [PROBE_NOT_A_HANDLE] = "not-a-handle",
    [PROBE_STALE_HANDLE] = "stale-handle",
    [PROBE_WITH_LOCK] = "completed-with-lock",
    [PROBE_LOCK_KEPT] = "lock-kept",
    [PROBE_LOCK_NOT_HELD] = "lock-not-held",
    [PROBE_IRQL] = "irql",
    [PROBE_STRUCT_SIZE] = "struct-size",
    [PROBE_BUFFER_OVERRUN] = "buffer-overrun",
    [PROBE_BUFFER_AFTER] = "buffer-after-completion",
    [PROBE_INFORMATION] = "information",
    [PROBE_OUTPUT_UNSET] = "output-unset",
    [PROBE_NOT_OWNER] = "not-owner",
    [PROBE_COMPLETED_CANCELABLE] = "completed-cancelable",
    [PROBE_CONTEXT_OVERRUN] = "context-overrun",
    [PROBE_NO_CONTEXT] = "no-context",
    [PROBE_OVER_DEREFERENCED] = "over-dereferenced",
    [PROBE_UNDELETABLE] = "undeletable",
    [PROBE_POOL_OVERRUN] = "pool-overrun",
    [PROBE_POOL_TWICE] = "pool-freed-twice",
    [PROBE_POOL_TAG] = "pool-tag",
    [PROBE_POOL_EXECUTABLE] = "pool-executable",
    [PROBE_POOL_AFTER_FREE] = "pool-after-free",
    [PROBE_NOT_A_PROCESS] = "not-a-process",
    [PROBE_PROCESS_OVER] = "over-dereferenced",
    [PROBE_WAITS_IN_CALLBACK] = "waits-in-callback",
    [PROBE_OBJECT_LEAK] = "object-leak",
    [PROBE_POOL_LEAK] = "pool-leak",
    [PROBE_PROCESS_LEAK] = "process-leak",
    [PROBE_TOKEN_LEAK] = "token-leak",
    [PROBE_NOTIFY_LEAK] = "notify-leak",
};

static void commit(uint32_t misuse)
{
    HANDLE device = device_open(PROBE_PATH, GENERIC_READ | GENERIC_WRITE);
    char out[64];
    DWORD error;

    error = request(device, PROBE_MISUSE, &misuse, sizeof(misuse), out, sizeof(out), NULL);
    CHECK(error == 0, "%s: %lu", kinds[misuse], error);
    /* The next request of this thread is served when the driver has come back from that one. */
    error = request(device, PROBE_ECHO, "", 1, out, sizeof(out), NULL);
    CHECK(error == 0, "%s: %lu", kinds[misuse], error);
    CloseHandle(device);
}

int main(void)
{
    DWORD error;
    uint32_t i;

    test_begin("probe.sys");
    for (i = 0; i < PROBE_MISUSES; i++) {
        if (i == 0 || i >= PROBE_MISUSES_NOW) {
            error = driver_start();
            CHECK(error == 0, "start: %lu", error);
        }
        commit(i);
        if (i == PROBE_MISUSES_NOW - 1 || i >= PROBE_MISUSES_NOW) {
            error = driver_stop();
            CHECK(error == 0, "stop: %lu", error);
        }
        expect_report(kinds[i]);
    }
    printf("%d misuses\n", PROBE_MISUSES);
    return test_end();
}
