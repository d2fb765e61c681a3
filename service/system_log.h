/* SPDX-License-Identifier: MIT */
/* The logs that the system keeps. Each platform has one implementation. */
#ifndef SERVICE_SYSTEM_LOG_H
#define SERVICE_SYSTEM_LOG_H

#include <stdbool.h>
#include <stddef.h>

struct system_log;

/* The names of those that there are here, for a message: "syslog, journal". */
const char *system_log_names(void);

/* Whether it is one of these. */
bool system_log_known(const char *name);

/* handler: its name, which each line is marked with. NULL: no memory. */
struct system_log *system_log_new(const char *name, const char *handler);
void system_log_free(struct system_log *log);

/* Hands over one line, which does not end with a new line. 0, or a negative errno if nobody has taken
 * it (rollcall_error()). */
int system_log_write(struct system_log *log, const char *line, size_t size);

#endif
