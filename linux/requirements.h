/* SPDX-License-Identifier: MIT */
#ifndef LINUX_REQUIREMENTS_H
#define LINUX_REQUIREMENTS_H

#include "lib/requirements.h"

/* Of those that requirements_check() looks at: what this machine has not, although rollcall runs on it.
 * Fills `list` and returns how many there are, at most `room`. */
size_t requirements_limits(struct requirement *list, size_t room);

#endif
