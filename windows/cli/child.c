/* SPDX-License-Identifier: MIT */
#include "cli/child.h"

#include "program/signals.h"
#include "windows/cli/command_line.h"
#include "windows/error.h"
#include "windows/program/stop.h"

#include <windows.h>

#include <errno.h>
#include <stdlib.h>

static int failure_status = EXIT_CANNOT_RUN;

int child_start(struct child *child, char **command, const char **failure)
{
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process;
    wchar_t *line = command_line_from(command);
    DWORD error;
    int err = signals_install();

    if (!line || err < 0) {
        free(line);
        return line ? err : -ENOMEM;
    }
    stop_ignore();
    if (CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process)) {
        CloseHandle(process.hThread);
        child->pid = process.dwProcessId;
        child->process = (intptr_t)process.hProcess;
    } else {
        error = GetLastError();
        *failure = error_text(error);
        failure_status = error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND
                             ? EXIT_NOT_FOUND
                             : EXIT_CANNOT_RUN;
        child->process = 0;
    }
    free(line);
    return 0;
}

bool child_exited(const struct child *child)
{
    return WaitForSingleObject((HANDLE)child->process, 0) == WAIT_OBJECT_0;
}

int child_wait(const struct child *child, bool exited, struct rollcall *rc, int timeout_ms)
{
    HANDLE waits[3] = {rollcall_handle(rc), stop_event(), (HANDLE)child->process};

    WaitForMultipleObjects(exited ? 2 : 3, waits, FALSE,
                           timeout_ms < 0 ? INFINITE : (DWORD)timeout_ms);
    return 0;
}

int child_status(struct child *child)
{
    HANDLE process = (HANDLE)child->process;
    DWORD status = EXIT_OURS;

    if (!process)
        return failure_status;
    WaitForSingleObject(process, INFINITE);
    GetExitCodeProcess(process, &status);
    CloseHandle(process);
    return (int)status;
}
