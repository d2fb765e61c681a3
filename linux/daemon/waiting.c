/* SPDX-License-Identifier: MIT */
#include "linux/daemon/waiting.h"

#include "linux/clock.h"

#include <poll.h>
#include <sys/eventfd.h>

static int milliseconds_until(uint64_t then)
{
    uint64_t now = clock_mono_ns();

    if (then == UINT64_MAX)
        return -1;
    return now >= then ? 0 : (int)((then - now + 999999) / 1000000);
}

void wait_until(int wake_fd, int fd, uint64_t then)
{
    struct pollfd fds[2] = {{.fd = wake_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    eventfd_t wakes;

    if (poll(fds, 2, milliseconds_until(then)) > 0 && fds[0].revents)
        eventfd_read(wake_fd, &wakes);
}
