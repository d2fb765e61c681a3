/* SPDX-License-Identifier: MIT */
#include "service/bell.h"

#include "lib/error.h"

#include <windows.h>

#include <errno.h>

int bell_open(struct bell *bell)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

    bell->handle = (intptr_t)event;
    return event ? 0 : rollcall_fail(-ENOMEM, "Windows gives no more handles");
}

void bell_close(struct bell *bell)
{
    if (bell->handle)
        CloseHandle((HANDLE)bell->handle);
}

void bell_ring(const struct bell *bell)
{
    SetEvent((HANDLE)bell->handle);
}
