/* SPDX-License-Identifier: MIT */
/* A security identifier as text, as Windows writes it: S-1-5-21-1-2-3-1001. */
#ifndef WINDOWS_DRIVER_SID_H
#define WINDOWS_DRIVER_SID_H

#include <stddef.h>
#include <stdint.h>

#define SID_TEXT_MAX 192u /* bytes: the longest has 15 parts of 10 digits */

/* How many bytes of `sid` are looked at is told by its own count of parts, of which no more than
 * 15 are believed. Returns the length of the text, which no NUL ends; 0: it is none. */
size_t sid_text(const uint8_t *sid, char text[SID_TEXT_MAX]);

#endif
