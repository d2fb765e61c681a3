/* SPDX-License-Identifier: MIT */
/*
 * The recorder told to end: by a stop, by the shutdown of the machine with events that wait, and
 * then with a disk that is full. Windows sends a shutdown only itself, so the service control
 * manager is played here: what recorder.c asks of it comes to these functions.
 */
#include "tests/wine/service_tools.h"
#include "windows/program/stop.h"
#include "windows/service/recorder.h"

#include <sqlite3.h>

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define FIRST_PID    100000u
#define EACH         500u
#define FAILURES     200u
#define ALLOWED_MS   20000u /* what Windows gives the recorder, as it was installed */
#define STATES_MAX   16u
#define NAME_OPTION  "--name=record"
#define QUIET_OPTION "--quiet"

static LPHANDLER_FUNCTION_EX handler;
static HANDLE running;  /* signalled by RUNNING */
static HANDLE finished; /* and by STOPPED */
static SERVICE_STATUS states[STATES_MAX];
static unsigned state_count;
static uint32_t next_pid = FIRST_PID;

/* ---- the service control manager ---- */

static DWORD WINAPI serve(void *table)
{
    ((const SERVICE_TABLE_ENTRYW *)table)->lpServiceProc(0, NULL);
    return 0;
}

static BOOL WINAPI dispatch(const SERVICE_TABLE_ENTRYW *table)
{
    HANDLE thread = thread_begin(serve, (void *)(uintptr_t)table);

    thread_join(thread);
    return TRUE;
}

static SERVICE_STATUS_HANDLE WINAPI take_handler(LPCWSTR name, LPHANDLER_FUNCTION_EX function,
                                                 void *context)
{
    (void)name, (void)context;
    handler = function;
    return (SERVICE_STATUS_HANDLE)&states;
}

static BOOL WINAPI take_status(SERVICE_STATUS_HANDLE handle, SERVICE_STATUS *status)
{
    CHECK(handle == (SERVICE_STATUS_HANDLE)&states, "another handle");
    if (state_count < STATES_MAX)
        states[state_count++] = *status;
    if (status->dwCurrentState == SERVICE_RUNNING)
        SetEvent(running);
    if (status->dwCurrentState == SERVICE_STOPPED)
        SetEvent(finished);
    return TRUE;
}

/* What a program calls of a library it calls through such a pointer. */
typedef BOOL WINAPI dispatcher(const SERVICE_TABLE_ENTRYW *table);
typedef SERVICE_STATUS_HANDLE WINAPI registrar(LPCWSTR name, LPHANDLER_FUNCTION_EX function,
                                               void *context);
typedef BOOL WINAPI status_taker(SERVICE_STATUS_HANDLE handle, SERVICE_STATUS *status);

dispatcher *fake_dispatch __asm__("__imp_StartServiceCtrlDispatcherW") = dispatch;
registrar *fake_register __asm__("__imp_RegisterServiceCtrlHandlerExW") = take_handler;
status_taker *fake_set __asm__("__imp_SetServiceStatus") = take_status;

/* ---- the disk ---- */

static volatile bool disk_full;
static const sqlite3_io_methods *real_methods;
static int (*real_open)(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                        int *out_flags);

static int write_file(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
    return disk_full ? SQLITE_FULL : real_methods->xWrite(file, data, size, at);
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *out_flags)
{
    static sqlite3_io_methods methods;
    int error = real_open(vfs, name, file, flags, out_flags);

    if (error == SQLITE_OK && file->pMethods) {
        real_methods = file->pMethods;
        methods = *real_methods;
        methods.xWrite = write_file;
        file->pMethods = &methods;
    }
    return error;
}

/* SQLite's own files are all opened through this from here on. */
static void take_disk(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

    real_open = vfs->xOpen;
    vfs->xOpen = open_file;
}

/* ---- the recorder ---- */

static DWORD WINAPI record(void *journal)
{
    char *arguments[] = {(char[]){"record"}, (char[]){QUIET_OPTION}, (char[]){NAME_OPTION}, journal,
                         NULL};

    return (DWORD)recorder_run(4, arguments);
}

static HANDLE begin(const char *journal)
{
    HANDLE thread;

    state_count = 0;
    ResetEvent(running);
    ResetEvent(finished);
    stop_forget();
    optind = 0;
    thread = thread_begin(record, (void *)(uintptr_t)journal);
    if (WaitForSingleObject(running, LIMIT_MS) != WAIT_OBJECT_0)
        die("the recorder does not run");
    return thread;
}

/* Tells it so, and waits for its end. Returns the milliseconds that took. */
static DWORD end(HANDLE thread, DWORD control)
{
    DWORD begun = GetTickCount();

    CHECK(handler(control, 0, NULL, NULL) == NO_ERROR, "control %lu", control);
    if (WaitForSingleObject(finished, 2 * LIMIT_MS) != WAIT_OBJECT_0)
        die("control %lu: the recorder does not end", control);
    thread_join(thread);
    return GetTickCount() - begun;
}

/* RUNNING, STOP_PENDING with a hint that is long enough, STOPPED; nothing else. */
static void expect_states(DWORD took_ms)
{
    CHECK(state_count == 3, "%u states", state_count);
    CHECK(states[0].dwCurrentState == SERVICE_RUNNING, "%lu", states[0].dwCurrentState);
    CHECK(states[0].dwControlsAccepted ==
              (SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN | SERVICE_ACCEPT_PRESHUTDOWN),
          "accepts %lx", states[0].dwControlsAccepted);
    CHECK(states[1].dwCurrentState == SERVICE_STOP_PENDING, "%lu", states[1].dwCurrentState);
    CHECK(states[1].dwWaitHint >= took_ms, "%lu ms, it took %lu", states[1].dwWaitHint, took_ms);
    CHECK(states[2].dwCurrentState == SERVICE_STOPPED, "%lu", states[2].dwCurrentState);
    CHECK(states[2].dwWin32ExitCode == NO_ERROR, "%lu", states[2].dwWin32ExitCode);
}

static void some_processes(void)
{
    raise_bulk(next_pid, EACH, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 100);
    next_pid += 4 * EACH;
}

/* ---- the cases ---- */

static void stopped(const char *journal)
{
    HANDLE thread = begin(journal);

    some_processes();
    wait_until_read("record");
    expect_states(end(thread, SERVICE_CONTROL_STOP));
    expect_complete(journal, FIRST_PID, EACH);
}

/* It fails by itself at the moment when it is told to end: after the end it says nothing. */
static void failed(const char *directory)
{
    for (unsigned i = 0; i < FAILURES; i++) {
        HANDLE thread = begin(directory);

        handler(SERVICE_CONTROL_STOP, 0, NULL, NULL);
        WaitForSingleObject(finished, LIMIT_MS);
        handler(SERVICE_CONTROL_STOP, 0, NULL, NULL);
        thread_join(thread);
        CHECK(state_count > 1 && states[state_count - 1].dwCurrentState == SERVICE_STOPPED,
              "%u: state %lu is the last", i, states[state_count - 1].dwCurrentState);
        CHECK(states[state_count - 1].dwWin32ExitCode == ERROR_SERVICE_SPECIFIC_ERROR &&
                  states[state_count - 1].dwServiceSpecificExitCode == 1,
              "%u: it ended with %lu", i, states[state_count - 1].dwWin32ExitCode);
    }
}

/* What waits when the machine shuts down is stored. */
static void shut_down(const char *journal)
{
    HANDLE thread = begin(journal);

    wait_until_read("record");
    some_processes();
    expect_states(end(thread, SERVICE_CONTROL_PRESHUTDOWN));
    expect_complete(journal, FIRST_PID, (next_pid - FIRST_PID) / 4);
}

/* And when the disk is full it ends in time all the same, and loses nothing. */
static void shut_down_full(const char *journal)
{
    HANDLE thread = begin(journal);
    DWORD took_ms;

    wait_until_read("record");
    disk_full = true;
    some_processes();
    took_ms = end(thread, SERVICE_CONTROL_SHUTDOWN);
    disk_full = false;
    CHECK(took_ms < ALLOWED_MS, "it took %lu ms", took_ms);
    expect_states(took_ms);
    CHECK(journal_ask(journal, "SELECT count(*) FROM events WHERE type = 1") <
              (next_pid - FIRST_PID) / 4,
          "the disk was not full");
    thread = begin(journal);
    wait_until_read("record");
    end(thread, SERVICE_CONTROL_STOP);
    expect_complete(journal, FIRST_PID, (next_pid - FIRST_PID) / 4);
}

int main(void)
{
    const char *journal;
    char directory[MAX_PATH];
    DWORD error;

    test_begin("rollcall.sys");
    tools_begin();
    running = CreateEventA(NULL, TRUE, FALSE, NULL);
    finished = CreateEventA(NULL, TRUE, FALSE, NULL);
    take_disk();
    journal = tools_journal("shutdown");
    snprintf(directory, sizeof(directory), "%.*s", (int)(strrchr(journal, '\\') - journal),
             journal);
    error = driver_start();
    CHECK(error == 0, "start: %lu", error);
    stopped(journal);
    failed(directory);
    shut_down(journal);
    shut_down_full(journal);
    return test_end();
}
