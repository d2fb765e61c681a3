/* SPDX-License-Identifier: MIT */
/* How the threads of the journal and of the kernel's events wait. */
#ifndef LINUX_DAEMON_WAITING_H
#define LINUX_DAEMON_WAITING_H

#include <stdint.h>

/* Until somebody has written to the eventfd(2) `wake_fd`, which is reset, `fd` (-1: none) is readable, or it
 * is `then` (clock_mono_ns(); UINT64_MAX: never). */
void wait_until(int wake_fd, int fd, uint64_t then);

#endif
