/* SPDX-License-Identifier: MIT */
/* What ROLLCALL_CODE_STATS answers. */
#ifndef LINUX_DAEMON_STATS_H
#define LINUX_DAEMON_STATS_H

#include "linux/daemon/client.h"

/* Writes a rollcall_engine_stats and what fits of the consumers, as far as this client may know.
 * Returns the bytes. */
size_t stats_write(const struct client *client, void *out, size_t room);

#endif
