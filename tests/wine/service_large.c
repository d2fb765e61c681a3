/* SPDX-License-Identifier: MIT */
/* Records larger than the buffers that librollcall's fetches begin with, between small ones. */
#include "tests/wine/service_tools.h"

#include <rollcall/rollcall.h>

#include <stdio.h>

#define FIRST_PID 400000u
#define PROCESSES 200u
#define LONGEST   32767u /* characters of a command line */

static wchar_t command[LONGEST];

/* Of each process: the longest command line there is, or a short one. */
static size_t length_of(uint32_t pid)
{
    return pid % 3 ? 10 : LONGEST;
}

static void raise_all(void)
{
    for (uint32_t i = 0; i < PROCESSES; i++) {
        uint32_t pid = FIRST_PID + 4 * i;
        struct process process = {.pid = pid,
                                  .ppid = 4,
                                  .creator_pid = 4,
                                  .creator_tid = 8,
                                  .image = L"\\Device\\large.exe",
                                  .command = command,
                                  .command_length = length_of(pid)};

        CHECK(raise_create(&process) == 0, "process %u was refused", pid);
    }
}

static void take(const struct rollcall_event *event, uint32_t *pid)
{
    struct rollcall_string text;

    if (event->type != ROLLCALL_CREATE || event->pid != *pid)
        return;
    CHECK(rollcall_event_text(event, ROLLCALL_COMMAND, &text), "process %u has no command", *pid);
    CHECK(text.size == 3 * length_of(*pid) && text.flags == 0, "process %u: %zu bytes, flags %u",
          *pid, text.size, text.flags);
    *pid += 4;
}

int main(void)
{
    const uint32_t end = FIRST_PID + 4 * PROCESSES;
    DWORD begin = GetTickCount();
    uint32_t pid = FIRST_PID;
    struct rollcall_batch batch;
    struct rollcall *rc;
    DWORD error;

    test_begin("rollcall.sys");
    for (size_t i = 0; i < LONGEST; i++)
        command[i] = 0x20ac;
    error = driver_start();
    CHECK(error == 0, "start: %lu", error);
    if (rollcall_open(NULL, &rc) < 0)
        die("%s", rollcall_error());
    raise_all();
    while (pid < end && GetTickCount() - begin < LIMIT_MS) {
        const struct rollcall_event *event = NULL;
        int n = rollcall_next(rc, 1000, &batch);

        if (n < 0)
            die("%s", rollcall_error());
        while (n > 0 && (event = rollcall_batch_next(&batch, event)))
            take(event, &pid);
        if (n > 0)
            CHECK(rollcall_ack(rc, batch.last_seq) == 0, "%s", rollcall_error());
    }
    CHECK(pid == end, "%u processes have come", (pid - FIRST_PID) / 4);
    rollcall_close(rc);
    return test_end();
}
