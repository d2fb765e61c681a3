/* SPDX-License-Identifier: MIT */
/* The kernel's notifications of processes, and the policy `deny`. */
#ifndef WINDOWS_DRIVER_NOTIFY_H
#define WINDOWS_DRIVER_NOTIFY_H

#include "windows/driver/ntos.h"

/* Begins to be notified, and announces who was there before. */
NTSTATUS notify_start(void);

/* Returns when no notification is under way any more. */
void notify_stop(void);

#endif
