/* SPDX-License-Identifier: MIT */
#include "service/bell.h"

#include "lib/error.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

int bell_open(struct bell *bell)
{
    bell->handle = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return bell->handle < 0 ? rollcall_fail(-errno, "out of file descriptors: %s", strerror(errno))
                            : 0;
}

void bell_close(struct bell *bell)
{
    if (bell->handle >= 0)
        close((int)bell->handle);
}

void bell_ring(const struct bell *bell)
{
    eventfd_write((int)bell->handle, 1);
}
