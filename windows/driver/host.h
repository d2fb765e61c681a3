/* SPDX-License-Identifier: MIT */
/* The engine in the kernel: what it is given, and what its results are to Windows. */
#ifndef WINDOWS_DRIVER_HOST_H
#define WINDOWS_DRIVER_HOST_H

#include "core/engine.h"
#include "windows/driver/parameters.h"

/* Makes the engine. Call it once, after clock_start(). */
NTSTATUS host_start(const struct parameters *parameters);

/* Nobody may use the engine any more. */
void host_stop(void);

struct engine *host_engine(void);

/* What a request is completed with. */
NTSTATUS host_status(enum engine_status status);

#endif
