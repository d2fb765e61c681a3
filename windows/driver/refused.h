/* SPDX-License-Identifier: MIT */
/*
 * Processes that the policy `deny` has refused. The kernel ends them, and tells that as the exit of
 * any other; but their creation was no event, so their exit is none.
 */
#ifndef WINDOWS_DRIVER_REFUSED_H
#define WINDOWS_DRIVER_REFUSED_H

#include "windows/driver/ntos.h"

#include <stdbool.h>
#include <stdint.h>

NTSTATUS refused_start(void);

void refused_add(uint32_t pid, int64_t create_time);

/* Whether it was refused; it is forgotten then. */
bool refused_remove(uint32_t pid, int64_t create_time);

#endif
