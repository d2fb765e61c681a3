/* SPDX-License-Identifier: MIT */
/* How the threads of the daemon wait for each other. */
#ifndef LINUX_DAEMON_WAITING_H
#define LINUX_DAEMON_WAITING_H

#include <rollcall/rollcall.h>

#include <stdint.h>

/* Milliseconds until clock_mono_ns() is `then`, rounded up; -1: UINT64_MAX. */
int milliseconds_until(uint64_t then);

/* Until somebody has written to the eventfd(2) `wake_fd`, which is reset, or clock_mono_ns() is `then`
 * (UINT64_MAX: never). It may also return for no reason. */
void wait_until(int wake_fd, uint64_t then);

/* The source waits in one of two places: for events in rollcall_next(), else in wait_until(). */
struct waker {
    int fd; /* eventfd(2) */
    struct rollcall *rc;
};

/* Wakes it wherever it is: there, or where it waits next, it returns early. */
void waker_wake(const struct waker *waker);

#endif
