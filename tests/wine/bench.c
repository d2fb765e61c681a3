/* SPDX-License-Identifier: MIT */
/*
 * `rollcall bench`: without notifications it ends with an error, with them it measures. Wine raises
 * none: what bench takes for cmd.exe is bench_process.exe then, which raises itself. The figures are
 * not looked at, but for their number and order, and those of the loss. Killed, bench leaves no
 * process.
 */
#include "tests/wine/service_tools.h"

#include <jansson.h>

#include <tlhelp32.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS    2
#define SAMPLES   3
#define PROCESSES 6

#define TRIES_MAX 20
#define BENCH_MS  (10 * LIMIT_MS)

#define FEW " --rounds 2 --samples 3 --processes 6 --seconds 0.2"

static char output[65536];
static char message[4096];
static HANDLE files[2];

/* ---- running it ---- */

static HANDLE capture(const char *name)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};
    char path[MAX_PATH];
    HANDLE file;

    snprintf(path, sizeof(path), "%s\\%s", getenv("ROLLCALL_DRIVERS"), name);
    file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, &inherited,
                       CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    if (file == INVALID_HANDLE_VALUE)
        die("%s cannot be made: %lu", path, GetLastError());
    return file;
}

static void collect(HANDLE file, char *text, DWORD room)
{
    DWORD size = 0;

    SetFilePointer(file, 0, NULL, FILE_BEGIN);
    ReadFile(file, text, room - 1, &size, NULL);
    text[size] = '\0';
    CloseHandle(file);
}

static HANDLE bench_begin(const char *arguments)
{
    HANDLE before[2] = {GetStdHandle(STD_OUTPUT_HANDLE), GetStdHandle(STD_ERROR_HANDLE)};
    char line[256];
    HANDLE process;

    snprintf(line, sizeof(line), "bench %s", arguments);
    files[0] = capture("bench.out");
    files[1] = capture("bench.err");
    SetStdHandle(STD_OUTPUT_HANDLE, files[0]);
    SetStdHandle(STD_ERROR_HANDLE, files[1]);
    process = rollcall_begin(line);
    SetStdHandle(STD_OUTPUT_HANDLE, before[0]);
    SetStdHandle(STD_ERROR_HANDLE, before[1]);
    return process;
}

/* Its exit status; what it printed is in `output` and `message`. */
static DWORD bench_end(HANDLE process)
{
    DWORD status = 0;

    if (WaitForSingleObject(process, BENCH_MS) != WAIT_OBJECT_0) {
        TerminateProcess(process, 1);
        die("`rollcall bench` does not end");
    }
    GetExitCodeProcess(process, &status);
    CloseHandle(process);
    collect(files[0], output, sizeof(output));
    collect(files[1], message, sizeof(message));
    return status;
}

/* Wine may fail to make a process on a busy machine, which bench says and ends. */
static bool wine_failed(void)
{
    return strstr(message, "cannot start the workers") || strstr(message, "cannot measure") ||
           strstr(message, "processes cannot be made");
}

static DWORD bench(const char *arguments)
{
    DWORD status = bench_end(bench_begin(arguments));

    for (int i = 0; i < TRIES_MAX && wine_failed(); i++)
        status = bench_end(bench_begin(arguments));
    return status;
}

static void expect_failure(const char *arguments, const char *reason)
{
    DWORD status = bench(arguments);

    CHECK(status == 1, "%s: %lu", arguments, status);
    CHECK(strstr(message, reason) != NULL, "%s: %s", arguments, message);
    CHECK(output[0] == '\0', "%s: %s", arguments, output);
}

/* ---- what it prints ---- */

static void expect_figures(const json_t *figures, json_int_t count)
{
    double min = json_number_value(json_object_get(figures, "min"));
    double median = json_number_value(json_object_get(figures, "median"));
    double p99 = json_number_value(json_object_get(figures, "p99"));
    double max = json_number_value(json_object_get(figures, "max"));

    CHECK(json_object_size(figures) == 5, "%s", output);
    CHECK(json_integer_value(json_object_get(figures, "count")) == count, "%s", output);
    CHECK(0 <= min && min <= median && median <= p99 && p99 <= max && max > 0, "%s", output);
}

static void expect_number(const json_t *object, const char *name, json_int_t number)
{
    CHECK(json_integer_value(json_object_get(object, name)) == number, "%s in %s", name, output);
}

static void measures(void)
{
    static const char *const costs[] = {"without", "with", "ratio"};
    static const char *const delays[] = {"idle", "burst", "event_object"};
    DWORD status = bench("--json" FEW);
    json_t *all = json_loads(output, 0, NULL);
    const json_t *cost = json_object_get(json_object_get(all, "cost"), "create_exit");
    const json_t *latency = json_object_get(all, "latency_ns");
    const json_t *loss = json_object_get(all, "loss");

    CHECK(status == 0, "%lu: %s", status, message);
    CHECK(message[0] == '\0', "%s", message);
    CHECK(json_object_size(all) == 4, "%s", output);
    CHECK(json_object_size(json_object_get(all, "cost")) == 1, "%s", output);
    CHECK(json_object_size(latency) == 3, "%s", output);
    for (int i = 0; i < 3; i++) {
        expect_figures(json_object_get(cost, costs[i]), ROUNDS);
        expect_figures(json_object_get(latency, delays[i]), SAMPLES);
    }
    expect_figures(json_object_get(all, "throughput"), ROUNDS);
    expect_number(loss, "processes", PROCESSES);
    expect_number(loss, "expected", 2 * PROCESSES);
    expect_number(loss, "seen", 2 * PROCESSES);
    expect_number(loss, "lost", 0);
    json_decref(all);
}

static void prints_a_table(void)
{
    static const char *const rows[] = {"cost: processes per second of 2 workers, median of 2 ",
                                       "\n  create+exit  ",
                                       "\n    that is  ",
                                       "\nlatency: from the kernel to the reader",
                                       "\n  an event object  ",
                                       "\nthroughput: events per second",
                                       "\nloss: a burst of 6 processes while nobody reads\n"};
    DWORD status = bench(FEW);

    CHECK(status == 0, "%lu: %s", status, message);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK(strstr(output, rows[i]) != NULL, "%s in:\n%s", rows[i], output);
    CHECK(strstr(output, "fork") == NULL && strstr(output, "eventfd") == NULL, "%s", output);
}

/* With each process so much comes of others that a few looks do not give all that waits. */
static void loses_nothing_among_others(void)
{
    DWORD status;
    json_t *all;

    SetEnvironmentVariableA("ROLLCALL_OTHERS", "1");
    status = bench("--json --only loss" FEW);
    SetEnvironmentVariableA("ROLLCALL_OTHERS", NULL);
    CHECK(status == 0, "%lu: %s", status, message);
    all = json_loads(output, 0, NULL);
    expect_number(json_object_get(all, "loss"), "seen", 2 * PROCESSES);
    json_decref(all);
}

/* The helper of this process once it runs, which has two threads then. NULL: there is none. */
static HANDLE helper_of(DWORD pid)
{
    HANDLE processes = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32W entry = {.dwSize = sizeof(entry)};
    HANDLE helper = NULL;

    for (BOOL more = Process32FirstW(processes, &entry); more && !helper;
         more = Process32NextW(processes, &entry))
        if (entry.th32ParentProcessID == pid && entry.cntThreads == 2)
            helper = OpenProcess(SYNCHRONIZE, FALSE, entry.th32ProcessID);
    CloseHandle(processes);
    return helper;
}

/* While it measures the wake-up: who is killed while he makes a process leaves Wine with half of
 * one, which never ends. */
static void killed_leaves_no_process(void)
{
    HANDLE process = bench_begin("--only latency --samples 1000000");
    DWORD begin = GetTickCount();
    HANDLE helper = NULL;

    while (!helper && GetTickCount() - begin < LIMIT_MS) {
        helper = helper_of(GetProcessId(process));
        if (WaitForSingleObject(process, 0) == WAIT_OBJECT_0) { /* Wine has failed */
            bench_end(process);
            process = bench_begin("--only latency --samples 1000000");
        }
    }
    if (!helper)
        die("no helper");
    TerminateProcess(process, 1);
    CHECK(WaitForSingleObject(helper, LIMIT_MS) == WAIT_OBJECT_0, "the helper goes on");
    CloseHandle(helper);
    bench_end(process);
}

/* ---- what it makes ---- */

#define OVERRIDES "Software\\Wine\\DllOverrides"

/* Wine takes its own, whatever file is there, unless it is told not to. */
static void restore_cmd(void)
{
    RegDeleteKeyValueA(HKEY_CURRENT_USER, OVERRIDES, "cmd.exe");
}

static void replace_cmd(void)
{
    char cmd[MAX_PATH + 16];
    char process[MAX_PATH];

    GetSystemDirectoryA(cmd, MAX_PATH);
    strcat(cmd, "\\cmd.exe");
    snprintf(process, sizeof(process), "%s\\bench_process.exe", getenv("ROLLCALL_DRIVERS"));
    if (!CopyFileA(process, cmd, FALSE) ||
        RegSetKeyValueA(HKEY_CURRENT_USER, OVERRIDES, "cmd.exe", REG_SZ, "native", 7))
        die("%s cannot be replaced: %lu", cmd, GetLastError());
}

int main(void)
{
    static const char *const parts[] = {"cost", "latency", "throughput", "loss"};
    char arguments[128];

    test_begin("rollcall.sys");
    tools_begin();
    restore_cmd();
    expect_failure("--only cost" FEW, "the driver is not running");
    killed_leaves_no_process();
    CHECK(driver_start() == 0, "start");
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        snprintf(arguments, sizeof(arguments), "--only %s" FEW, parts[i]);
        expect_failure(arguments, "no event came");
    }
    expect_failure("", "no event came");
    replace_cmd();
    measures();
    prints_a_table();
    loses_nothing_among_others();
    restore_cmd();
    return test_end();
}
