/* SPDX-License-Identifier: MIT */
#include "windows/error.h"

#include <windows.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DISK_QUOTA_EXCEEDED 1295 /* which mingw-w64 does not know */

int error_number(uint32_t code)
{
    switch (code) {
    case ERROR_SUCCESS:
        return 0;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_DRIVE:
    case ERROR_BAD_NETPATH:
    case ERROR_BAD_PATHNAME:
    case ERROR_INVALID_NAME:
    case ERROR_NOT_FOUND:
    case ERROR_SERVICE_DOES_NOT_EXIST:
        return ENOENT;
    case ERROR_ACCESS_DENIED:
    case ERROR_PRIVILEGE_NOT_HELD:
        return EACCES;
    case ERROR_WRITE_PROTECT:
        return EROFS;
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
    case ERROR_BUSY:
    case ERROR_DEVICE_IN_USE:
        return EBUSY;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_COMMITMENT_LIMIT:
        return ENOMEM;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
    case DISK_QUOTA_EXCEEDED:
        return ENOSPC;
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS:
        return EEXIST;
    case ERROR_BROKEN_PIPE:
    case ERROR_NO_DATA:
        return EPIPE;
    case ERROR_INVALID_PARAMETER:
    case ERROR_BAD_LENGTH:
        return EINVAL;
    case ERROR_TOO_MANY_OPEN_FILES:
        return EMFILE;
    default:
        return EIO;
    }
}

const char *error_text(uint32_t code)
{
    static _Thread_local char text[256];
    wchar_t wide[200];
    DWORD size = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
                                code, 0, wide, sizeof(wide) / sizeof(wide[0]), NULL);
    int used = WideCharToMultiByte(CP_UTF8, 0, wide, (int)size, text, sizeof(text) - 1, NULL, NULL);

    text[used] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (!text[0])
        snprintf(text, sizeof(text), "error %lu", (unsigned long)code);
    return text;
}
