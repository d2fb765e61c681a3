/* SPDX-License-Identifier: MIT */
/* What a client sends: one packet, one request. */
#ifndef LINUX_DAEMON_REQUESTS_H
#define LINUX_DAEMON_REQUESTS_H

#include "linux/daemon/client.h"

/* More than any packet that is well-formed. */
#define REQUESTS_PACKET_MAX 256u

/* Does what the packet says. `size` is what was sent, also if that is more than fits. */
void requests_handle(struct client *client, const void *packet, size_t size);

/* What waited for its place, or for events, to be stored is answered, if that is so now. */
void requests_stored(struct client *client);

#endif
