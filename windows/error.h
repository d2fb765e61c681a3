/* SPDX-License-Identifier: MIT */
/* The errors of Windows as errno values and as words. */
#ifndef WINDOWS_ERROR_H
#define WINDOWS_ERROR_H

#include <stdint.h>

/* The errno value (positive) of what GetLastError() gives; EIO of one that has none. */
int error_number(uint32_t code);

/* What Windows calls it; valid until this thread's next call. */
const char *error_text(uint32_t code);

#endif
