/* SPDX-License-Identifier: MIT */
#include "windows/service/recorder.h"

#include "cli/command.h"
#include "program/complain.h"
#include "windows/program/stop.h"
#include "windows/service/handling.h"
#include "windows/service/log.h"
#include "windows/service/names.h"

#include <windows.h>

#include <getopt.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Each batch is on the disk before it is acknowledged, so ending takes as long as storing one: a
 * second if another program has locked the journal; handlers end within some seconds. At shutdown
 * what waits is stored as well. */
#define STOP_HINT_MS  10000
#define DRAIN_MS      5000
#define DRAIN_HINT_MS 10000

/* Set by the service's main thread before the handler is registered, read by both. */
static SERVICE_STATUS_HANDLE handle;
static struct {
    int argc;
    char **argv;
} given;
static atomic_bool shutting_down;

/* The handler is called in another thread: after the end there is nothing to say any more. */
static void report(DWORD state, DWORD hint_ms, int status)
{
    static SRWLOCK lock = SRWLOCK_INIT;
    static bool running;
    SERVICE_STATUS now = {
        .dwServiceType = SERVICE_WIN32_OWN_PROCESS,
        .dwCurrentState = state,
        .dwWaitHint = hint_ms,
    };

    if (state == SERVICE_RUNNING)
        now.dwControlsAccepted =
            SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN | SERVICE_ACCEPT_PRESHUTDOWN;
    if (status != EXIT_OK) {
        now.dwWin32ExitCode = ERROR_SERVICE_SPECIFIC_ERROR;
        now.dwServiceSpecificExitCode = (DWORD)status;
    }
    AcquireSRWLockExclusive(&lock);
    running |= state == SERVICE_RUNNING;
    if (running)
        SetServiceStatus(handle, &now);
    running &= state != SERVICE_STOPPED;
    ReleaseSRWLockExclusive(&lock);
}

static DWORD WINAPI on_control(DWORD control, DWORD type, void *data, void *context)
{
    (void)type, (void)data, (void)context;
    switch (control) {
    case SERVICE_CONTROL_SHUTDOWN:
    case SERVICE_CONTROL_PRESHUTDOWN:
        atomic_store(&shutting_down, true);
        report(SERVICE_STOP_PENDING, DRAIN_HINT_MS, EXIT_OK);
        stop_ask();
        return NO_ERROR;
    case SERVICE_CONTROL_STOP:
        report(SERVICE_STOP_PENDING, STOP_HINT_MS, EXIT_OK);
        stop_ask();
        return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE:
        return NO_ERROR;
    default:
        return ERROR_CALL_NOT_IMPLEMENTED;
    }
}

static void log_complaint(const char *text)
{
    log_write(MESSAGE_TROUBLE, text);
}

static void CALLBACK on_time(void *context, BOOLEAN fired)
{
    (void)context, (void)fired;
    stop_ask();
}

/* What is in the driver is gone when the machine is off: it is stored as far as time allows, also
 * when the journal cannot be written just now. */
static void drain(void)
{
    static char name[] = "record";
    static char idle[] = "--until-idle";
    char *argv[64] = {name, idle};
    HANDLE timer = NULL;
    int argc = 2;

    for (int i = 1; i < given.argc && argc < 63; i++)
        argv[argc++] = given.argv[i];
    stop_forget();
    if (!CreateTimerQueueTimer(&timer, NULL, on_time, NULL, DRAIN_MS, 0, WT_EXECUTEONLYONCE))
        return;
    optind = 0;
    command_record(argc, argv);
    DeleteTimerQueueTimer(NULL, timer, INVALID_HANDLE_VALUE);
}

static void WINAPI service_main(DWORD argc, wchar_t **argv)
{
    struct handlers *handlers;
    char text[16];
    int status;

    (void)argc, (void)argv;
    handle = RegisterServiceCtrlHandlerExW(RECORDER_SERVICE, on_control, NULL);
    if (!handle)
        return;
    complain_to(log_complaint);
    report(SERVICE_RUNNING, 0, EXIT_OK);
    log_write(MESSAGE_RUNNING, given.argv[given.argc - 1]);
    handlers = handling_begin();
    status = command_record(given.argc, given.argv);
    handlers_free(handlers);
    if (status == EXIT_OK && atomic_load(&shutting_down))
        drain();
    snprintf(text, sizeof(text), "%d", status);
    if (status == EXIT_OK)
        log_write(MESSAGE_STOPPED, NULL);
    else
        log_write(MESSAGE_FAILED, text);
    report(SERVICE_STOPPED, 0, status);
}

int recorder_run(int argc, char **argv)
{
    static wchar_t name[] = RECORDER_SERVICE;
    const SERVICE_TABLE_ENTRYW table[] = {{name, service_main}, {NULL, NULL}};

    given.argc = argc;
    given.argv = argv;
    if (StartServiceCtrlDispatcherW(table))
        return EXIT_OK;
    complain("only the service control manager runs this: use `rollcall service start`, or "
             "`rollcall record`");
    return EXIT_FAIL;
}
