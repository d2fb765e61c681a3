/* SPDX-License-Identifier: MIT */
/*
 * UTF-16 as Windows has it into UTF-8. Names and command lines there can hold a surrogate without
 * its other half; it becomes the three bytes that the same rule gives (WTF-8), so that nothing is
 * replaced and each text stays different from every other.
 */
#ifndef WINDOWS_DRIVER_WTF8_H
#define WINDOWS_DRIVER_WTF8_H

#include <stddef.h>
#include <stdint.h>

#define WTF8_MOST 3u /* bytes for one unit, at most */

/* How many bytes `count` units become. */
size_t wtf8_size(const uint16_t *units, size_t count);

/* Writes as many whole characters as fit into `room` bytes; returns how many bytes that are. */
size_t wtf8_encode(const uint16_t *units, size_t count, char *out, size_t room);

#endif
