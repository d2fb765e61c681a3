/* SPDX-License-Identifier: MIT */
#include "tests/wine/wdfldr/settings.h"

#include <ntifs.h>

#include "tests/wine/wdfldr/win32.h"

#include <string.h>

#define LOCAL_MACHINE ((HANDLE)(LONG_PTR)(LONG)0x80000002)

struct settings settings;

static uint32_t number(HANDLE key, const wchar_t *name)
{
    unsigned long type;
    uint32_t value = 0;
    unsigned long size = sizeof(value);

    if (RegQueryValueExW(key, name, NULL, &type, &value, &size) != 0 || type != REG_DWORD)
        return 0;
    return value;
}

void settings_read(void)
{
    unsigned long type;
    unsigned long size = sizeof(settings.report_path) - sizeof(wchar_t);
    HANDLE key;

    memset(&settings, 0, sizeof(settings));
    if (RegOpenKeyExW(LOCAL_MACHINE, L"Software\\rollcall-test", 0, KEY_READ, &key) != 0)
        return;
    if (RegQueryValueExW(key, L"Reports", NULL, &type, settings.report_path, &size) != 0)
        settings.report_path[0] = 0;
    settings.without_ex2 = number(key, L"WithoutEx2");
    settings.fail_allocation = number(key, L"FailAllocation");
    settings.existing_processes = number(key, L"ExistingProcesses");
    settings.start_threads = number(key, L"StartThreads");
    settings.start_processes = number(key, L"StartProcesses");
    settings.start_races = number(key, L"StartRaces");
    RegCloseKey(key);
}
