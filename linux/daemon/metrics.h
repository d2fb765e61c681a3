/* SPDX-License-Identifier: MIT */
/*
 * The metrics, for Prometheus to fetch: a small HTTP server (libmicrohttpd) without a thread of its own. The
 * thread of the clients runs it when its descriptor is readable, so that what it tells needs no lock.
 *
 * What it tells is made at most once in a second, so that who asks all the time costs no more.
 */
#ifndef LINUX_DAEMON_METRICS_H
#define LINUX_DAEMON_METRICS_H

#include "linux/daemon/client.h"

struct metrics;

/* Whether that is a place to listen at, by its form: "ADDRESS:PORT" with a number for each, IPv6 in
 * brackets, or an absolute path. */
bool metrics_can_listen(const char *where);

/* Whether only this machine can ask there. */
bool metrics_is_local(const char *where);

/* Listens. 0 or a negative errno (rollcall_fail). */
int metrics_open(const char *where, const struct service *service, struct metrics **out);

/* NULL is allowed. */
void metrics_close(struct metrics *metrics);

/* Readable when metrics_run() has something to do; it has, too, some seconds after nothing came. */
int metrics_fd(const struct metrics *metrics);
void metrics_run(struct metrics *metrics);

#endif
