/* SPDX-License-Identifier: MIT */
/* The control page: what the programs and the reader tell each other. */
#ifndef LINUX_CONTROL_H
#define LINUX_CONTROL_H

#include "linux/bpf/layout.h"

#include <stdatomic.h>
#include <stdint.h>

/* Maps the page of that map. NULL: errno says why. */
struct control *control_map(int data);

/* Opens the page of the named capture, if that was ever finished; else -ENOENT. The map, or a negative errno. */
int control_open(const char *name, struct control **control);

/* From here on an exit leaves its entry in `states`, for who comes later. Programs that have not
 * seen it yet have ended when this returns. */
void control_keep_exited(struct control *control);
#define UNTIDY 3 /* ticks until that ends: at least two full intervals */

static inline void set_u64(uint64_t *field, uint64_t value)
{
    atomic_store_explicit((_Atomic uint64_t *)field, value, memory_order_release);
}

static inline uint64_t get_u64(const uint64_t *field)
{
    return atomic_load_explicit((const _Atomic uint64_t *)field, memory_order_acquire);
}

static inline void set_u32(uint32_t *field, uint32_t value)
{
    atomic_store_explicit((_Atomic uint32_t *)field, value, memory_order_release);
}

static inline uint32_t get_u32(const uint32_t *field)
{
    return atomic_load_explicit((const _Atomic uint32_t *)field, memory_order_acquire);
}

#endif
