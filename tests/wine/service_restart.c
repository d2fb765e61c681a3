/* SPDX-License-Identifier: MIT */
/*
 * The driver first, the service later; the service stopped and started, and killed with events in
 * hand, again and again while processes come and go: its journal has each event once.
 */
#include "tests/wine/service_tools.h"

#include <stdio.h>

#define FIRST_PID 100000u
#define EACH      200u
#define KILLS     10u

static uint32_t next_pid = FIRST_PID;

static void some_processes(uint32_t count)
{
    uint32_t refused = raise_bulk(next_pid, count, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 100);

    CHECK(refused == 0, "%u processes were refused", refused);
    next_pid += 4 * count;
}

static DWORD WINAPI make_processes(void *context)
{
    HANDLE enough = context;

    do
        some_processes(20);
    while (WaitForSingleObject(enough, 10) == WAIT_TIMEOUT);
    return 0;
}

static void kill_again_and_again(void)
{
    HANDLE enough = CreateEventA(NULL, TRUE, FALSE, NULL);
    HANDLE maker = thread_begin(make_processes, enough);

    for (unsigned i = 0; i < KILLS; i++) {
        recorder_kill();
        rollcall_do("service start");
        if (i % 2)
            wait_until_reads("record");
    }
    SetEvent(enough);
    thread_join(maker);
    CloseHandle(enough);
}

int main(void)
{
    const char *journal;
    DWORD error;

    test_begin("rollcall.sys");
    tools_begin();
    journal = tools_journal("restart");
    error = driver_start();
    CHECK(error == 0, "start: %lu", error);
    some_processes(EACH);
    recorder_install(journal);
    rollcall_do("service start");
    wait_until_read("record");
    expect_complete(journal, FIRST_PID, (next_pid - FIRST_PID) / 4);
    rollcall_do("service stop");
    some_processes(EACH);
    rollcall_do("service start");
    wait_until_read("record");
    expect_complete(journal, FIRST_PID, (next_pid - FIRST_PID) / 4);
    kill_again_and_again();
    wait_until_read("record");
    expect_complete(journal, FIRST_PID, (next_pid - FIRST_PID) / 4);
    rollcall_do("service stop");
    return test_end();
}
