/* SPDX-License-Identifier: MIT */
/* The text of the last error of each thread: what rollcall_error() returns. */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

/* Keeps the formatted text for rollcall_error() and returns `error` (a negative errno value),
 * so that a failing function can end with `return rollcall_fail(-EINVAL, "...")`. */
__attribute__((format(printf, 2, 3))) int rollcall_fail(int error, const char *format, ...);

#endif
