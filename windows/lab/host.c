/* SPDX-License-Identifier: MIT */
#include "windows/lab/host.h"

#include "tests/wine/lib/test.h"
#include "windows/lab/report.h"
#include "windows/lab/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_PID 1000u
#define FATES     1000u /* in one report */

#define START_TRIES 5u

struct host {
    const struct lab_design *design;
    HANDLE device; /* for reports */
    HANDLE mapping;
    struct service_memory *memory;
    struct lab_account *account;
    HANDLE held, go;
    HANDLE job; /* ends the service when this program ends */
    HANDLE service;
    HANDLE thread; /* of it, while it is stopped */
    uint32_t raised;
};

struct full_report {
    struct report report;
    struct report_fate fates[FATES];
};

static HANDLE need(HANDLE handle, const char *what)
{
    if (handle == NULL || handle == INVALID_HANDLE_VALUE)
        die("%s: %lu", what, GetLastError());
    return handle;
}

/* ---- the driver ---- */

static void ask(struct host *host, uint32_t first, void *report, size_t room)
{
    const struct report_request asked = {
        .request = {.version = ROLLCALL_PROTOCOL_VERSION, .size = sizeof(asked)}, .first = first};
    DWORD error = request(host->device, ROLLCALL_CODE_STATS, &asked, sizeof(asked), report,
                          (DWORD)room, NULL);

    if (error != 0)
        die("the driver does not report: %lu", error);
}

/* Wine gives a driver that is started to the process of the last one, which may be about to end with
 * it: then nobody answers. */
static DWORD start_at_last(void)
{
    DWORD error = driver_start();

    for (unsigned i = 1; i < START_TRIES && error == ERROR_SERVICE_REQUEST_TIMEOUT; i++) {
        fprintf(stderr, "Wine does not start the driver; once more\n");
        driver_stop();
        error = driver_start();
    }
    return error;
}

static void start_driver(struct host *host, uint32_t number)
{
    struct report report;
    DWORD error;

    driver_parameter("Design", number);
    error = start_at_last();
    if (error != 0)
        die("the driver does not start: %lu", error);
    host->device = device_open(ROLLCALL_DEVICE_PATH, GENERIC_READ | GENERIC_WRITE);
    ask(host, 0, &report, sizeof(report));
    if (strcmp(report.design, host->design->name) != 0)
        die("the driver has the design %.63s, not %s", report.design, host->design->name);
}

void host_raise(struct host *host, uint32_t count)
{
    if (count == 0)
        return;
    raise_bulk(FIRST_PID + 4 * host->raised, count, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 0);
    host->raised += count;
}

uint32_t host_raised(const struct host *host)
{
    return host->raised;
}

/* ---- the service ---- */

void host_start(struct host *host)
{
    host->memory->started = 0;
    host->account->sent = 0;
    host->account->handled = 0;
    host->service = self_begin(SERVICE_ARGUMENT);
    if (!AssignProcessToJobObject(host->job, host->service))
        die("the service is not ended with us: %lu", GetLastError());
}

void host_kill(struct host *host)
{
    if (host->service == NULL)
        return;
    TerminateProcess(host->service, 0);
    if (WaitForSingleObject(host->service, LIMIT_MS) != WAIT_OBJECT_0)
        die("the service does not end");
    CloseHandle(host->service);
    host->service = NULL;
}

bool host_started(struct host *host)
{
    if (host->service == NULL)
        return false;
    if (WaitForSingleObject(host->service, 0) == WAIT_OBJECT_0)
        die("the service has ended by itself");
    return host->memory->started != 0;
}

/* Who asks for the registers is answered when the thread has stopped. */
void host_stop(struct host *host)
{
    CONTEXT registers = {.ContextFlags = CONTEXT_CONTROL};

    host->thread =
        need(OpenThread(THREAD_SUSPEND_RESUME | THREAD_GET_CONTEXT, FALSE, host->memory->thread),
             "the service's thread");
    if (SuspendThread(host->thread) == (DWORD)-1 || !GetThreadContext(host->thread, &registers))
        die("the service cannot be stopped: %lu", GetLastError());
}

void host_continue(struct host *host)
{
    ResumeThread(host->thread);
    CloseHandle(host->thread);
    host->thread = NULL;
}

void host_wait_held(struct host *host)
{
    if (WaitForSingleObject(host->held, LIMIT_MS) != WAIT_OBJECT_0)
        die("the service is not held");
}

void host_let_go(struct host *host)
{
    SetEvent(host->go);
}

/*
 * All that is counted only grows, and each is counted no later than what follows from it. So
 * `handled`, read before `answered`, is equal to it only if no answer is on its way or being worked
 * on at the time of the report; and `sent`, read after `arrived`, only if no request is.
 */
bool host_quiet(struct host *host)
{
    struct report report;
    uint64_t handled;

    if (!host_started(host))
        return false;
    handled = host->account->handled;
    ask(host, 0, &report, sizeof(report));
    return handled == report.answered && host->account->sent == report.arrived;
}

/* ---- the account ---- */

static void take_fates(struct host *host, struct full_report *full)
{
    for (uint32_t first = 0; first < host->account->raised; first += full->report.count) {
        ask(host, first, full, sizeof(*full));
        if (full->report.count == 0)
            return;
        for (uint32_t i = 0; i < full->report.count && first + i < host->account->raised; i++) {
            const struct report_fate *fate = &full->fates[i];
            struct lab_item *item = &host->account->item[first + i];

            item->raised_ns = fate->raised_ns;
            item->dropped = fate->dropped != 0;
            item->handed = fate->handed != 0;
            item->told = fate->told != 0;
        }
    }
}

const char *host_close(struct host *host, struct lab_result *result)
{
    struct full_report *full = malloc(sizeof(*full));
    struct lab_figures figures;

    if (full == NULL)
        die("no memory");
    take_fates(host, full);
    ask(host, 0, full, sizeof(full->report));
    figures = (struct lab_figures){.raised = full->report.raised,
                                   .dropped = full->report.dropped,
                                   .waiting = full->report.waiting,
                                   .bytes_most = full->report.bytes_most};
    free(full);
    return lab_account_close(host->account, host->design, &figures, result);
}

/* ---- begin and end ---- */

static void share_memory(struct host *host, const struct host_options *options)
{
    size_t bytes = sizeof(*host->memory) + lab_account_bytes(options->events);

    host->mapping = need(CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                                            (DWORD)bytes, SERVICE_MEMORY),
                         "memory for the service");
    host->memory = need(MapViewOfFile(host->mapping, FILE_MAP_WRITE, 0, 0, bytes), "shared memory");
    host->memory->design = options->number;
    host->memory->work_us = options->work_us;
    host->memory->held = options->held;
    host->account = service_account(host->memory);
    lab_account_init(host->account, options->events);
    /* What the driver says of them is put there in the end. */
    while (host->account->raised < options->events)
        lab_account_raise(host->account, 0);
}

static HANDLE make_job(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation = {.LimitFlags = 0}};
    HANDLE job = need(CreateJobObjectA(NULL, NULL), "a job");

    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    if (!SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof(limits)))
        die("the job has no limits: %lu", GetLastError());
    return job;
}

struct host *host_new(const struct host_options *options)
{
    struct host *host = calloc(1, sizeof(*host));

    if (host == NULL)
        die("no memory");
    host->design = options->design;
    host->job = make_job();
    host->held = need(CreateEventA(NULL, TRUE, FALSE, SERVICE_HELD), "an event");
    host->go = need(CreateEventA(NULL, TRUE, FALSE, SERVICE_GO), "an event");
    share_memory(host, options);
    start_driver(host, options->number);
    return host;
}

void host_free(struct host *host)
{
    DWORD error;

    host_kill(host);
    CloseHandle(host->device);
    error = driver_stop();
    if (error != 0)
        die("the driver does not stop: %lu", error);
    UnmapViewOfFile(host->memory);
    CloseHandle(host->mapping);
    CloseHandle(host->held);
    CloseHandle(host->go);
    CloseHandle(host->job);
    free(host);
}
