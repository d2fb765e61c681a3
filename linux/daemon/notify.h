/* SPDX-License-Identifier: MIT */
/* What systemd is told, if it has started us and listens; else nothing happens. Of one thread. */
#ifndef LINUX_DAEMON_NOTIFY_H
#define LINUX_DAEMON_NOTIFY_H

#include <stdint.h>

/* Whether somebody listens, and how often he wants to hear of us: nanoseconds, 0: never. */
uint64_t notify_interval_ns(void);

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
void notify_alive(void);
__attribute__((format(printf, 1, 2))) void notify_status(const char *format, ...);

#endif
