/* SPDX-License-Identifier: MIT */
/* The directory that a journal of the whole machine is in. */
#ifndef WINDOWS_SERVICE_DIRECTORY_H
#define WINDOWS_SERVICE_DIRECTORY_H

#include <stdbool.h>
#include <wchar.h>

/* Whether a file or directory belongs to us, to administrators or to the system. */
bool directory_is_trusted(const wchar_t *path);

/* Makes it, for administrators and the system only; one that is there must be theirs. Returns 0, or
 * a negative errno value and a text for rollcall_error(). */
int directory_make(const wchar_t *path);

#endif
