/* SPDX-License-Identifier: MIT */
#include "windows/bench/helper.h"

#include "windows/error.h"
#include "windows/service/paths.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MARK L"bench-helper"

static const struct {
    const wchar_t *name;
    helper_part *run;
} parts[] = {{L"work", work_part}, {L"floor", floor_part}};

/* ---- in the process that measures ---- */

static SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};

void *helper_memory(size_t size, HANDLE *memory)
{
    void *here;

    *memory = CreateFileMappingW(INVALID_HANDLE_VALUE, &inherited, PAGE_READWRITE,
                                 (DWORD)((uint64_t)size >> 32), (DWORD)size, NULL);
    if (!*memory)
        return NULL;
    here = MapViewOfFile(*memory, FILE_MAP_ALL_ACCESS, 0, 0, 0);
    if (!here)
        CloseHandle(*memory);
    return here;
}

HANDLE helper_event(void)
{
    return CreateEventW(&inherited, FALSE, FALSE, NULL);
}

int helper_start(const wchar_t *part, HANDLE memory, HANDLE *process)
{
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION started;
    HANDLE here = GetCurrentProcess();
    HANDLE self = NULL;
    wchar_t *program = paths_program();
    wchar_t line[96];
    int err = 0;

    if (!program)
        return -ENOMEM;
    DuplicateHandle(here, here, here, &self, SYNCHRONIZE, TRUE, 0);
    _snwprintf(line, sizeof(line) / sizeof(*line), L"rollcall " MARK L" %ls %llx %llx", part,
               (unsigned long long)(uintptr_t)memory, (unsigned long long)(uintptr_t)self);
    /* Without our console: what asks us to end is not for it. */
    if (CreateProcessW(program, line, NULL, NULL, TRUE, DETACHED_PROCESS, NULL, NULL, &startup,
                       &started)) {
        CloseHandle(started.hThread);
        *process = started.hProcess;
    } else {
        err = -error_number(GetLastError());
    }
    CloseHandle(self);
    free(program);
    return err;
}

void helper_end(HANDLE process)
{
    TerminateProcess(process, 1);
    WaitForSingleObject(process, INFINITE);
    CloseHandle(process);
}

/* ---- in a helper ---- */

static HANDLE handle_of(const wchar_t *text)
{
    return (HANDLE)(uintptr_t)wcstoull(text, NULL, 16);
}

static DWORD WINAPI end_with(void *starter)
{
    WaitForSingleObject(starter, INFINITE);
    TerminateProcess(GetCurrentProcess(), 1);
    return 0;
}

bool helper_main(int argc, wchar_t **argv, int *status)
{
    void *memory;

    if (argc != 5 || wcscmp(argv[1], MARK) != 0)
        return false;
    *status = 1;
    memory = MapViewOfFile(handle_of(argv[3]), FILE_MAP_ALL_ACCESS, 0, 0, 0);
    if (!memory || !CreateThread(NULL, 0, end_with, handle_of(argv[4]), 0, NULL))
        return true;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (wcscmp(argv[2], parts[i].name) == 0)
            *status = parts[i].run(memory);
    return true;
}
