/* SPDX-License-Identifier: MIT */
/* The processes that were there before the driver: each is told once, as `exists` or as `create`,
 * also while processes come and go. */
#ifndef WINDOWS_DRIVER_EXISTING_H
#define WINDOWS_DRIVER_EXISTING_H

#include "core/engine.h"
#include "windows/driver/ntos.h"

#include <stdbool.h>

/* Subscribes to the notifications, by that function, and notes who is there. On failure the caller
 * unsubscribes if the function succeeded, then calls existing_end(). */
NTSTATUS existing_begin(NTSTATUS (*subscribe)(void));

/* Announces all that are there, and that these were all. */
void existing_announce(void);

/* There are no notifications any more. */
void existing_end(void);

/* Posts the creation of a process; if it has been announced already, that was it: ENGINE_OK. */
enum engine_status existing_post_create(PEPROCESS process, const struct rollcall_event *create,
                                        bool refusable);

/* Before the exit of a process is posted: that it existed, if nobody has told. */
void existing_tell(PEPROCESS process);

#endif
