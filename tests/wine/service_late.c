/* SPDX-License-Identifier: MIT */
/*
 * Two consumers, one of which is held for 30 seconds: the other gets each event meanwhile, and the
 * late one all of them afterwards.
 */
#include "tests/wine/service_tools.h"

#include <rollcall/rollcall.h>

#include <winternl.h>

#include <stdio.h>

#define FIRST_PID 200000u
#define ROUNDS    300u
#define ROUND_MS  100u

NTSTATUS NTAPI NtSuspendProcess(HANDLE process);
NTSTATUS NTAPI NtResumeProcess(HANDLE process);

/* Reads until the end of this process. */
static void read_exit(struct rollcall *rc, uint32_t pid, uint64_t *next)
{
    DWORD begin = GetTickCount();
    struct rollcall_batch batch;
    bool found = false;

    while (!found && GetTickCount() - begin < LIMIT_MS) {
        const struct rollcall_event *event = NULL;
        int n = rollcall_next(rc, 1000, &batch);

        if (n < 0)
            die("%s", rollcall_error());
        if (n == 0)
            continue;
        CHECK(*next == 0 || batch.first_seq == *next, "event %llu follows %llu",
              (unsigned long long)batch.first_seq, (unsigned long long)*next - 1);
        *next = batch.last_seq + 1;
        while ((event = rollcall_batch_next(&batch, event)))
            found |= event->type == ROLLCALL_EXIT && event->pid == pid;
        CHECK(rollcall_ack(rc, batch.last_seq) == 0, "%s", rollcall_error());
    }
    CHECK(found, "the end of process %u has not come", pid);
}

int main(void)
{
    char arguments[MAX_PATH + 64];
    struct rollcall *rc;
    const char *journal;
    uint64_t next = 0;
    HANDLE late;
    DWORD error;

    test_begin("rollcall.sys");
    tools_begin();
    journal = tools_journal("late");
    error = driver_start();
    CHECK(error == 0, "start: %lu", error);
    snprintf(arguments, sizeof(arguments), "record --quiet --name late \"%s\"", journal);
    late = rollcall_begin(arguments);
    wait_until_read("late");
    if (rollcall_open(NULL, &rc) < 0)
        die("%s", rollcall_error());
    NtSuspendProcess(late);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        raise_bulk(FIRST_PID + 4 * i, 1, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 100);
        read_exit(rc, FIRST_PID + 4 * i, &next);
        Sleep(ROUND_MS); /* so that it is 30 seconds */
    }
    rollcall_close(rc);
    CHECK(journal_ask(journal, "SELECT count(*) FROM events WHERE type = 1") == 0,
          "the late one was not held");
    NtResumeProcess(late);
    wait_until_read("late");
    expect_complete(journal, FIRST_PID, ROUNDS);
    TerminateProcess(late, 0);
    WaitForSingleObject(late, LIMIT_MS);
    CloseHandle(late);
    return test_end();
}
