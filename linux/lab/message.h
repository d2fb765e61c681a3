/* SPDX-License-Identifier: MIT */
/* What goes over the socket between the lab's host and its service. */
#ifndef LINUX_LAB_MESSAGE_H
#define LINUX_LAB_MESSAGE_H

#include <stdint.h>

struct call {
    uint32_t slot;
    uint32_t code; /* ROLLCALL_CODE_FETCH, _WAIT or _DRAIN */
    uint64_t acked_seq;
};

/* The answer follows it. */
struct answer {
    uint32_t slot;
    uint32_t size;
};

#endif
