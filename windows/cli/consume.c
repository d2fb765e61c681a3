/* SPDX-License-Identifier: MIT */
#include "cli/consume.h"

#include "program/signals.h"
#include "windows/clock.h"
#include "windows/program/stop.h"

uint64_t consume_now(void)
{
    return clock_mono_ns();
}

uint64_t consume_boot_ns(void)
{
    return clock_boot_ns();
}

static DWORD remaining(uint64_t deadline)
{
    uint64_t now = consume_now();
    uint64_t ms;

    if (deadline == CONSUME_FOREVER)
        return INFINITE;
    if (now >= deadline)
        return 0;
    ms = (deadline - now + 999999) / 1000000;
    return ms > 3600000 ? 3600000 : (DWORD)ms;
}

/* A pipe does not tell its writer that the reader has gone before something is written: `output`
 * is looked at by whoever writes. */
int consume_next(struct rollcall *rc, uint64_t deadline, int output, struct rollcall_batch *batch)
{
    HANDLE waits[2] = {rollcall_handle(rc), stop_event()};

    (void)output;
    for (;;) {
        int n = signals_stop() ? 0 : rollcall_next(rc, 0, batch);

        if (n != 0)
            return n;
        if (signals_stop() || (deadline != CONSUME_FOREVER && consume_now() >= deadline))
            return 0;
        WaitForMultipleObjects(2, waits, FALSE, remaining(deadline));
    }
}
