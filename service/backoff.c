/* SPDX-License-Identifier: MIT */
#include "service/backoff.h"

uint64_t backoff_next(struct backoff *backoff)
{
    uint64_t next = backoff->wait_ns ? 2 * backoff->wait_ns : BACKOFF_FIRST_NS;

    backoff->wait_ns = next < BACKOFF_MOST_NS ? next : BACKOFF_MOST_NS;
    return backoff->wait_ns;
}

void backoff_reset(struct backoff *backoff)
{
    backoff->wait_ns = 0;
}
