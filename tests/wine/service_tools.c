/* SPDX-License-Identifier: MIT */
#include "tests/wine/service_tools.h"

#include "journal/journal.h"

#include <rollcall/rollcall.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDER "rollcall-recorder"

static char program[MAX_PATH];
static char place[MAX_PATH];

void tools_begin(void)
{
    const char *build = getenv("ROLLCALL_BUILD");

    if (!build)
        die("ROLLCALL_BUILD is not set: run it with tests/wine/run.sh");
    snprintf(program, sizeof(program), "%s\\rollcall.exe", build);
    snprintf(place, sizeof(place), "%s\\tests\\journals", build);
    CreateDirectoryA(place, NULL);
    rollcall_run("service stop");
}

const char *tools_journal(const char *name)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    static char path[MAX_PATH];
    char file[MAX_PATH + 8];

    snprintf(path, sizeof(path), "%s\\%s.db", place, name);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(file, sizeof(file), "%s%s", path, suffixes[i]);
        if (!DeleteFileA(file) && GetLastError() != ERROR_FILE_NOT_FOUND)
            die("%s cannot be removed: %lu", file, GetLastError());
    }
    return path;
}

/* ---- the program ---- */

HANDLE rollcall_begin(const char *arguments)
{
    char line[2 * MAX_PATH + 256];

    snprintf(line, sizeof(line), "\"%s\" %s", program, arguments);
    return process_begin(line, true);
}

DWORD rollcall_run(const char *arguments)
{
    HANDLE process = rollcall_begin(arguments);
    DWORD status = 0;

    if (WaitForSingleObject(process, 2 * LIMIT_MS) != WAIT_OBJECT_0) {
        TerminateProcess(process, 1);
        die("`rollcall %s` does not end", arguments);
    }
    GetExitCodeProcess(process, &status);
    CloseHandle(process);
    return status;
}

void rollcall_do(const char *arguments)
{
    DWORD status = rollcall_run(arguments);

    if (status != 0)
        die("`rollcall %s` ended with %lu", arguments, status);
}

/* ---- the service ---- */

void recorder_install(const char *journal)
{
    char arguments[MAX_PATH + 64];

    snprintf(arguments, sizeof(arguments), "service install --no-driver --manual --journal \"%s\"",
             journal);
    rollcall_do(arguments);
}

static DWORD recorder_pid(void)
{
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE service = OpenServiceA(manager, RECORDER, SERVICE_QUERY_STATUS);
    SERVICE_STATUS_PROCESS status = {0};
    DWORD needed;

    if (!QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof(status),
                              &needed))
        die("the service manager does not know the recorder: %lu", GetLastError());
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
    return status.dwCurrentState == SERVICE_STOPPED ? 0 : status.dwProcessId;
}

void recorder_kill(void)
{
    DWORD pid = recorder_pid();
    HANDLE process = OpenProcess(PROCESS_TERMINATE | SYNCHRONIZE, FALSE, pid);

    if (!process || !TerminateProcess(process, 9))
        die("the recorder, process %lu, cannot be killed: %lu", pid, GetLastError());
    WaitForSingleObject(process, LIMIT_MS);
    CloseHandle(process);
}

static int inspect(const char *consumer, struct rollcall_stats *stats)
{
    memset(stats, 0, sizeof(*stats));
    return rollcall_inspect(consumer, stats, sizeof(*stats));
}

__attribute__((noreturn)) static void die_unread(const char *consumer, int err,
                                                 const struct rollcall_stats *stats)
{
    die("'%s' does not read: %s, acknowledged %llu, waiting %llu bytes", consumer,
        err < 0 ? rollcall_error() : "it is there", (unsigned long long)stats->acked_seq,
        (unsigned long long)stats->ring_used);
}

void wait_until_read(const char *consumer)
{
    DWORD begin = GetTickCount();
    struct rollcall_stats stats;
    int err;

    do {
        err = inspect(consumer, &stats);
        if (err == 0 && stats.reader_pid && stats.ring_used == 0)
            return;
        Sleep(20);
    } while (GetTickCount() - begin < 2 * LIMIT_MS);
    die_unread(consumer, err, &stats);
}

void wait_until_reads(const char *consumer)
{
    DWORD begin = GetTickCount();
    struct rollcall_stats first;
    struct rollcall_stats stats;
    int err = inspect(consumer, &first);

    while (err == 0 && GetTickCount() - begin < 2 * LIMIT_MS) {
        err = inspect(consumer, &stats);
        if (err == 0 && stats.reader_pid && stats.acked_seq > first.acked_seq)
            return;
        Sleep(20);
    }
    die_unread(consumer, err, &first);
}

/* ---- the journal ---- */

static int take_number(const struct journal_row *row, void *context)
{
    *(int64_t *)context = row->values[0] ? strtoll(row->values[0], NULL, 10) : -1;
    return 0;
}

int64_t journal_ask(const char *journal, const char *sql)
{
    struct journal_options opts = {.read_only = true};
    struct journal *open;
    int64_t number = -1;

    if (journal_open(journal, &opts, &open) < 0)
        die("%s", rollcall_error());
    if (journal_sql(open, sql, take_number, &number) < 0)
        die("%s: %s", sql, rollcall_error());
    journal_close(open);
    return number;
}

static void expect(const char *journal, int64_t expected, const char *sql)
{
    int64_t number = journal_ask(journal, sql);

    CHECK(number == expected, "%s gives %lld, not %lld", sql, (long long)number,
          (long long)expected);
}

void expect_complete(const char *journal, uint32_t first_pid, uint32_t count)
{
    static const char *const asked[] = {
        "SELECT count(*) FROM events WHERE type = 1 AND pid BETWEEN %u AND %u",
        "SELECT count(DISTINCT pid) FROM events WHERE type = 1 AND pid BETWEEN %u AND %u",
        "SELECT count(*) FROM events WHERE type = 3 AND pid BETWEEN %u AND %u",
        "SELECT count(*) FROM events c JOIN events x USING (epoch, pid, start_ns) "
        "WHERE c.type = 1 AND x.type = 3 AND x.seq > c.seq AND pid BETWEEN %u AND %u"};
    char sql[512];

    expect(journal, 1, "SELECT count(DISTINCT epoch) FROM events");
    expect(journal, 1, "SELECT min(seq) FROM events");
    expect(journal, 0, "SELECT max(seq) - count(*) FROM events");
    expect(journal, 0, "SELECT count(*) FROM events WHERE type = 5");
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        snprintf(sql, sizeof(sql), asked[i], first_pid, first_pid + 4 * (count - 1));
        expect(journal, count, sql);
    }
}
