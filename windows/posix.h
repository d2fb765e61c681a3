/* SPDX-License-Identifier: MIT */
/* What the portable code uses of POSIX and mingw-w64's C library lacks. Included before every file
 * of the portable code when it is built for Windows. */
#ifndef WINDOWS_POSIX_H
#define WINDOWS_POSIX_H

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#ifndef EDQUOT
#define EDQUOT 10069 /* no call returns it here */
#endif

char *strndup(const char *text, size_t size);
void *memrchr(const void *memory, int c, size_t size);

struct tm *gmtime_r(const time_t *seconds, struct tm *moment);
struct tm *localtime_r(const time_t *seconds, struct tm *moment);
time_t timegm(struct tm *moment);

/* Knows the conversions %Y %m %d %H %M %S. */
char *strptime(const char *text, const char *format, struct tm *moment);

#endif
