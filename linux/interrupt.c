/* SPDX-License-Identifier: MIT */
#include "linux/interrupt.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int interrupt_open(struct interrupt *interrupt)
{
    atomic_init(&interrupt->hint, false);
    interrupt->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return interrupt->fd < 0 ? -errno : 0;
}

void interrupt_close(const struct interrupt *interrupt)
{
    if (interrupt->fd >= 0)
        close(interrupt->fd);
}

void interrupt_send(struct interrupt *interrupt)
{
    int before = errno;

    eventfd_write(interrupt->fd, 1);
    atomic_store(&interrupt->hint, true);
    errno = before;
}

bool interrupt_take(struct interrupt *interrupt)
{
    eventfd_t times;

    return atomic_load_explicit(&interrupt->hint, memory_order_relaxed) &&
           atomic_exchange(&interrupt->hint, false) && eventfd_read(interrupt->fd, &times) == 0;
}
