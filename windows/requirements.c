/* SPDX-License-Identifier: MIT */
#include "lib/requirements.h"

#include <rollcall/rollcall.h>

#include <windows.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define BUILD_1703         15063
#define INVALID_IMAGE_HASH 577 /* which mingw-w64 does not know */
#define MEMORY_WANTED      (128u << 20)

struct checks {
    struct requirement *list;
    size_t count;
    size_t room;
};

/* A requirement that is met until something else is said. */
static struct requirement *add(struct checks *checks, const char *name)
{
    static struct requirement beyond;
    struct requirement *requirement =
        checks->count < checks->room ? &checks->list[checks->count++] : &beyond;

    memset(requirement, 0, sizeof(*requirement));
    requirement->state = REQUIREMENT_MET;
    requirement->name = name;
    return requirement;
}

static void found(struct requirement *requirement, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(requirement->found, sizeof(requirement->found), format, args);
    va_end(args);
}

static void not_met(struct requirement *requirement, enum requirement_state state,
                    const char *remedy)
{
    requirement->state = state;
    snprintf(requirement->remedy, sizeof(requirement->remedy), "%s", remedy);
}

/* GetVersionEx() tells a program what it was made for, this what there is. */
static void check_version(struct checks *checks)
{
    typedef LONG WINAPI get_version(OSVERSIONINFOW * version);
    struct requirement *requirement = add(checks, "Windows");
    OSVERSIONINFOW version = {.dwOSVersionInfoSize = sizeof(version)};
    union {
        FARPROC address;
        get_version *get;
    } query = {.address = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "RtlGetVersion")};

    if (query.address)
        query.get(&version);
    found(requirement, "%lu.%lu, build %lu", version.dwMajorVersion, version.dwMinorVersion,
          version.dwBuildNumber);
    if (version.dwBuildNumber < BUILD_1703)
        not_met(requirement, REQUIREMENT_ADVISED,
                "the driver is made for Windows 10 1703 (build 15063) and later");
}

static void check_rights(struct checks *checks)
{
    struct requirement *requirement = add(checks, "permission");
    SID_IDENTIFIER_AUTHORITY authority = {SECURITY_NT_AUTHORITY};
    PSID administrators = NULL;
    BOOL member = FALSE;

    if (AllocateAndInitializeSid(&authority, 2, SECURITY_BUILTIN_DOMAIN_RID,
                                 DOMAIN_ALIAS_RID_ADMINS, 0, 0, 0, 0, 0, 0, &administrators)) {
        CheckTokenMembership(NULL, administrators, &member);
        FreeSid(administrators);
    }
    found(requirement, member ? "an administrator" : "not an administrator");
    if (!member)
        not_met(requirement, REQUIREMENT_MISSING,
                "run this in a terminal that was started \"as administrator\"");
}

/* Why Windows did not load the driver, if it says so. */
static void explain_stopped(struct requirement *requirement, DWORD error)
{
    switch (error) {
    case INVALID_IMAGE_HASH:
        not_met(requirement, REQUIREMENT_MISSING,
                "Windows refuses the signature of rollcall.sys: use a signed one, or on a test "
                "machine `bcdedit /set testsigning on` and boot again");
        break;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        not_met(requirement, REQUIREMENT_MISSING,
                "rollcall.sys is not where it was installed from: `rollcall service install` "
                "again");
        break;
    default:
        not_met(requirement, REQUIREMENT_MISSING, "`rollcall service start` starts it");
        break;
    }
}

static void check_driver_service(struct checks *checks)
{
    struct requirement *requirement = add(checks, "driver");
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE service = manager ? OpenServiceW(manager, L"rollcall", SERVICE_QUERY_STATUS) : NULL;
    SERVICE_STATUS status = {0};

    if (!service) {
        found(requirement, "not installed");
        not_met(requirement, REQUIREMENT_MISSING, "`rollcall service install` installs it");
    } else if (QueryServiceStatus(service, &status) && status.dwCurrentState != SERVICE_RUNNING) {
        found(requirement, "installed, not running (%lu)", status.dwWin32ExitCode);
        explain_stopped(requirement, status.dwWin32ExitCode);
    } else {
        found(requirement, "running");
    }
    if (service)
        CloseServiceHandle(service);
    if (manager)
        CloseServiceHandle(manager);
}

static void check_device(struct checks *checks)
{
    struct requirement *requirement = add(checks, "talking to the driver");
    struct rollcall_options opts = {.struct_size = sizeof(opts)};
    struct rollcall *rc;

    if (rollcall_open(&opts, &rc) == 0) {
        found(requirement, "it answers");
        rollcall_close(rc);
        return;
    }
    found(requirement, "%.*s", (int)sizeof(requirement->found) - 1, rollcall_error());
    not_met(requirement, REQUIREMENT_MISSING, "first do what is said above");
}

static void check_memory(struct checks *checks)
{
    struct requirement *requirement = add(checks, "memory");
    MEMORYSTATUSEX memory = {.dwLength = sizeof(memory)};

    GlobalMemoryStatusEx(&memory);
    found(requirement,
          "%llu MiB available; the driver takes at most 32 MiB unless you say "
          "otherwise",
          (unsigned long long)memory.ullAvailPhys >> 20);
    if (memory.ullAvailPhys < MEMORY_WANTED)
        not_met(requirement, REQUIREMENT_ADVISED, "give the driver less: --ring-size 8M");
}

size_t requirements_check(struct requirement *list, size_t room)
{
    struct checks checks = {.list = list, .room = room};

    check_version(&checks);
    check_rights(&checks);
    check_driver_service(&checks);
    check_device(&checks);
    check_memory(&checks);
    return checks.count;
}
