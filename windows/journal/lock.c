/* SPDX-License-Identifier: MIT */
/* The lock is that nobody else may open the file for writing as long as this process has it
 * open. */
#include "journal/lock.h"

#include "journal/state.h"
#include "lib/error.h"
#include "windows/error.h"
#include "windows/wide.h"

#include <windows.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int taken(const char *path, const wchar_t *name)
{
    HANDLE file =
        CreateFileW(name, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, 0, NULL);
    char pid[16] = "";
    DWORD size = 0;

    if (file != INVALID_HANDLE_VALUE) {
        if (!ReadFile(file, pid, sizeof(pid) - 1, &size, NULL))
            size = 0;
        CloseHandle(file);
    }
    if (size == 0)
        return rollcall_fail(-EBUSY, "another process writes the journal '%s': stop it first",
                             path);
    pid[strcspn(pid, "\n")] = '\0';
    return rollcall_fail(-EBUSY, "process %s writes the journal '%s': stop it first", pid, path);
}

/* The pid is for people only: without space for it the lock is as good. */
static void sign(HANDLE file)
{
    char pid[16];
    int size = snprintf(pid, sizeof(pid), "%lu\n", (unsigned long)GetCurrentProcessId());
    DWORD written;

    SetEndOfFile(file);
    WriteFile(file, pid, (DWORD)size, &written, NULL);
}

int lock_take(const char *path, intptr_t *lock)
{
    char *text = NULL;
    wchar_t *name = NULL;
    HANDLE file;
    int err = 0;

    if (asprintf(&text, "%s.lock", path) > 0)
        name = wide_from(text);
    if (!name) {
        err = rollcall_fail(-ENOMEM, "no memory to open the journal '%s'", path);
        goto out;
    }
    file = CreateFileW(name, GENERIC_READ | GENERIC_WRITE | DELETE,
                       FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_ALWAYS,
                       FILE_ATTRIBUTE_NORMAL, NULL);
    if (file == INVALID_HANDLE_VALUE && GetLastError() == ERROR_SHARING_VIOLATION) {
        err = taken(path, name);
    } else if (file == INVALID_HANDLE_VALUE) {
        err = journal_file_failed(text, -error_number(GetLastError()));
    } else {
        sign(file);
        *lock = (intptr_t)file;
    }
out:
    free(name);
    free(text);
    return err;
}

void lock_release(intptr_t lock)
{
    if (lock != LOCK_NONE)
        CloseHandle((HANDLE)lock);
}
