/* SPDX-License-Identifier: MIT */
#include "cli/consume.h"

#include "linux/clock.h"
#include "linux/program/signal_fd.h"
#include "program/signals.h"

#include <errno.h>
#include <poll.h>

uint64_t consume_now(void)
{
    return clock_mono_ns();
}

uint64_t consume_boot_ns(void)
{
    return clock_boot_ns();
}

/* Milliseconds for poll(2), rounded up. */
static int remaining(uint64_t deadline)
{
    uint64_t now = consume_now();
    uint64_t ms;

    if (deadline == CONSUME_FOREVER)
        return -1;
    if (now >= deadline)
        return 0;
    ms = (deadline - now + 999999) / 1000000;
    return ms > 3600000 ? 3600000 : (int)ms;
}

int consume_next(struct rollcall *rc, uint64_t deadline, int output, struct rollcall_batch *batch)
{
    for (;;) {
        struct pollfd fds[3] = {{.fd = rollcall_fd(rc), .events = POLLIN},
                                {.fd = signals_fd(), .events = POLLIN},
                                {.fd = output}};
        int n = signals_stop() ? 0 : rollcall_next(rc, 0, batch);

        if (n > 0 || (n < 0 && n != -EINTR))
            return n;
        if (signals_stop() || (deadline != CONSUME_FOREVER && consume_now() >= deadline))
            return 0;
        if (poll(fds, 3, remaining(deadline)) < 0 && errno != EINTR)
            return -errno;
        if (fds[2].revents)
            return 0;
    }
}
