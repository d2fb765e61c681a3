/* SPDX-License-Identifier: MIT */
/* What tap.c writes of each event. */
#ifndef TAP_H
#define TAP_H

#include <stdint.h>

struct tapped {
    uint64_t epoch;
    uint64_t seq;
    uint64_t start_ns;
    uint32_t type;
    uint32_t flags;
    uint32_t pid;
    uint32_t unused;
    uint64_t lost;
};

#endif
