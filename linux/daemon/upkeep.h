/* SPDX-License-Identifier: MIT */
/*
 * What is due from time to time: that systemd hears that we live and what we do.
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

#endif
