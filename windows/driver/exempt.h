/* SPDX-License-Identifier: MIT */
/* Whom the policy `deny` does not refuse: else a full log could refuse its own reader, or what
 * Windows itself cannot do without. */
#ifndef WINDOWS_DRIVER_EXEMPT_H
#define WINDOWS_DRIVER_EXEMPT_H

#include "windows/driver/ntos.h"

#include <stdbool.h>

NTSTATUS exempt_start(void);

/* A process has attached a consumer; its creations are exempt until as many removals. The caller
 * refers to it meanwhile. No more than ROLLCALL_CONSUMERS_MAX at a time. */
void exempt_add(PEPROCESS process);
void exempt_remove(PEPROCESS process);

/* Whether `created` must not be refused: its creator is a consumer, or it or its creator is one of
 * Windows' protected processes, or the System process made it. */
bool exempt_is(PEPROCESS created, PEPROCESS creator);

#endif
