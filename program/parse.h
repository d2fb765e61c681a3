/* SPDX-License-Identifier: MIT */
/* Numbers as users write them. Each returns false, and changes nothing, if the text is not all
 * of what it should be. */
#ifndef PROGRAM_PARSE_H
#define PROGRAM_PARSE_H

#include <stdbool.h>
#include <stdint.h>

/* "17": at most max. */
bool parse_number(const char *text, uint64_t max, uint64_t *value);

/* "64M": bytes; K, M, G, T are powers of 1024, a B or iB after them is allowed. */
bool parse_size(const char *text, uint64_t *bytes);

/* "1.5s", "20ms", "3m", "2h", "7d", "250us"; without unit: seconds. In nanoseconds. */
bool parse_duration(const char *text, uint64_t *ns);

/* A moment, in nanoseconds since 1970: "2026-11-23", "2026-11-23T14:05:09.25Z", with "+01:00",
 * or without either in local time; "14:05" and "14:05:09" today; "-10m", that long ago; "now". */
bool parse_time(const char *text, int64_t *ns);

#endif
