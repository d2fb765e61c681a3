/* SPDX-License-Identifier: MIT */
/* The control device, by which user mode reaches the driver. */
#ifndef WINDOWS_DRIVER_DEVICE_H
#define WINDOWS_DRIVER_DEVICE_H

#include "windows/driver/ntos.h"

/* Makes it; nobody can use it before device_open(). It goes with the driver. */
NTSTATUS device_create(WDFDRIVER driver, WDFDEVICE *device);

void device_open(WDFDEVICE device);

#endif
