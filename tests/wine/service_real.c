/* SPDX-License-Identifier: MIT */
/*
 * 5,000 processes, created for real by 4 threads while the service records: its journal has each
 * of them once, in order. As Wine raises no notification of its own, each thread does so where
 * Windows would: when it has created the process, and when that has ended. With a number as the
 * argument: so many by each thread.
 */
#include "tests/wine/service_tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 4u

#define LINE_MAX  (MAX_PATH + 32)
#define TRIES_MAX 50u

static unsigned each = 1250; /* thread */
static unsigned indexes[THREADS];
static wchar_t child[MAX_PATH];

static int64_t creation_of(HANDLE process)
{
    FILETIME created;
    FILETIME others[3];

    if (!GetProcessTimes(process, &created, &others[0], &others[1], &others[2]))
        die("a process has no time of creation: %lu", GetLastError());
    return (int64_t)created.dwHighDateTime << 32 | created.dwLowDateTime;
}

/* Wine may fail to make one on a busy machine; then there is none, and it is tried again. */
static void create(unsigned thread, unsigned i, wchar_t *line, PROCESS_INFORMATION *real)
{
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    unsigned tries = 0;

    _snwprintf(line, LINE_MAX, L"\"%ls\" child %u %u", child, thread, i);
    while (!CreateProcessW(child, line, NULL, NULL, FALSE, CREATE_SUSPENDED | DETACHED_PROCESS,
                           NULL, NULL, &startup, real)) {
        if (++tries == TRIES_MAX)
            die("no process %u of thread %u: %lu", i, thread, GetLastError());
        Sleep(100);
    }
}

static void make_one(unsigned thread, unsigned i)
{
    PROCESS_INFORMATION real;
    wchar_t line[LINE_MAX];
    struct process process = {.ppid = GetCurrentProcessId(),
                              .creator_pid = GetCurrentProcessId(),
                              .creator_tid = GetCurrentThreadId(),
                              .image = child,
                              .command = line};

    create(thread, i, line, &real);
    process.pid = real.dwProcessId;
    process.create_time = creation_of(real.hProcess);
    CHECK(raise_create(&process) == 0, "process %u was refused", process.pid);
    ResumeThread(real.hThread);
    CloseHandle(real.hThread);
    WaitForSingleObject(real.hProcess, INFINITE);
    raise_exit(process.pid, thread + 7);
    CloseHandle(real.hProcess); /* only now may somebody else get its pid */
}

static DWORD WINAPI make_all(void *context)
{
    const unsigned *thread = context;

    for (unsigned i = 0; i < each; i++)
        make_one(*thread, i);
    return 0;
}

/* The pids come again and again: who it was the command line says. */
static void expect_each_once(const char *journal)
{
    static const char *const asked[] = {
        "SELECT count(*) FROM events WHERE type = 1 AND command LIKE '%%child %u %%'",
        "SELECT count(DISTINCT command) FROM events WHERE type = 1 AND command LIKE "
        "'%%child %u %%'",
        "SELECT count(*) FROM events c JOIN events x USING (epoch, pid, start_ns) "
        "WHERE c.type = 1 AND x.type = 3 AND x.seq > c.seq AND x.status = 7 + %u "
        "AND c.command LIKE '%%child %u %%'",
        "SELECT count(*) FROM (SELECT seq, lag(seq) OVER (ORDER BY CAST(substr(command, "
        "instr(command, 'child ') + 8) AS INTEGER)) AS before FROM events WHERE type = 1 AND "
        "command LIKE '%%child %u %%') WHERE before IS NULL OR seq > before"};
    char sql[512];

    for (unsigned thread = 0; thread < THREADS; thread++) {
        for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
            int64_t number;

            snprintf(sql, sizeof(sql), asked[i], thread, thread);
            number = journal_ask(journal, sql);
            CHECK(number == each, "%s gives %lld", sql, (long long)number);
        }
    }
    CHECK(journal_ask(journal, "SELECT max(seq) - count(*) FROM events") == 0, "holes");
    CHECK(journal_ask(journal, "SELECT count(*) FROM events WHERE type = 5") == 0, "gaps");
}

static void find_child(void)
{
    wchar_t *name;

    GetModuleFileNameW(NULL, child, MAX_PATH);
    name = wcsrchr(child, L'\\');
    wcscpy(name ? name + 1 : child, L"child.exe");
}

/* So many of them take longer than what else a thread does. */
static void join(HANDLE thread)
{
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

int main(int argc, char **argv)
{
    HANDLE threads[THREADS];
    const char *journal;
    DWORD error;

    if (argc > 1)
        each = (unsigned)strtoul(argv[1], NULL, 10);
    test_begin("rollcall.sys");
    tools_begin();
    find_child();
    journal = tools_journal("real");
    error = driver_start();
    CHECK(error == 0, "start: %lu", error);
    recorder_install(journal);
    rollcall_do("service start");
    for (unsigned i = 0; i < THREADS; i++) {
        indexes[i] = i;
        threads[i] = thread_begin(make_all, &indexes[i]);
    }
    for (unsigned i = 0; i < THREADS; i++)
        join(threads[i]);
    wait_until_read("record");
    expect_each_once(journal);
    rollcall_do("service stop");
    return test_end();
}
