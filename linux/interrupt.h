/* SPDX-License-Identifier: MIT */
/*
 * What makes a waiting rollcall_next() return.
 *
 * The descriptor is the truth, and stays readable until it is taken; the hint spares a look at it. It comes
 * second: who was woken by the descriptor and does not see the hint yet looks and waits once more,
 * and the descriptor does not let it sleep.
 */
#ifndef LINUX_INTERRUPT_H
#define LINUX_INTERRUPT_H

#include <stdatomic.h>
#include <stdbool.h>

struct interrupt {
    int fd; /* readable: it was sent, and not taken */
    atomic_bool hint;
};

/* 0 or -errno. */
int interrupt_open(struct interrupt *interrupt);
void interrupt_close(const struct interrupt *interrupt);

/* From any thread, and from signal handlers. */
void interrupt_send(struct interrupt *interrupt);

/* Whether it was sent, once or more often, since it was taken last. */
bool interrupt_take(struct interrupt *interrupt);

#endif
