/* SPDX-License-Identifier: MIT */
/*
 * `rollcall service install` and what belongs to it: what it leaves in Windows, what it says when
 * it cannot, and that `uninstall` takes everything away again.
 */
#include "tests/wine/service_tools.h"
#include "windows/service/manager.h"

#include <rollcall/rollcall.h>

#include <stdio.h>
#include <string.h>

#define DRIVER     "rollcall"
#define RECORDER   "rollcall-recorder"
#define SOURCE_KEY "SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\rollcall"

static char said_path[MAX_PATH];
static char image_path[MAX_PATH];

/* ---- what is said ---- */

/* Runs rollcall.exe, which ends with that status and says that on its standard error. */
static void expect_said(const char *arguments, DWORD status, const char *text)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};
    HANDLE before = GetStdHandle(STD_ERROR_HANDLE);
    HANDLE file =
        CreateFileA(said_path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                    &inherited, CREATE_ALWAYS, 0, NULL);
    char said[1024];
    DWORD size = 0;
    DWORD found;

    SetStdHandle(STD_ERROR_HANDLE, file);
    found = rollcall_run(arguments);
    SetStdHandle(STD_ERROR_HANDLE, before);
    SetFilePointer(file, 0, NULL, FILE_BEGIN);
    ReadFile(file, said, sizeof(said) - 1, &size, NULL);
    said[size] = '\0';
    CloseHandle(file);
    CHECK(found == status, "`rollcall %s` ended with %lu, not %lu: %s", arguments, found, status,
          said);
    CHECK(*text ? strstr(said, text) != NULL : size == 0, "`rollcall %s` says: %s", arguments,
          said);
}

/* ---- what is there ---- */

static SC_HANDLE open_service(const char *name)
{
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE service = OpenServiceA(manager, name, SERVICE_QUERY_CONFIG | SERVICE_QUERY_STATUS);

    CloseServiceHandle(manager);
    return service;
}

static void expect_no_service(const char *name)
{
    SC_HANDLE service = open_service(name);

    CHECK(service == NULL, "%s is there", name);
    if (service)
        CloseServiceHandle(service);
}

struct config {
    QUERY_SERVICE_CONFIGA config;
    char room[4096];
};

static void get_config(const char *name, struct config *config)
{
    SC_HANDLE service = open_service(name);
    DWORD needed;

    memset(config, 0, sizeof(*config));
    if (!service || !QueryServiceConfigA(service, &config->config, sizeof(*config), &needed))
        die("%s is not there: %lu", name, GetLastError());
    CloseServiceHandle(service);
}

static void expect_service(const char *name, DWORD type, DWORD start, const char *image_part)
{
    struct config config;

    get_config(name, &config);
    CHECK(config.config.dwServiceType == type, "%s: type %lx", name, config.config.dwServiceType);
    CHECK(config.config.dwStartType == start, "%s: start %lx", name, config.config.dwStartType);
    CHECK(config.config.dwErrorControl == SERVICE_ERROR_NORMAL, "%s", name);
    CHECK(strstr(config.config.lpBinaryPathName, image_part) != NULL, "%s: %s, not %s", name,
          config.config.lpBinaryPathName, image_part);
}

/* Wine keeps it there, as Windows does, but does not tell when it is asked. */
static void expect_dependency(void)
{
    char names[64] = "";
    DWORD size = sizeof(names);
    LSTATUS error =
        RegGetValueA(HKEY_LOCAL_MACHINE, "SYSTEM\\CurrentControlSet\\Services\\" RECORDER,
                     "DependOnService", RRF_RT_REG_MULTI_SZ, NULL, names, &size);

    CHECK(error == 0 && strcmp(names, DRIVER) == 0, "%ld: it depends on '%s'", error, names);
}

static void expect_source(bool there)
{
    char file[MAX_PATH] = "";
    DWORD types = 0;
    DWORD size = sizeof(file);
    LSTATUS error = RegGetValueA(HKEY_LOCAL_MACHINE, SOURCE_KEY, "EventMessageFile", RRF_RT_REG_SZ,
                                 NULL, file, &size);

    if (!there) {
        CHECK(error == ERROR_FILE_NOT_FOUND, "the event source is there: %ld", error);
        return;
    }
    size = sizeof(types);
    CHECK(error == 0 && strstr(file, "rollcall.exe") != NULL, "%ld: messages in '%s'", error, file);
    error = RegGetValueA(HKEY_LOCAL_MACHINE, SOURCE_KEY, "TypesSupported", RRF_RT_REG_DWORD, NULL,
                         &types, &size);
    CHECK(error == 0 && types == 7, "%ld: types %lx", error, types);
}

/* ---- what Windows is told beside ---- */

/* Wine keeps little of it: so what is asked for is looked at here. */
static struct {
    char description[2][128];
    unsigned descriptions;
    DWORD reset_seconds;
    DWORD actions;
    SC_ACTION action[3];
    BOOL also_by_status;
    DWORD preshutdown_ms;
    char privileges[64];
} told;

static BOOL WINAPI take_setting(SC_HANDLE service, DWORD level, void *info)
{
    const SERVICE_FAILURE_ACTIONSW *failure = info;

    (void)service;
    if (level == SERVICE_CONFIG_DESCRIPTION && told.descriptions < 2)
        snprintf(told.description[told.descriptions++], sizeof(told.description[0]), "%ls",
                 ((const SERVICE_DESCRIPTIONW *)info)->lpDescription);
    if (level == SERVICE_CONFIG_FAILURE_ACTIONS) {
        told.reset_seconds = failure->dwResetPeriod;
        told.actions = failure->cActions;
        memcpy(told.action, failure->lpsaActions, sizeof(told.action));
    }
    if (level == SERVICE_CONFIG_FAILURE_ACTIONS_FLAG)
        told.also_by_status =
            ((const SERVICE_FAILURE_ACTIONS_FLAG *)info)->fFailureActionsOnNonCrashFailures;
    if (level == SERVICE_CONFIG_PRESHUTDOWN_INFO)
        told.preshutdown_ms = ((const SERVICE_PRESHUTDOWN_INFO *)info)->dwPreshutdownTimeout;
    if (level == SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO)
        snprintf(told.privileges, sizeof(told.privileges), "%ls",
                 ((const SERVICE_REQUIRED_PRIVILEGES_INFOW *)info)->pmszRequiredPrivileges);
    return TRUE;
}

/* What a program calls of a library it calls through such a pointer. */
typedef BOOL WINAPI setting_taker(SC_HANDLE service, DWORD level, void *info);

setting_taker *fake_setting __asm__("__imp_ChangeServiceConfig2W") = take_setting;

static void expect_settings(const char *driver)
{
    static const DWORD delays[] = {5000, 5000, 60000};
    const char *arguments[] = {"journal.db", NULL};
    struct manager_options options = {.driver = true,
                                      .driver_start = SERVICE_DEMAND_START,
                                      .driver_file = driver,
                                      .arguments = arguments};

    CHECK(manager_install(&options) == 0, "installing");
    CHECK(strstr(told.description[0], "Sees every process") != NULL, "'%s'", told.description[0]);
    CHECK(strstr(told.description[1], "Keeps every") != NULL, "'%s'", told.description[1]);
    CHECK(told.actions == 3 && told.reset_seconds == 86400, "%lu actions, %lu s", told.actions,
          told.reset_seconds);
    for (unsigned i = 0; i < 3; i++)
        CHECK(told.action[i].Type == SC_ACTION_RESTART && told.action[i].Delay == delays[i],
              "%u: %d after %lu ms", i, told.action[i].Type, told.action[i].Delay);
    CHECK(told.also_by_status, "not when it ends with a status");
    CHECK(told.preshutdown_ms == 20000, "%lu ms", told.preshutdown_ms);
    CHECK(strcmp(told.privileges, "SeChangeNotifyPrivilege") == 0, "'%s'", told.privileges);
}

/* ---- the cases ---- */

static void without(void)
{
    static const char absent[] = "it is not installed; `rollcall service install`";

    expect_said("service uninstall", 0, "");
    expect_said("service start", 1, absent);
    expect_said("service stop", 1, absent);
    expect_said("service stop --driver", 0, "");
    expect_said("service status", 1, "");
    expect_said("service install --driver nowhere.sys", 1, "there is no rollcall.sys");
    expect_no_service(DRIVER);
    expect_no_service(RECORDER);
    expect_source(false);
}

/* The directory of the journals, when none is named: made, found again, and not trusted when it is
 * something else. */
static void default_directory(void)
{
    char path[MAX_PATH];
    HANDLE file;

    snprintf(path, sizeof(path), "%s\\rollcall", getenv("ProgramData"));
    if (!RemoveDirectoryA(path) && GetLastError() != ERROR_FILE_NOT_FOUND)
        die("%s cannot be removed: %lu", path, GetLastError());
    expect_said("service install --no-driver --manual", 0, "");
    CHECK(GetFileAttributesA(path) & FILE_ATTRIBUTE_DIRECTORY, "%s is not there", path);
    expect_said("service install --no-driver --manual", 0, "");
    expect_said("service uninstall", 0, "");
    CHECK(RemoveDirectoryA(path), "%s: %lu", path, GetLastError());
    file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    CloseHandle(file);
    expect_said("service install --no-driver --manual", 1, "was made by somebody else");
    expect_no_service(RECORDER);
    DeleteFileA(path);
}

static void install(const char *journal)
{
    char arguments[2 * MAX_PATH];

    snprintf(arguments, sizeof(arguments),
             "service install --driver-start boot --keep-age 30d --journal \"%s\"", journal);
    expect_said(arguments, 0, "");
    expect_service(DRIVER, SERVICE_KERNEL_DRIVER, SERVICE_BOOT_START,
                   "\\SystemRoot\\System32\\drivers\\rollcall.sys");
    CHECK(GetFileAttributesA(image_path) != INVALID_FILE_ATTRIBUTES, "%s is not there", image_path);
    expect_service(RECORDER, SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START,
                   "rollcall.exe service run --keep-age 30d ");
    expect_dependency();
    expect_source(true);

    /* In the place of what is there. */
    snprintf(arguments, sizeof(arguments), "service install --manual --journal \"%s\"", journal);
    expect_said(arguments, 0, "");
    expect_service(DRIVER, SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START, "rollcall.sys");
    expect_service(RECORDER, SERVICE_WIN32_OWN_PROCESS, SERVICE_DEMAND_START,
                   "rollcall.exe service run Z:");
    expect_dependency();
}

struct reading {
    struct rollcall *rc;
    HANDLE enough;
};

static DWORD WINAPI read_on(void *context)
{
    const struct reading *reading = context;
    struct rollcall_batch batch;

    while (WaitForSingleObject(reading->enough, 0) == WAIT_TIMEOUT)
        CHECK(rollcall_next(reading->rc, 10, &batch) >= 0, "%s", rollcall_error());
    return 0;
}

/* Who waits for events does not keep the driver from being stopped. */
static void stop_under_reader(void)
{
    struct reading reading = {.enough = CreateEventA(NULL, TRUE, FALSE, NULL)};
    struct rollcall_stats stats;
    HANDLE reader;

    expect_said("service start", 0, "");
    if (rollcall_open(NULL, &reading.rc) < 0)
        die("%s", rollcall_error());
    reader = thread_begin(read_on, &reading);
    expect_said("service stop --driver", 0, "");
    CHECK(rollcall_inspect("record", &stats, sizeof(stats)) < 0, "the driver still answers");
    expect_said("service start", 0, "");
    SetEvent(reading.enough);
    thread_join(reader);
    rollcall_close(reading.rc);
    CloseHandle(reading.enough);
}

/* Started is what reads; what cannot read is said so. */
static void start(const char *directory)
{
    char arguments[MAX_PATH + 64];

    expect_said("service start", 0, "");
    expect_said("service start", 0, "");
    expect_said("service status", 0, "");
    expect_said("service stop", 0, "");
    expect_said("service stop", 0, "");
    expect_said("service status", 1, "");
    snprintf(arguments, sizeof(arguments), "service install --no-driver --manual --journal \"%s\"",
             directory);
    expect_said(arguments, 0, "");
    /* Wine finds sometimes itself that it has ended again. */
    expect_said("service start", 1, "starting the recorder: ");
    expect_said("service stop --driver", 0, "");
}

static void uninstall(void)
{
    expect_said("service uninstall", 0, "");
    expect_no_service(DRIVER);
    expect_no_service(RECORDER);
    expect_source(false);
    CHECK(GetFileAttributesA(image_path) == INVALID_FILE_ATTRIBUTES, "%s is left", image_path);
    expect_said("service uninstall", 0, "");
}

/* The runtime stands in for Windows' own, which every driver finds. */
static void copy_runtime(void)
{
    char from[MAX_PATH];
    char to[MAX_PATH];

    snprintf(from, sizeof(from), "%s\\wdfldr.sys", getenv("ROLLCALL_DRIVERS"));
    GetWindowsDirectoryA(to, MAX_PATH - 32);
    snprintf(image_path, sizeof(image_path), "%s\\System32\\drivers\\rollcall.sys", to);
    strcat(to, "\\System32\\drivers\\wdfldr.sys");
    if (!CopyFileA(from, to, FALSE))
        die("%s cannot be copied: %lu", from, GetLastError());
}

int main(void)
{
    char directory[MAX_PATH];
    char driver[MAX_PATH];
    const char *journal;

    test_begin("rollcall.sys");
    tools_begin();
    copy_runtime();
    journal = tools_journal("install");
    snprintf(directory, sizeof(directory), "%.*s", (int)(strrchr(journal, '\\') - journal),
             journal);
    snprintf(said_path, sizeof(said_path), "%s\\said.txt", directory);
    snprintf(driver, sizeof(driver), "%s\\rollcall.sys", getenv("ROLLCALL_DRIVERS"));
    rollcall_do("service uninstall");
    without();
    default_directory();
    install(journal);
    stop_under_reader();
    start(directory);
    expect_settings(driver);
    uninstall();
    return test_end();
}
