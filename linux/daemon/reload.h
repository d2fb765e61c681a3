/* SPDX-License-Identifier: MIT */
/*
 * SIGHUP: the settings are read again. A wrong file changes nothing; what cannot change while events
 * flow is said and stays. No connection is lost but those of who has lost a right: their library
 * connects again, and gets what it may have now.
 */
#ifndef LINUX_DAEMON_RELOAD_H
#define LINUX_DAEMON_RELOAD_H

#include "linux/daemon/daemon.h"

/* Before there is a second thread: SIGHUP does not end the process from here on. 0 or a negative errno. */
int reload_prepare(struct daemon *daemon);

/* The server is open. 0 or a negative errno (rollcall_fail). */
int reload_open(struct daemon *daemon);

#endif
