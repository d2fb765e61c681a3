/* SPDX-License-Identifier: MIT */
#include "linux/daemon/waiting.h"

#include "linux/clock.h"

#include <poll.h>
#include <sys/eventfd.h>

int milliseconds_until(uint64_t then)
{
    uint64_t now = clock_mono_ns();

    if (then == UINT64_MAX)
        return -1;
    return now >= then ? 0 : (int)((then - now + 999999) / 1000000);
}

void wait_until(int wake_fd, uint64_t then)
{
    struct pollfd wake = {.fd = wake_fd, .events = POLLIN};
    eventfd_t wakes;

    if (poll(&wake, 1, milliseconds_until(then)) > 0)
        eventfd_read(wake_fd, &wakes);
}

void waker_wake(const struct waker *waker)
{
    eventfd_write(waker->fd, 1);
    rollcall_interrupt(waker->rc);
}
