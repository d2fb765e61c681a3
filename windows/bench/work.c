/* SPDX-License-Identifier: MIT */
#include "bench/work.h"

#include "bench/worker.h"
#include "windows/bench/helper.h"
#include "windows/error.h"

#include <errno.h>
#include <string.h>

/* Every Windows has it, it is small beside what else Windows brings, it ends at once,
 * and without a console and AutoRun commands it starts nothing. */
#define PROGRAM      L"cmd.exe"
#define COMMAND_LINE L"cmd.exe /d /c exit"

const struct work_kind work_kinds[WORK_KINDS_MAX + 1] = {{"create+exit", "create_exit", true}, {0}};

const char work_question[] = "does `cmd.exe /d /c exit` run, and is nothing refusing processes?";

unsigned work_events(bool exec)
{
    (void)exec;
    return 2;
}

/* ---- in the workers: threads of a helper ---- */

struct shared {
    struct work_report reports[WORK_WORKERS_MAX];
    struct work_order order;
    HANDLE go;
};

struct worker {
    struct work *work;
    unsigned index;
    HANDLE thread;
};

static wchar_t program[MAX_PATH + sizeof(PROGRAM) / sizeof(wchar_t)];

pid_t worker_make_process(const struct work_order *order)
{
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process;
    wchar_t line[] = COMMAND_LINE;
    DWORD status = 1;

    (void)order;
    /* Without a console: Windows starts a process for each new one. */
    if (!CreateProcessW(program, line, NULL, NULL, FALSE, DETACHED_PROCESS, NULL, NULL, &startup,
                        &process))
        return -1;
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &status);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return status == 0 ? (pid_t)process.dwProcessId : -1;
}

static DWORD WINAPI run_worker(void *context)
{
    const struct worker *worker = context;

    worker_run(worker->work, worker->index);
    return 0;
}

int work_part(void *memory)
{
    struct shared *shared = memory;
    struct work work = {.order = shared->order, .reports = shared->reports};
    struct worker workers[WORK_WORKERS_MAX];

    GetSystemDirectoryW(program, MAX_PATH);
    wcscat(program, L"\\" PROGRAM);
    WaitForSingleObject(shared->go, INFINITE);
    for (unsigned i = 0; i < work.order.workers; i++) {
        workers[i] = (struct worker){.work = &work, .index = i};
        workers[i].thread = CreateThread(NULL, 0, run_worker, &workers[i], 0, NULL);
        shared->reports[i].failed = !workers[i].thread;
    }
    for (unsigned i = 0; i < work.order.workers; i++)
        if (workers[i].thread)
            WaitForSingleObject(workers[i].thread, INFINITE);
    return 0;
}

/* ---- interface ---- */

int work_prepare(struct work *work, const struct work_order *order)
{
    HANDLE memory;
    HANDLE leader;
    struct shared *shared = helper_memory(sizeof(*shared), &memory);
    int err;

    if (!shared)
        return -error_number(GetLastError());
    shared->order = *order;
    shared->go = helper_event();
    err = shared->go ? helper_start(L"work", memory, &leader) : -error_number(GetLastError());
    CloseHandle(memory);
    if (err < 0) {
        if (shared->go)
            CloseHandle(shared->go);
        UnmapViewOfFile(shared);
        return err;
    }
    memset(work, 0, sizeof(*work));
    work->order = *order;
    work->reports = shared->reports;
    work->leader = (intptr_t)leader;
    work->go = (intptr_t)shared->go;
    return 0;
}

void work_go(struct work *work)
{
    SetEvent((HANDLE)work->go);
}

bool workers_ended(const struct work *work, bool wait)
{
    return WaitForSingleObject((HANDLE)work->leader, wait ? INFINITE : 0) == WAIT_OBJECT_0;
}

void work_destroy(struct work *work)
{
    helper_end((HANDLE)work->leader);
    CloseHandle((HANDLE)work->go);
    UnmapViewOfFile(work->reports);
}
