/* SPDX-License-Identifier: MIT */
/* The requests of include/rollcall/protocol.h as IOCTLs. */
#ifndef WINDOWS_DRIVER_REQUESTS_H
#define WINDOWS_DRIVER_REQUESTS_H

#include "windows/driver/ntos.h"

EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL requests_control;

#endif
