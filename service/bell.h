/* SPDX-License-Identifier: MIT */
/* How one thread tells another that there is something to look at. Each platform has one
 * implementation. */
#ifndef SERVICE_BELL_H
#define SERVICE_BELL_H

#include <stdint.h>

struct bell {
    intptr_t handle; /* a descriptor that is readable, a HANDLE that is signalled, once it rings */
};

/* 0 or a negative errno value (rollcall_error()). */
int bell_open(struct bell *bell);
void bell_close(struct bell *bell);

/* It rings from here on. By any thread. */
void bell_ring(const struct bell *bell);

#endif
