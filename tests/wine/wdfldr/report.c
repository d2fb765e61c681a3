/* SPDX-License-Identifier: MIT */
#include "tests/wine/wdfldr/report.h"

#include <ntifs.h>

#include "tests/wine/wdfldr/settings.h"
#include "tests/wine/wdfldr/win32.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define APPEND      4u /* FILE_APPEND_DATA */
#define SHARE_ALL   7u
#define OPEN_ALWAYS 4u
#define LINES_MAX   200u

static SRWLOCK lock;
static uint32_t count;

static void write_to_file(const char *line, size_t size)
{
    unsigned long written;
    HANDLE file;

    if (settings.report_path[0] == 0)
        return;
    file = CreateFileW(settings.report_path, APPEND, SHARE_ALL, NULL, OPEN_ALWAYS, 0, NULL);
    if (file == (HANDLE)(intptr_t)-1)
        return;
    WriteFile(file, line, (unsigned long)size, &written, NULL);
    CloseHandle(file);
}

void report(const char *kind, const char *format, ...)
{
    char line[512];
    size_t size;
    va_list arguments;

    snprintf(line, sizeof(line), "%s: ", kind);
    size = strlen(line);
    va_start(arguments, format);
    vsnprintf(line + size, sizeof(line) - size - 1, format, arguments);
    va_end(arguments);
    size = strlen(line);
    line[size++] = '\n';

    AcquireSRWLockExclusive(&lock);
    if (count++ < LINES_MAX)
        write_to_file(line, size);
    ReleaseSRWLockExclusive(&lock);
}

uint32_t report_count(void)
{
    uint32_t result;

    AcquireSRWLockExclusive(&lock);
    result = count;
    ReleaseSRWLockExclusive(&lock);
    return result;
}
