/* SPDX-License-Identifier: MIT */
#include "linux/daemon/notify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#define STATUS_NS 10000000000u /* how old the status may be */

uint64_t notify_interval_ns(void)
{
    uint64_t watchdog_us = 0;

    if (!getenv("NOTIFY_SOCKET"))
        return 0;
    if (sd_watchdog_enabled(0, &watchdog_us) > 0 && watchdog_us * 1000 / 4 < STATUS_NS)
        return watchdog_us * 1000 / 4;
    return STATUS_NS;
}

void notify_ready(void)
{
    sd_notify(0, "READY=1");
}

void notify_reloading(void)
{
    sd_notify(0, "RELOADING=1");
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1\nSTATUS=ending; the kernel goes on collecting");
}

void notify_alive(void)
{
    sd_notify(0, "WATCHDOG=1");
}

void notify_status(const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sd_notifyf(0, "STATUS=%s", text);
}
