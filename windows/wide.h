/* SPDX-License-Identifier: MIT */
/* Text is UTF-8 everywhere in rollcall, and UTF-16 where Windows is spoken to. */
#ifndef WINDOWS_WIDE_H
#define WINDOWS_WIDE_H

#include <stddef.h>

/* As UTF-16, to be freed. NULL: no memory. */
wchar_t *wide_from(const char *text);

/* As UTF-8, to be freed; U+FFFD stands for a surrogate without its other half. NULL: no memory. */
char *wide_to(const wchar_t *text);

#endif
