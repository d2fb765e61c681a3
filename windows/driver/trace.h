/* SPDX-License-Identifier: MIT */
/*
 * The driver's own troubles, for a debugger or DebugView. Windows shows a level when the mask of
 * the component IHVDRIVER has its bit (Kd_IHVDRIVER_Mask, or the registry's "Debug Print Filter").
 */
#ifndef WINDOWS_DRIVER_TRACE_H
#define WINDOWS_DRIVER_TRACE_H

#include "windows/driver/ntos.h"

#define TRACE_ERROR   0u
#define TRACE_WARNING 1u
#define TRACE_INFO    3u

#define TRACE(level, format, ...)                                                                  \
    DbgPrintEx(DPFLTR_IHVDRIVER_ID, (level), "rollcall: " format "\n", __VA_ARGS__)

#endif
