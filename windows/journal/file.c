/* SPDX-License-Identifier: MIT */
#include "journal/file.h"

#include "windows/error.h"
#include "windows/wide.h"

#include <windows.h>

#include <sddl.h>

#include <errno.h>
#include <stdlib.h>

/* Its owner, administrators and the system. */
#define OWNERS_ONLY L"D:P(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)"

static int last_error(void)
{
    return -error_number(GetLastError());
}

static int make(const wchar_t *path, bool *made)
{
    SECURITY_ATTRIBUTES security = {.nLength = sizeof(security)};
    HANDLE file;
    int err = 0;

    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(OWNERS_ONLY, SDDL_REVISION_1,
                                                              &security.lpSecurityDescriptor, NULL))
        return last_error();
    file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                       &security, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
    if (file != INVALID_HANDLE_VALUE) {
        *made = true;
        CloseHandle(file);
    } else if (GetLastError() != ERROR_FILE_EXISTS) {
        err = last_error();
    }
    LocalFree(security.lpSecurityDescriptor);
    return err;
}

int file_make(const char *path, bool *made)
{
    wchar_t *wide = wide_from(path);
    int err = 0;

    if (!wide)
        return -ENOMEM;
    if (GetFileAttributesW(wide) == INVALID_FILE_ATTRIBUTES)
        err = make(wide, made);
    free(wide);
    return err;
}

int file_find(const char *path, char **full)
{
    wchar_t *wide = wide_from(path);
    DWORD room = wide ? GetFullPathNameW(wide, 0, NULL, NULL) : 0;
    wchar_t *name = room ? malloc(room * sizeof(*name)) : NULL;
    DWORD attributes;
    int err = 0;

    if (!name || GetFullPathNameW(wide, room, name, NULL) == 0) {
        err = -ENOMEM;
        goto out;
    }
    attributes = GetFileAttributesW(name);
    if (attributes == INVALID_FILE_ATTRIBUTES)
        err = last_error();
    else if (attributes & FILE_ATTRIBUTE_DIRECTORY)
        err = -EISDIR;
    *full = wide_to(name);
    if (err == 0 && !*full)
        err = -ENOMEM;
out:
    free(name);
    free(wide);
    return err;
}

int file_usable(const char *path, bool write)
{
    wchar_t *wide = wide_from(path);
    HANDLE file;
    int err = 0;

    if (!wide)
        return -ENOMEM;
    file = CreateFileW(wide, write ? GENERIC_READ | GENERIC_WRITE : GENERIC_READ,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                       0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        err = last_error();
    else
        CloseHandle(file);
    free(wide);
    return err;
}

uint64_t file_size(const char *path)
{
    wchar_t *wide = wide_from(path);
    WIN32_FILE_ATTRIBUTE_DATA data;
    uint64_t size = 0;

    if (wide && GetFileAttributesExW(wide, GetFileExInfoStandard, &data))
        size = (uint64_t)data.nFileSizeHigh << 32 | data.nFileSizeLow;
    free(wide);
    return size;
}

void file_remove(const char *path)
{
    wchar_t *wide = wide_from(path);

    if (wide)
        DeleteFileW(wide);
    free(wide);
}

int file_error(int code)
{
    return error_number((uint32_t)code);
}
