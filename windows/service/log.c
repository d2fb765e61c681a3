/* SPDX-License-Identifier: MIT */
#include "windows/service/log.h"

#include "windows/service/names.h"
#include "windows/wide.h"

#include <stdlib.h>
#include <wchar.h>

#define SOURCE_KEY L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\" EVENT_SOURCE

static WORD type_of(DWORD message)
{
    switch (message >> 30) { /* severity */
    case 3:
        return EVENTLOG_ERROR_TYPE;
    case 2:
        return EVENTLOG_WARNING_TYPE;
    default:
        return EVENTLOG_INFORMATION_TYPE;
    }
}

DWORD log_report(DWORD message, const char *insert)
{
    HANDLE log = RegisterEventSourceW(NULL, EVENT_SOURCE);
    wchar_t *wide = insert ? wide_from(insert) : NULL;
    const wchar_t *inserts[1] = {wide};
    DWORD error = ERROR_SUCCESS;

    if (!log ||
        !ReportEventW(log, type_of(message), 0, message, NULL, wide ? 1 : 0, 0, inserts, NULL))
        error = GetLastError();
    if (log)
        DeregisterEventSource(log);
    free(wide);
    return error;
}

void log_write(DWORD message, const char *insert)
{
    log_report(message, insert);
}

DWORD log_register(const wchar_t *program)
{
    DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
    DWORD size = (DWORD)((wcslen(program) + 1) * sizeof(*program));
    HKEY key;
    LSTATUS error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, SOURCE_KEY, 0, NULL, 0, KEY_SET_VALUE, NULL,
                                    &key, NULL);

    if (error != ERROR_SUCCESS)
        return (DWORD)error;
    error = RegSetValueExW(key, L"EventMessageFile", 0, REG_SZ, (const BYTE *)program, size);
    if (error == ERROR_SUCCESS)
        error = RegSetValueExW(key, L"TypesSupported", 0, REG_DWORD, (const BYTE *)&types,
                               sizeof(types));
    RegCloseKey(key);
    return (DWORD)error;
}

void log_unregister(void)
{
    RegDeleteKeyW(HKEY_LOCAL_MACHINE, SOURCE_KEY);
}
