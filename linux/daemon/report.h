/* SPDX-License-Identifier: MIT */
/* What ROLLCALL_CODE_REPORT answers, and what the metrics are made of. Only for the thread of the
 * clients. */
#ifndef LINUX_DAEMON_REPORT_H
#define LINUX_DAEMON_REPORT_H

#include "linux/daemon/client.h"

#include <rollcall/daemon.h>

/* Who asks, and what he may know. */
struct report_viewer {
    uint32_t uid;
    bool all;
};

/* Writes a rollcall_daemon_report, for which there must be room, and what fits of the consumers.
 * Returns the bytes. */
size_t report_write(const struct service *service, const struct report_viewer *viewer, void *out,
                    size_t room);

#endif
