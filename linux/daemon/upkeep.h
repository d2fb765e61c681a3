/* SPDX-License-Identifier: MIT */
/*
 * What is due from time to time: that systemd hears that we live and what we do, and that connections
 * for metrics that say nothing end.
 *
 * We live if both threads go on. This one does when it gets here; the source's thread has turned since the
 * last time, as it was woken then. One that waits for a full disk turns every second, so it lives,
 * and the status says what it waits for.
 */
#ifndef LINUX_DAEMON_UPKEEP_H
#define LINUX_DAEMON_UPKEEP_H

#include "linux/daemon/daemon.h"

/* The server is open. 0 or a negative errno (rollcall_fail). */
int upkeep_open(struct daemon *daemon);
void upkeep_close(struct daemon *daemon);

/* What the settings say of metrics, in place of what there was: which stays if that fails. 0 or a
 * negative errno (rollcall_fail). */
int upkeep_set_metrics(struct daemon *daemon, const char *where);

#endif
