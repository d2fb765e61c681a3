/* SPDX-License-Identifier: MIT */
/* What the daemon says on its standard error: lines of "rollcalld: TEXT", or, if systemd's journal
 * reads them, with the level in front that it knows. complain() goes there too, as an error. */
#ifndef LINUX_DAEMON_LOG_H
#define LINUX_DAEMON_LOG_H

#include <stdint.h>
#include <syslog.h>

void log_open(void);

/* level: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO. For any thread. */
__attribute__((format(printf, 2, 3))) void log_line(int level, const char *format, ...);

/* What may come again and again is said once in a while, with how many times it was not. One for each
 * kind of line; of one thread. */
struct log_limit {
    uint64_t until_ns;
    uint64_t left_out;
};

__attribute__((format(printf, 3, 4))) void log_limited(struct log_limit *limit, int level,
                                                       const char *format, ...);

#endif
