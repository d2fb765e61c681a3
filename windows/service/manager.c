/* SPDX-License-Identifier: MIT */
#include "windows/service/manager.h"

#include "lib/error.h"
#include "windows/clock.h"
#include "windows/device.h"
#include "windows/error.h"
#include "windows/service/log.h"
#include "windows/service/names.h"
#include "windows/service/paths.h"
#include "windows/wide.h"

#include <rollcall/rollcall.h>

#include <errno.h>
#include <stdlib.h>
#include <wchar.h>

/* Below Windows' directory, which the loader knows by this name before there are drive letters. */
#define DRIVER_FILE  L"System32\\drivers\\rollcall.sys"
#define DRIVER_IMAGE L"\\SystemRoot\\" DRIVER_FILE

#define PATIENCE_NS    30000000000u
#define LOOK_MS        100
#define RESTART_MS     5000
#define LATER_MS       60000
#define FORGET_SECONDS 86400
#define PRESHUTDOWN_MS 20000

#define INVALID_IMAGE_HASH 577 /* ERROR_INVALID_IMAGE_HASH, which mingw-w64 does not know */

/* ---- errors ---- */

static int failed(const char *what, DWORD error)
{
    switch (error) {
    case ERROR_ACCESS_DENIED:
        return rollcall_fail(-EPERM,
                             "%s is only allowed to administrators: run this in a terminal "
                             "that was started \"as administrator\"",
                             what);
    case ERROR_SERVICE_DOES_NOT_EXIST:
        return rollcall_fail(-ENOENT,
                             "%s: it is not installed; `rollcall service install` installs "
                             "it",
                             what);
    case ERROR_SERVICE_MARKED_FOR_DELETE:
        return rollcall_fail(-EBUSY,
                             "%s: it is being removed; close what shows services, or boot "
                             "again",
                             what);
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        return rollcall_fail(-ENOENT, "%s: a file is missing; `rollcall service install` again",
                             what);
    case INVALID_IMAGE_HASH:
        return rollcall_fail(
            -EPERM, "%s: Windows refuses its signature; `rollcall doctor` says what to do", what);
    default:
        return rollcall_fail(-error_number(error), "%s: %s (%lu)", what, error_text(error),
                             (unsigned long)error);
    }
}

static int last_failed(const char *what)
{
    return failed(what, GetLastError());
}

/* NULL: the text is set. */
static SC_HANDLE open_manager(DWORD access)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, access);

    if (!manager)
        last_failed("asking Windows' service control manager");
    return manager;
}

/* ---- waiting ---- */

static bool is_pending(DWORD state)
{
    return state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING;
}

/* Waits until the service is no longer on its way to somewhere. */
static bool settle(SC_HANDLE service, SERVICE_STATUS *status)
{
    uint64_t deadline = clock_mono_ns() + PATIENCE_NS;
    bool known = QueryServiceStatus(service, status);

    while (known && is_pending(status->dwCurrentState) && clock_mono_ns() < deadline) {
        Sleep(LOOK_MS);
        known = QueryServiceStatus(service, status);
    }
    return known;
}

/* ---- starting and stopping ---- */

static int expect_running(SC_HANDLE service, const char *what)
{
    SERVICE_STATUS status = {0};

    if (!settle(service, &status))
        return last_failed(what);
    if (status.dwCurrentState == SERVICE_RUNNING)
        return 0;
    return rollcall_fail(-EIO,
                         "%s: it ended again (%lu); the application log of Windows' event viewer "
                         "says why",
                         what, (unsigned long)status.dwWin32ExitCode);
}

/* One that is being stopped can be started when that is over. */
static int start(SC_HANDLE service, const char *what)
{
    SERVICE_STATUS status = {0};

    if (!settle(service, &status))
        return last_failed(what);
    if (!StartServiceW(service, 0, NULL) && GetLastError() != ERROR_SERVICE_ALREADY_RUNNING)
        return last_failed(what);
    return expect_running(service, what);
}

static bool is_reading(SC_HANDLE service)
{
    SERVICE_STATUS_PROCESS status;
    struct rollcall_stats stats;
    DWORD needed;

    return QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof(status),
                                &needed) &&
           rollcall_inspect(RECORDER_CONSUMER, &stats, sizeof(stats)) == 0 && stats.reader_pid &&
           stats.reader_pid == status.dwProcessId;
}

/* It has started when it reads: then its journal could be opened, and its place is no other's. */
static int start_recorder(SC_HANDLE service, const char *what)
{
    uint64_t deadline = clock_mono_ns() + PATIENCE_NS;
    int err = start(service, what);

    while (err == 0 && !is_reading(service)) {
        if (clock_mono_ns() >= deadline)
            return rollcall_fail(-EIO, "%s: it runs, but reads nothing from the driver", what);
        Sleep(LOOK_MS);
        err = expect_running(service, what);
    }
    return err;
}

static int stop(SC_HANDLE service, const char *what)
{
    SERVICE_STATUS status = {0};

    /* The last one: it is on its way already. */
    if (!ControlService(service, SERVICE_CONTROL_STOP, &status) &&
        GetLastError() != ERROR_SERVICE_NOT_ACTIVE &&
        GetLastError() != ERROR_SERVICE_CANNOT_ACCEPT_CTRL)
        return last_failed(what);
    if (!settle(service, &status))
        return last_failed(what);
    if (status.dwCurrentState == SERVICE_STOPPED)
        return 0;
    return rollcall_fail(-EBUSY,
                         "%s: it has not ended yet; a driver ends when the last program that has "
                         "it open closes it, and nobody can open it before",
                         what);
}

/* Whoever has a handle of the driver is asked to close it; where that cannot be asked, as the driver
 * does not run, there is nothing to ask. */
static int stop_driver(SC_HANDLE service, const char *what)
{
    device_release();
    return stop(service, what);
}

/* Calls act() with the service of that name if it is there. optional: it need not be. */
static int with_service(const wchar_t *name, DWORD access, bool optional, const char *what,
                        int (*act)(SC_HANDLE service, const char *what))
{
    SC_HANDLE manager = open_manager(SC_MANAGER_CONNECT);
    SC_HANDLE service;
    int err;

    if (!manager)
        return -EPERM;
    service = OpenServiceW(manager, name, access);
    if (service)
        err = act(service, what);
    else if (optional && GetLastError() == ERROR_SERVICE_DOES_NOT_EXIST)
        err = 0;
    else
        err = last_failed(what);
    if (service)
        CloseServiceHandle(service);
    CloseServiceHandle(manager);
    return err;
}

int manager_start(void)
{
    int err = with_service(DRIVER_SERVICE, SERVICE_START | SERVICE_QUERY_STATUS, false,
                           "starting the driver", start);

    return err < 0 ? err
                   : with_service(RECORDER_SERVICE, SERVICE_START | SERVICE_QUERY_STATUS, false,
                                  "starting the recorder", start_recorder);
}

int manager_stop(bool driver)
{
    int err = with_service(RECORDER_SERVICE, SERVICE_STOP | SERVICE_QUERY_STATUS, driver,
                           "stopping the recorder", stop);

    if (err == 0 && driver)
        err = with_service(DRIVER_SERVICE, SERVICE_STOP | SERVICE_QUERY_STATUS, true,
                           "stopping the driver", stop_driver);
    return err;
}

int manager_query(const wchar_t *name, DWORD *state, DWORD *pid, DWORD *error)
{
    SC_HANDLE manager = open_manager(SC_MANAGER_CONNECT);
    SERVICE_STATUS_PROCESS status = {0};
    SC_HANDLE service;
    DWORD needed;
    int err = 0;

    if (!manager)
        return -EPERM;
    service = OpenServiceW(manager, name, SERVICE_QUERY_STATUS);
    if (!service && GetLastError() != ERROR_SERVICE_DOES_NOT_EXIST)
        err = last_failed("asking for a service");
    else if (service && !QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status,
                                              sizeof(status), &needed))
        err = last_failed("asking for a service");
    *state = status.dwCurrentState;
    *pid = status.dwProcessId;
    *error = status.dwWin32ExitCode;
    if (service)
        CloseServiceHandle(service);
    CloseServiceHandle(manager);
    return err;
}

/* ---- installing ---- */

/* Makes the service, or gives the one that is there these settings. NULL: GetLastError() says why
 * not. */
static SC_HANDLE put_service(SC_HANDLE manager, const wchar_t *name, const wchar_t *display,
                             DWORD type, DWORD start_type, const wchar_t *image,
                             const wchar_t *depends)
{
    SC_HANDLE service =
        CreateServiceW(manager, name, display, SERVICE_ALL_ACCESS, type, start_type,
                       SERVICE_ERROR_NORMAL, image, NULL, NULL, depends, NULL, NULL);

    if (service || GetLastError() != ERROR_SERVICE_EXISTS)
        return service;
    service = OpenServiceW(manager, name, SERVICE_ALL_ACCESS);
    if (service && !ChangeServiceConfigW(service, type, start_type, SERVICE_ERROR_NORMAL, image,
                                         NULL, NULL, depends, NULL, NULL, display)) {
        DWORD error = GetLastError();

        CloseServiceHandle(service);
        SetLastError(error);
        service = NULL;
    }
    return service;
}

static int copy_failed(DWORD error)
{
    switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        return rollcall_fail(-ENOENT, "there is no rollcall.sys: it should be beside rollcall.exe, "
                                      "or --driver FILE says where it is");
    case ERROR_SHARING_VIOLATION:
    case ERROR_USER_MAPPED_FILE:
        return rollcall_fail(-EBUSY, "copying rollcall.sys to Windows' drivers: the one that is "
                                     "there runs; `rollcall service stop --driver` stops it");
    default:
        return failed("copying rollcall.sys to Windows' drivers", error);
    }
}

static int copy_driver(const char *given)
{
    wchar_t *from = given ? wide_from(given) : paths_beside_program(L"rollcall.sys");
    wchar_t *to = paths_in_windows(DRIVER_FILE);
    int err = 0;

    if (!from || !to)
        err = rollcall_fail(-ENOMEM, "out of memory");
    else if (!CopyFileW(from, to, FALSE))
        err = copy_failed(GetLastError());
    free(from);
    free(to);
    return err;
}

/* What this Windows does not know is left as it is. */
static bool configure(SC_HANDLE service, DWORD level, void *info)
{
    return ChangeServiceConfig2W(service, level, info) || GetLastError() == ERROR_INVALID_LEVEL ||
           GetLastError() == ERROR_CALL_NOT_IMPLEMENTED;
}

static int install_driver(SC_HANDLE manager, const struct manager_options *options)
{
    static wchar_t text[] =
        L"Sees every process that is created or ends, and keeps each event until acknowledged.";
    SERVICE_DESCRIPTIONW description = {.lpDescription = text};
    SC_HANDLE service;
    int err = copy_driver(options->driver_file);

    if (err < 0)
        return err;
    service = put_service(manager, DRIVER_SERVICE, L"rollcall process events",
                          SERVICE_KERNEL_DRIVER, options->driver_start, DRIVER_IMAGE, NULL);
    if (!service)
        return last_failed("installing the driver");
    if (!configure(service, SERVICE_CONFIG_DESCRIPTION, &description))
        err = last_failed("configuring the driver");
    CloseServiceHandle(service);
    return err;
}

/* After a failure Windows starts it again, soon the first times; what it misses meanwhile the
 * driver keeps. It needs no privilege but the one that everybody has. */
static bool configure_recorder(SC_HANDLE service)
{
    static wchar_t text[] = L"Keeps every process event of this machine in a journal.";
    static wchar_t privileges[] = L"SeChangeNotifyPrivilege\0";
    SC_ACTION actions[] = {{SC_ACTION_RESTART, RESTART_MS},
                           {SC_ACTION_RESTART, RESTART_MS},
                           {SC_ACTION_RESTART, LATER_MS}};
    SERVICE_DESCRIPTIONW description = {.lpDescription = text};
    SERVICE_FAILURE_ACTIONSW failure = {
        .dwResetPeriod = FORGET_SECONDS, .cActions = 3, .lpsaActions = actions};
    SERVICE_FAILURE_ACTIONS_FLAG also_by_status = {.fFailureActionsOnNonCrashFailures = TRUE};
    SERVICE_PRESHUTDOWN_INFO preshutdown = {.dwPreshutdownTimeout = PRESHUTDOWN_MS};
    SERVICE_REQUIRED_PRIVILEGES_INFOW required = {.pmszRequiredPrivileges = privileges};

    return configure(service, SERVICE_CONFIG_DESCRIPTION, &description) &&
           configure(service, SERVICE_CONFIG_FAILURE_ACTIONS, &failure) &&
           configure(service, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &also_by_status) &&
           configure(service, SERVICE_CONFIG_PRESHUTDOWN_INFO, &preshutdown) &&
           configure(service, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, &required);
}

static int install_recorder(SC_HANDLE manager, const struct manager_options *options)
{
    wchar_t *program = paths_program();
    wchar_t *image = program ? paths_command(program, options->arguments) : NULL;
    DWORD start_type = options->automatic ? SERVICE_AUTO_START : SERVICE_DEMAND_START;
    SC_HANDLE service = NULL;
    DWORD error;
    int err = 0;

    if (!image) {
        err = rollcall_fail(-ENOMEM, "out of memory");
        goto out;
    }
    service = put_service(manager, RECORDER_SERVICE, L"rollcall recorder",
                          SERVICE_WIN32_OWN_PROCESS, start_type, image, DRIVER_SERVICE L"\0");
    if (!service) {
        err = last_failed("installing the recorder");
        goto out;
    }
    if (!configure_recorder(service)) {
        err = last_failed("configuring the recorder");
        goto out;
    }
    error = log_register(program);
    if (error != ERROR_SUCCESS)
        err = failed("making its messages known to the event log", error);
out:
    if (service)
        CloseServiceHandle(service);
    free(image);
    free(program);
    return err;
}

int manager_install(const struct manager_options *options)
{
    SC_HANDLE manager = open_manager(SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
    int err = 0;

    if (!manager)
        return -EPERM;
    if (options->driver)
        err = install_driver(manager, options);
    if (err == 0)
        err = install_recorder(manager, options);
    CloseServiceHandle(manager);
    return err;
}

/* ---- removing ---- */

static int remove_service(SC_HANDLE service, const char *what)
{
    int err = stop(service, what);

    if (err == 0 && !DeleteService(service) && GetLastError() != ERROR_SERVICE_MARKED_FOR_DELETE)
        err = last_failed(what);
    return err;
}

static int remove_file(void)
{
    wchar_t *image = paths_in_windows(DRIVER_FILE);
    int err = 0;

    if (!image)
        err = rollcall_fail(-ENOMEM, "out of memory");
    else if (!DeleteFileW(image) && GetLastError() != ERROR_FILE_NOT_FOUND)
        err = last_failed("removing rollcall.sys from Windows' drivers");
    free(image);
    return err;
}

int manager_uninstall(void)
{
    DWORD access = SERVICE_STOP | SERVICE_QUERY_STATUS | DELETE;
    int err = with_service(RECORDER_SERVICE, access, true, "removing the recorder", remove_service);

    if (err < 0)
        return err;
    device_release();
    err = with_service(DRIVER_SERVICE, access, true, "removing the driver", remove_service);
    if (err < 0)
        return err;
    log_unregister();
    return remove_file();
}
