/* SPDX-License-Identifier: MIT */
/* What `rollcall stats` shows of a daemon and its consumers. */
#ifndef CLI_DAEMON_REPORT_H
#define CLI_DAEMON_REPORT_H

#include <rollcall/rollcall.h>

#include <stdbool.h>
#include <stdio.h>

/* What the daemon told at one time. */
struct daemon_report {
    struct rollcall_daemon_report daemon;
    struct rollcall_consumer_report *consumers;
    size_t count;
};

/* Asks. 0, or a negative errno with nothing to free. */
int daemon_report_get(const struct rollcall_options *opts, struct daemon_report *report);
void daemon_report_free(struct daemon_report *report);

/* Whether it has a consumer of this name. */
bool daemon_report_has(const struct daemon_report *report, const char *name);

/* Writes it, and of the consumers those whose name is in `names` (NULL ends them; none: all and the
 * daemon itself). before: an earlier report, for rates, after `ns`; NULL: none. -ENOMEM. */
int daemon_report_put(FILE *to, const struct daemon_report *report,
                      const struct daemon_report *before, uint64_t ns, char **names, bool json);

#endif
