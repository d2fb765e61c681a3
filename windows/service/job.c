/* SPDX-License-Identifier: MIT */
/*
 * Pipes that do not wait are named ones here, read and written by overlapped requests. All requests
 * of a job, and its end, set the job's one event. Beginning a request resets that, so a completion
 * between may be wiped out: who waits therefore begins all requests first, then looks whether one has
 * completed already, and only then waits.
 */
#include "service/job.h"

#include "lib/error.h"
#include "windows/cli/command_line.h"
#include "windows/clock.h"
#include "windows/error.h"
#include "windows/wide.h"

#include <windows.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAMS   3 /* its stdin, stdout and stderr */
#define PIPE_SIZE 65536u
#define SPAN_NS   4000000000ull /* what is not known of the start of a process: see identify() */

struct stream {
    HANDLE pipe; /* our end; NULL: closed */
    OVERLAPPED request;
    bool busy;    /* a request is under way */
    bool closing; /* once it is not busy */
    DWORD size;   /* bytes in data: to be written, or that were read */
    DWORD at;     /* of these, how many are done with */
    char data[PIPE_SIZE];
};

struct job {
    HANDLE process;
    HANDLE object; /* with its last handle all that is in it ends */
    HANDLE event;
    HANDLE registered; /* the wait that sets the event when the process ends */
    DWORD pid;
    struct stream streams[STREAMS];
};

/* ---- pipes ---- */

static void close_handle(HANDLE *handle)
{
    if (*handle)
        CloseHandle(*handle);
    *handle = NULL;
}

/* The process's end is inherited. ERROR_SUCCESS or why not. */
static DWORD open_pipe(struct stream *ours, HANDLE *theirs, bool writes)
{
    static volatile LONG number;
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};
    wchar_t name[64];

    _snwprintf(name, 64, L"\\\\.\\pipe\\rollcall-%lu-%ld", GetCurrentProcessId(),
               InterlockedIncrement(&number));
    ours->pipe = CreateNamedPipeW(name,
                                  (writes ? PIPE_ACCESS_OUTBOUND : PIPE_ACCESS_INBOUND) |
                                      FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
                                  PIPE_TYPE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1,
                                  PIPE_SIZE, PIPE_SIZE, 0, NULL);
    if (ours->pipe == INVALID_HANDLE_VALUE) {
        ours->pipe = NULL;
        return GetLastError();
    }
    *theirs = CreateFileW(name, writes ? GENERIC_READ : GENERIC_WRITE, 0, &inherited, OPEN_EXISTING,
                          0, NULL);
    if (*theirs != INVALID_HANDLE_VALUE)
        return ERROR_SUCCESS;
    *theirs = NULL;
    return GetLastError();
}

static void close_stream(struct stream *stream)
{
    DWORD size;

    if (!stream->pipe)
        return;
    if (stream->busy &&
        (CancelIoEx(stream->pipe, &stream->request) || GetLastError() == ERROR_NOT_FOUND))
        GetOverlappedResult(stream->pipe, &stream->request, &size, TRUE);
    stream->busy = false;
    close_handle(&stream->pipe);
}

/* Takes the result of a request, if there is one. */
static void look(struct stream *stream, bool reads)
{
    DWORD size = 0;

    if (!stream->busy)
        return;
    if (GetOverlappedResult(stream->pipe, &stream->request, &size, FALSE)) {
        stream->busy = false;
        if (reads)
            stream->size = size;
        else
            stream->at += size;
    } else if (GetLastError() != ERROR_IO_INCOMPLETE) {
        stream->busy = false;
        close_handle(&stream->pipe);
    }
}

/* Begins a request if there is something to read into or to write. */
static void go_on(struct job *job, struct stream *stream, bool reads)
{
    BOOL done;

    if (!stream->pipe || stream->busy ||
        (reads ? stream->at < stream->size : stream->at == stream->size))
        return;
    memset(&stream->request, 0, sizeof(stream->request));
    stream->request.hEvent = job->event;
    if (reads) {
        stream->at = stream->size = 0;
        done = ReadFile(stream->pipe, stream->data, PIPE_SIZE, NULL, &stream->request);
    } else {
        done = WriteFile(stream->pipe, stream->data + stream->at, stream->size - stream->at, NULL,
                         &stream->request);
    }
    stream->busy = done || GetLastError() == ERROR_IO_PENDING;
    if (!stream->busy)
        close_handle(&stream->pipe);
}

static void turn(struct job *job, int i)
{
    struct stream *stream = &job->streams[i];

    look(stream, i != 0);
    go_on(job, stream, i != 0);
    look(stream, i != 0);
    if (stream->closing && !stream->busy && stream->at == stream->size)
        close_handle(&stream->pipe);
}

/* ---- starting ---- */

static bool is_same_name(const wchar_t *a, const wchar_t *b)
{
    size_t size = wcscspn(a + 1, L"=") + 2; /* hidden ones begin with = */

    return _wcsnicmp(a, b, size) == 0;
}

static bool is_replaced(const wchar_t *variable, wchar_t *const *more)
{
    for (; *more; more++)
        if (is_same_name(variable, *more))
            return true;
    return false;
}

static size_t put(wchar_t *block, size_t at, const wchar_t *variable)
{
    if (block)
        wcscpy(block + at, variable);
    return at + wcslen(variable) + 1;
}

/* What we have and what was given; returns the size, and writes if there is a block. */
static size_t join(wchar_t *block, const wchar_t *ours, wchar_t *const *more)
{
    size_t at = 0;

    for (; *ours; ours += wcslen(ours) + 1)
        if (!is_replaced(ours, more))
            at = put(block, at, ours);
    for (; *more; more++)
        at = put(block, at, *more);
    return put(block, at, L"");
}

/* To be freed; NULL: no memory. */
static wchar_t *make_environment(char *const *more)
{
    wchar_t *wide[16] = {NULL};
    wchar_t *ours = GetEnvironmentStringsW();
    wchar_t *block = NULL;
    bool whole = ours;

    for (unsigned i = 0; whole && more && more[i] && i < 15; i++) {
        wide[i] = wide_from(more[i]);
        whole = wide[i];
    }
    if (whole)
        block = calloc(join(NULL, ours, wide) + 1, sizeof(*block));
    if (block)
        join(block, ours, wide);
    if (ours)
        FreeEnvironmentStringsW(ours);
    for (unsigned i = 0; i < 16; i++)
        free(wide[i]);
    return block;
}

/* Nothing is inherited but these; it does not run before it is in the job object. */
static DWORD create(struct job *job, wchar_t *line, wchar_t *environment, HANDLE theirs[STREAMS],
                    STARTUPINFOEXW *startup)
{
    PROCESS_INFORMATION made;

    if (!UpdateProcThreadAttribute(startup->lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                   theirs, STREAMS * sizeof(*theirs), NULL, NULL))
        return GetLastError();
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE,
                        CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT | CREATE_NO_WINDOW |
                            EXTENDED_STARTUPINFO_PRESENT,
                        environment, NULL, &startup->StartupInfo, &made))
        return GetLastError();
    job->process = made.hProcess;
    job->pid = made.dwProcessId;
    if (!AssignProcessToJobObject(job->object, made.hProcess)) {
        DWORD error = GetLastError();

        CloseHandle(made.hThread);
        return error;
    }
    ResumeThread(made.hThread);
    CloseHandle(made.hThread);
    return ERROR_SUCCESS;
}

static DWORD start(struct job *job, wchar_t *line, wchar_t *environment, HANDLE theirs[STREAMS])
{
    STARTUPINFOEXW startup = {.StartupInfo = {.cb = sizeof(startup),
                                              .dwFlags = STARTF_USESTDHANDLES,
                                              .hStdInput = theirs[0],
                                              .hStdOutput = theirs[1],
                                              .hStdError = theirs[2]}};
    SIZE_T size = 0;
    DWORD error = ERROR_NOT_ENOUGH_MEMORY;

    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    startup.lpAttributeList = malloc(size);
    if (!startup.lpAttributeList)
        return error;
    if (InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0, &size)) {
        error = create(job, line, environment, theirs, &startup);
        DeleteProcThreadAttributeList(startup.lpAttributeList);
    } else {
        error = GetLastError();
    }
    free(startup.lpAttributeList);
    return error;
}

static void CALLBACK on_end(void *event, BOOLEAN fired)
{
    (void)fired;
    SetEvent(event);
}

static DWORD open_objects(struct job *job)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
        .BasicLimitInformation = {.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE}};

    job->event = CreateEventW(NULL, TRUE, FALSE, NULL);
    job->object = CreateJobObjectW(NULL, NULL);
    if (!job->event || !job->object ||
        !SetInformationJobObject(job->object, JobObjectExtendedLimitInformation, &limits,
                                 sizeof(limits)))
        return GetLastError();
    return ERROR_SUCCESS;
}

int job_start(struct job **out, char *const *words, char *const *environment,
              const struct account *user)
{
    struct job *job = calloc(1, sizeof(*job));
    wchar_t *line = command_line_from((char **)(uintptr_t)words);
    wchar_t *block = make_environment(environment);
    HANDLE theirs[STREAMS] = {NULL};
    DWORD error = job && line && block ? ERROR_SUCCESS : ERROR_NOT_ENOUGH_MEMORY;

    (void)user;
    if (error == ERROR_SUCCESS)
        error = open_objects(job);
    for (int i = 0; error == ERROR_SUCCESS && i < STREAMS; i++)
        error = open_pipe(&job->streams[i], &theirs[i], i == 0);
    if (error == ERROR_SUCCESS)
        error = start(job, line, block, theirs);
    if (error == ERROR_SUCCESS &&
        !RegisterWaitForSingleObject(&job->registered, job->process, on_end, job->event, INFINITE,
                                     WT_EXECUTEONLYONCE))
        error = GetLastError();
    for (int i = 0; i < STREAMS; i++)
        close_handle(&theirs[i]);
    free(line);
    free(block);
    if (error == ERROR_SUCCESS) {
        *out = job;
        return 0;
    }
    job_free(job);
    return rollcall_fail(-error_number(error), "cannot run '%s': %s", words[0], error_text(error));
}

/* ---- its end ---- */

void job_kill(struct job *job)
{
    TerminateJobObject(job->object, 1);
    TerminateProcess(job->process, 1); /* should it not be in there */
}

bool job_ended(struct job *job, struct job_end *end)
{
    DWORD status = 0;

    if (WaitForSingleObject(job->process, 0) != WAIT_OBJECT_0)
        return false;
    GetExitCodeProcess(job->process, &status);
    *end = (struct job_end){.status = status};
    return true;
}

void job_free(struct job *job)
{
    if (!job)
        return;
    if (job->process) {
        job_kill(job);
        WaitForSingleObject(job->process, INFINITE);
    }
    if (job->registered)
        UnregisterWaitEx(job->registered, INVALID_HANDLE_VALUE);
    for (int i = 0; i < STREAMS; i++)
        close_stream(&job->streams[i]);
    close_handle(&job->process);
    close_handle(&job->object);
    close_handle(&job->event);
    free(job);
}

/* ---- its streams ---- */

int job_write(struct job *job, const char *data, size_t size)
{
    struct stream *stream = &job->streams[0];
    DWORD taken = size < PIPE_SIZE ? (DWORD)size : PIPE_SIZE;

    turn(job, 0);
    if (!stream->pipe)
        return -EPIPE;
    if (stream->busy || stream->at < stream->size)
        return 0;
    memcpy(stream->data, data, taken);
    stream->at = 0;
    stream->size = taken;
    turn(job, 0);
    return (int)taken;
}

int job_read(struct job *job, enum job_stream which, char *data, size_t room)
{
    int i = which == JOB_OUTPUT ? 1 : 2;
    struct stream *stream = &job->streams[i];
    size_t size;

    turn(job, i);
    size = stream->busy ? 0 : stream->size - stream->at;
    if (size == 0)
        return stream->pipe ? 0 : -EPIPE;
    size = size < room ? size : room;
    memcpy(data, stream->data + stream->at, size);
    stream->at += (DWORD)size;
    return (int)size;
}

void job_close_input(struct job *job)
{
    job->streams[0].closing = true;
    turn(job, 0);
}

/* ---- waiting ---- */

/* Begins what is to be waited for. Whether there is something to look at already. */
static bool prepare(struct job *job)
{
    bool ready = false;

    for (int i = 0; i < STREAMS; i++)
        go_on(job, &job->streams[i], i != 0);
    for (int i = 0; i < STREAMS; i++) {
        struct stream *stream = &job->streams[i];

        ready |= stream->busy ? HasOverlappedIoCompleted(&stream->request)
                              : i != 0 && stream->at < stream->size;
    }
    return ready || WaitForSingleObject(job->process, 0) == WAIT_OBJECT_0;
}

void job_wait(const struct job_wait *wait, int timeout_ms)
{
    HANDLE handles[MAXIMUM_WAIT_OBJECTS];
    DWORD count = 0;
    bool ready = false;

    if (wait->bell)
        handles[count++] = (HANDLE)wait->bell->handle;
    if (wait->events)
        handles[count++] = rollcall_handle(wait->events);
    for (size_t i = 0; i < wait->count && count < MAXIMUM_WAIT_OBJECTS; i++) {
        if (!wait->jobs[i])
            continue;
        ready |= prepare(wait->jobs[i]);
        handles[count++] = wait->jobs[i]->event;
    }
    if (ready)
        return;
    if (count > 0)
        WaitForMultipleObjects(count, handles, FALSE,
                               timeout_ms < 0 ? INFINITE : (DWORD)timeout_ms);
    else
        Sleep(timeout_ms < 0 ? INFINITE : (DWORD)timeout_ms);
}

/* ---- who they are ---- */

uint32_t job_pid(const struct job *job)
{
    return job->pid;
}

/* The driver takes the wall clock's offset when it starts, we do it now: these differ by what the clock
 * was corrected by meanwhile. */
static void identify(HANDLE process, DWORD pid, struct kin_root *identity)
{
    FILETIME created = {0};
    FILETIME others[3];
    FILETIME now;
    uint64_t age;

    GetProcessTimes(process, &created, &others[0], &others[1], &others[2]);
    GetSystemTimePreciseAsFileTime(&now);
    age = 100 * (((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) -
                 ((uint64_t)created.dwHighDateTime << 32 | created.dwLowDateTime));
    *identity = (struct kin_root){
        .pid = pid, .start_ns = clock_boot_ns() - age - SPAN_NS / 2, .span_ns = SPAN_NS};
}

void job_identity(const struct job *job, struct kin_root *identity)
{
    identify(job->process, job->pid, identity);
}

void job_self(struct kin_root *identity)
{
    identify(GetCurrentProcess(), GetCurrentProcessId(), identity);
}
