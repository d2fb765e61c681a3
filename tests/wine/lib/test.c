/* SPDX-License-Identifier: MIT */
#include "tests/wine/lib/test.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTINGS_KEY  "Software\\rollcall-test"
#define PROCESS_TRIES 50u

static char service_name[64];
static char driver_path[MAX_PATH];
static char report_path[MAX_PATH];
static LONG failures;
static HANDLE control = INVALID_HANDLE_VALUE;
static char reports[32768 + 1];

/* ---- checks ---- */

void check_failed(const char *file, int line, const char *condition, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (InterlockedIncrement(&failures) <= 50)
        printf("%s:%d: not %s: %s\n", file, line, condition, text);
    fflush(stdout);
}

unsigned test_part(unsigned count)
{
    const char *text = getenv("ROLLCALL_TEST_PART");
    unsigned part = text == NULL ? 1 : (unsigned)strtoul(text, NULL, 10);

    if (part == 0)
        die("ROLLCALL_TEST_PART is '%s', not a number from 1 on", text);
    return part >= count ? 1 : count / part;
}

bool test_failed(void)
{
    return failures != 0;
}

void die(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
    ExitProcess(1); /* handles are closed with it; the next test stops the driver */
}

/* ---- the driver ---- */

static SC_HANDLE service_open(DWORD access)
{
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    SC_HANDLE service;

    if (manager == NULL)
        die("no service manager: %lu", GetLastError());
    service = OpenServiceA(manager, service_name, access);
    CloseServiceHandle(manager);
    return service;
}

static void service_create(void)
{
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    SC_HANDLE service;

    service = CreateServiceA(manager, service_name, service_name, SERVICE_ALL_ACCESS,
                             SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL,
                             driver_path, NULL, NULL, NULL, NULL, NULL);
    if (service == NULL)
        die("the service cannot be created: %lu", GetLastError());
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
}

static void parameters_key(char *key, size_t size)
{
    snprintf(key, size, "System\\CurrentControlSet\\Services\\%s\\Parameters", service_name);
}

static void service_remove(void)
{
    SC_HANDLE service = service_open(SERVICE_ALL_ACCESS);
    char key[256];

    if (service == NULL)
        return;
    driver_stop();
    parameters_key(key, sizeof(key));
    RegDeleteKeyA(HKEY_LOCAL_MACHINE, key);
    DeleteService(service);
    CloseServiceHandle(service);
}

static void set_value(const char *key, const char *name, DWORD type, const void *data, DWORD size)
{
    HKEY handle;

    if (RegCreateKeyExA(HKEY_LOCAL_MACHINE, key, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &handle, NULL))
        die("the registry key %s cannot be made", key);
    RegSetValueExA(handle, name, 0, type, data, size);
    RegCloseKey(handle);
}

void driver_parameter(const char *name, DWORD value)
{
    char key[256];

    parameters_key(key, sizeof(key));
    set_value(key, name, REG_DWORD, &value, sizeof(value));
}

void runtime_setting(const char *name, DWORD value)
{
    set_value(SETTINGS_KEY, name, REG_DWORD, &value, sizeof(value));
}

void test_begin(const char *driver)
{
    const char *folder = getenv("ROLLCALL_DRIVERS");

    setvbuf(stdout, NULL, _IOLBF, 1024);
    if (folder == NULL)
        die("ROLLCALL_DRIVERS is not set: run it with tests/wine/run.sh");
    snprintf(driver_path, sizeof(driver_path), "%s\\%s", folder, driver);
    snprintf(service_name, sizeof(service_name), "%s", driver);
    *strrchr(service_name, '.') = 0;
    service_remove();
    RegDeleteKeyA(HKEY_LOCAL_MACHINE, SETTINGS_KEY);
    snprintf(report_path, sizeof(report_path), "%s\\reports.txt", folder);
    set_value(SETTINGS_KEY, "Reports", REG_SZ, report_path, (DWORD)strlen(report_path) + 1);
    runtime_clear();
    service_create();
}

int test_end(void)
{
    DWORD error = driver_stop();
    const char *text = runtime_reports();

    CHECK(error == 0 || error == ERROR_SERVICE_NOT_ACTIVE || error == ERROR_SERVICE_DOES_NOT_EXIST,
          "stopping: %lu", error);
    CHECK(text[0] == 0, "the runtime reports:\n%s", text);
    if (failures != 0)
        printf("%ld checks failed\n", failures);
    fflush(stdout);
    return failures != 0;
}

/* Waits until it is in that state. */
static bool wait_state(SC_HANDLE service, DWORD state)
{
    DWORD begin = GetTickCount();
    SERVICE_STATUS status;

    while (QueryServiceStatus(service, &status) && status.dwCurrentState != state) {
        if (GetTickCount() - begin > LIMIT_MS)
            return false;
        Sleep(1);
    }
    return true;
}

DWORD driver_start(void)
{
    SC_HANDLE service = service_open(SERVICE_ALL_ACCESS);
    DWORD error = 0;

    if (service == NULL)
        return GetLastError();
    if (!StartServiceA(service, 0, NULL))
        error = GetLastError();
    else if (!wait_state(service, SERVICE_RUNNING))
        error = ERROR_SERVICE_REQUEST_TIMEOUT;
    CloseServiceHandle(service);
    return error;
}

DWORD driver_stop(void)
{
    SC_HANDLE service = service_open(SERVICE_ALL_ACCESS);
    SERVICE_STATUS status;
    DWORD error = 0;

    if (service == NULL)
        return GetLastError();
    /* Wine's driver process ends with its last driver, and the runtime's device with it. */
    if (control != INVALID_HANDLE_VALUE)
        CloseHandle(control);
    control = INVALID_HANDLE_VALUE;
    if (!ControlService(service, SERVICE_CONTROL_STOP, &status))
        error = GetLastError();
    else if (!wait_state(service, SERVICE_STOPPED))
        error = ERROR_SERVICE_REQUEST_TIMEOUT;
    CloseServiceHandle(service);
    return error;
}

/* ---- the runtime ---- */

/* Returns the bytes of the answer. */
static DWORD ask(DWORD code, const void *in, DWORD in_size, void *out, DWORD out_size)
{
    DWORD error, bytes;
    HANDLE opened;

    if (control == INVALID_HANDLE_VALUE) {
        opened = device_open(CONTROL_PATH, GENERIC_READ | GENERIC_WRITE);
        if (InterlockedCompareExchangePointer(&control, opened, INVALID_HANDLE_VALUE) !=
            INVALID_HANDLE_VALUE)
            CloseHandle(opened);
    }
    error = request(control, code, in, in_size, out, out_size, &bytes);
    if (error != 0)
        die("the runtime refuses %lx: %lu", code, error);
    return bytes;
}

struct control_facts runtime_facts(void)
{
    struct control_facts facts;

    ask(CONTROL_FACTS, NULL, 0, &facts, sizeof(facts));
    return facts;
}

void runtime_fail_allocation(uint32_t n)
{
    ask(CONTROL_FAIL_ALLOCATION, &n, sizeof(n), NULL, 0);
}

void runtime_fail_all(bool all)
{
    uint32_t in = all;

    ask(CONTROL_FAIL_ALL, &in, sizeof(in), NULL, 0);
}

uint64_t runtime_start_key(uint32_t pid)
{
    uint64_t key;

    ask(CONTROL_START_KEY, &pid, sizeof(pid), &key, sizeof(key));
    return key;
}

size_t runtime_pids(uint32_t *pids, size_t room)
{
    return ask(CONTROL_PIDS, NULL, 0, pids, (DWORD)(room * sizeof(*pids))) / sizeof(*pids);
}

const char *runtime_reports(void)
{
    HANDLE file = CreateFileA(report_path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                              OPEN_EXISTING, 0, NULL);
    DWORD bytes = 0;

    if (file != INVALID_HANDLE_VALUE) {
        ReadFile(file, reports, sizeof(reports) - 1, &bytes, NULL);
        CloseHandle(file);
    }
    reports[bytes] = 0;
    return reports;
}

void runtime_clear(void)
{
    DeleteFileA(report_path);
}

void expect_report(const char *kind)
{
    size_t length = strlen(kind);
    const char *text = runtime_reports();
    const char *line;

    CHECK(text[0] != 0, "nothing was reported, expected: %s", kind);
    for (line = text; *line != 0; line = strchr(line, '\n') + 1)
        CHECK(strncmp(line, kind, length) == 0 && line[length] == ':', "expected %s, reported:\n%s",
              kind, text);
    runtime_clear();
}

/* ---- processes ---- */

uint32_t raise_create(const struct process *process)
{
    size_t image_length = process->image_length, command_length = process->command_length;
    struct control_process *what;
    struct control_result result;
    uint8_t *texts;
    size_t size;

    if (image_length == 0 && process->image != NULL)
        image_length = wcslen(process->image);
    if (command_length == 0 && process->command != NULL)
        command_length = wcslen(process->command);
    size = sizeof(*what) + 2 * (image_length + command_length);
    what = calloc(1, size);
    if (what == NULL)
        die("no memory");
    texts = (uint8_t *)(what + 1);
    what->pid = process->pid;
    what->ppid = process->ppid;
    what->creator_pid = process->creator_pid != 0 ? process->creator_pid : process->ppid;
    what->creator_tid = process->creator_tid;
    what->session = process->session;
    what->flags = process->flags | (process->image == NULL ? CONTROL_NO_IMAGE : 0u) |
                  (process->command == NULL ? CONTROL_NO_COMMAND : 0u);
    what->create_time = process->create_time;
    what->sub_authority = process->sub_authority;
    what->image_size = (uint32_t)(2 * image_length);
    what->command_size = (uint32_t)(2 * command_length);
    if (image_length > 0)
        memcpy(texts, process->image, 2 * image_length);
    if (command_length > 0)
        memcpy(texts + 2 * image_length, process->command, 2 * command_length);
    ask(CONTROL_CREATE, what, (DWORD)size, &result, sizeof(result));
    free(what);
    return result.status;
}

uint32_t raise_pid(uint32_t pid)
{
    return raise_create(&(struct process){.pid = pid,
                                          .ppid = 8,
                                          .creator_tid = 12,
                                          .image = L"\\Device\\HarddiskVolume1\\one.exe",
                                          .command = L"one.exe"});
}

void raise_exit(uint32_t pid, uint32_t status)
{
    struct control_exit what = {pid, status};
    struct control_result result;

    ask(CONTROL_EXIT, &what, sizeof(what), &result, sizeof(result));
}

uint32_t raise_bulk(uint32_t first_pid, uint32_t count, uint32_t flags, uint32_t command_size)
{
    struct control_bulk what = {.first_pid = first_pid,
                                .count = count,
                                .flags = flags,
                                .command_size = command_size,
                                .ppid = 8};
    struct control_result result;

    ask(CONTROL_BULK, &what, sizeof(what), &result, sizeof(result));
    return result.status;
}

/* ---- requests ---- */

HANDLE device_open(const wchar_t *path, DWORD access)
{
    HANDLE device = CreateFileW(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);

    if (device == INVALID_HANDLE_VALUE)
        die("%ls cannot be opened: %lu", path, GetLastError());
    return device;
}

void pended_send(struct pended *pended, HANDLE device, DWORD code, const void *in, DWORD in_size,
                 void *out, DWORD out_size)
{
    memset(pended, 0, sizeof(*pended));
    pended->device = device;
    pended->overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (pended->overlapped.hEvent == NULL)
        die("no event: %lu", GetLastError());
    pended->error = DeviceIoControl(device, code, (void *)(uintptr_t)in, in_size, out, out_size,
                                    NULL, &pended->overlapped)
                        ? 0
                        : GetLastError();
}

bool pended_done(struct pended *pended)
{
    if (pended->error != ERROR_IO_PENDING)
        return true;
    return WaitForSingleObject(pended->overlapped.hEvent, 0) == WAIT_OBJECT_0;
}

DWORD pended_wait(struct pended *pended, DWORD *bytes)
{
    DWORD count = 0, error = pended->error;

    /* A warning comes with an answer, like success. */
    if (error == ERROR_IO_PENDING || error == ERROR_MORE_DATA || error == 0) {
        if (error == ERROR_IO_PENDING &&
            WaitForSingleObject(pended->overlapped.hEvent, LIMIT_MS) != WAIT_OBJECT_0)
            die("a request is not completed");
        error = GetOverlappedResult(pended->device, &pended->overlapped, &count, FALSE)
                    ? 0
                    : GetLastError();
    }
    if (bytes != NULL)
        *bytes = count;
    CloseHandle(pended->overlapped.hEvent);
    return error;
}

DWORD request(HANDLE device, DWORD code, const void *in, DWORD in_size, void *out, DWORD out_size,
              DWORD *bytes)
{
    struct pended pended;

    pended_send(&pended, device, code, in, in_size, out, out_size);
    return pended_wait(&pended, bytes);
}

/* ---- processes that are raised meanwhile ---- */

void bulk_send(struct bulk *bulk, HANDLE runtime, uint32_t first_pid, uint32_t count,
               uint32_t command_size)
{
    struct control_bulk what = {.first_pid = first_pid,
                                .count = count,
                                .flags = CONTROL_CREATE_EACH | CONTROL_EXIT_EACH,
                                .command_size = command_size,
                                .ppid = 8};

    pended_send(&bulk->pended, runtime, CONTROL_BULK, &what, sizeof(what), &bulk->result,
                sizeof(bulk->result));
}

DWORD bulk_wait(struct bulk *bulk)
{
    return pended_wait(&bulk->pended, NULL);
}

/* ---- processes ---- */

HANDLE process_begin(const char *line, bool inherit)
{
    STARTUPINFOA startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process;
    unsigned tries = 0;
    char copy[1024]; /* is written to */

    snprintf(copy, sizeof(copy), "%s", line);
    while (!CreateProcessA(NULL, copy, NULL, NULL, inherit, 0, NULL, NULL, &startup, &process)) {
        if (GetLastError() != ERROR_INTERNAL_ERROR || ++tries == PROCESS_TRIES)
            die("%s does not run: %lu", line, GetLastError());
        Sleep(100);
    }
    CloseHandle(process.hThread);
    return process.hProcess;
}

HANDLE self_begin(const char *argument)
{
    char path[MAX_PATH], line[MAX_PATH + 64];

    GetModuleFileNameA(NULL, path, sizeof(path));
    snprintf(line, sizeof(line), "\"%s\" %s", path, argument);
    return process_begin(line, false);
}

/* ---- threads ---- */

HANDLE thread_begin(DWORD(WINAPI *routine)(void *), void *context)
{
    HANDLE thread = CreateThread(NULL, 0, routine, context, 0, NULL);

    if (thread == NULL)
        die("no thread: %lu", GetLastError());
    return thread;
}

void thread_join(HANDLE thread)
{
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}
