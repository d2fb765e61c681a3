/* SPDX-License-Identifier: MIT */
/* How long to wait before what failed is tried again: a second, doubling up to a minute. */
#ifndef SERVICE_BACKOFF_H
#define SERVICE_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_NS 1000000000ull
#define BACKOFF_MOST_NS  60000000000ull

struct backoff {
    uint64_t wait_ns; /* the last one; 0: none since it worked */
};

/* It has failed: how long to wait now. */
uint64_t backoff_next(struct backoff *backoff);

/* It works. */
void backoff_reset(struct backoff *backoff);

#endif
