/* SPDX-License-Identifier: MIT */
#include "windows/device.h"

#include "lib/error.h"
#include "windows/error.h"

#include <errno.h>
#include <string.h>

int device_failed(DWORD error)
{
    switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        return rollcall_fail(-ENODEV, "the driver is not running: `rollcall service start` starts "
                                      "it, `rollcall service install` installs it");
    case ERROR_ACCESS_DENIED:
        return rollcall_fail(-EPERM, "the driver may only be used by administrators: run this in a "
                                     "terminal that was started \"as administrator\"");
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:
        return rollcall_fail(-ENOMEM, "the kernel has no memory for the request");
    case ERROR_INVALID_FUNCTION:
    case ERROR_INVALID_PARAMETER:
    case ERROR_BAD_LENGTH:
        return rollcall_fail(-EPROTO, "the driver does not understand this version of rollcall: "
                                      "install the rollcall.sys that came with it");
    default:
        if (device_is_gone(error))
            return rollcall_fail(-ENODEV, "the driver is being stopped: `rollcall service start` "
                                          "starts it again");
        return rollcall_fail(-EIO, "the driver failed: %s (%lu)", error_text(error),
                             (unsigned long)error);
    }
}

#define NO_SUCH_DEVICE 433 /* ERROR_NO_SUCH_DEVICE, which mingw-w64 does not know */

bool device_is_gone(DWORD error)
{
    switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_HANDLE:
    case ERROR_BAD_COMMAND:
    case ERROR_NOT_READY:
    case ERROR_DEV_NOT_EXIST:
    case ERROR_DELETE_PENDING:
    case NO_SUCH_DEVICE:
    case ERROR_DEVICE_NOT_CONNECTED:
    case ERROR_DEVICE_REMOVED:
    case ERROR_OPERATION_ABORTED:
    case ERROR_SERVICE_NOT_ACTIVE:
        return true;
    default:
        return false;
    }
}

static HANDLE open_device(void)
{
    return CreateFileW(ROLLCALL_DEVICE_PATH, GENERIC_READ | GENERIC_WRITE,
                       FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                       FILE_FLAG_OVERLAPPED, NULL);
}

int device_connect(HANDLE *device)
{
    HANDLE handle = open_device();

    if (handle == INVALID_HANDLE_VALUE)
        return device_failed(GetLastError());
    *device = handle;
    return 0;
}

DWORD device_ask(HANDLE device, uint32_t code, const void *request, size_t size, void *answer,
                 size_t room, size_t *got)
{
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    DWORD error = ERROR_SUCCESS;
    DWORD bytes = 0;

    if (!overlapped.hEvent)
        return GetLastError();
    if (!DeviceIoControl(device, code, (void *)(uintptr_t)request, (DWORD)size, answer, (DWORD)room,
                         NULL, &overlapped))
        error = GetLastError();
    if (error == ERROR_IO_PENDING || error == ERROR_SUCCESS)
        error =
            GetOverlappedResult(device, &overlapped, &bytes, TRUE) ? ERROR_SUCCESS : GetLastError();
    CloseHandle(overlapped.hEvent);
    if (got)
        *got = bytes;
    return error;
}

void device_request(struct rollcall_request *request, size_t size, unsigned flags)
{
    memset(request, 0, size);
    request->version = ROLLCALL_PROTOCOL_VERSION;
    request->flags = (uint16_t)flags;
    request->size = (uint32_t)size;
}

DWORD device_release(void)
{
    struct rollcall_request request;
    HANDLE device = open_device();
    DWORD error;

    if (device == INVALID_HANDLE_VALUE)
        return GetLastError();
    device_request(&request, sizeof(request), 0);
    error = device_ask(device, ROLLCALL_CODE_RELEASE, &request, sizeof(request), NULL, 0, NULL);
    CloseHandle(device);
    return error;
}
