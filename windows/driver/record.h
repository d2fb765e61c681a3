/* SPDX-License-Identifier: MIT */
/* Strings behind the base of a record. */
#ifndef WINDOWS_DRIVER_RECORD_H
#define WINDOWS_DRIVER_RECORD_H

#include <rollcall/event.h>

#include <stddef.h>
#include <stdint.h>

#define RECORD_TEXTS 3u

/* A string that is to stand in a record: UTF-16, or bytes that are UTF-8 already. */
struct record_text {
    uint16_t field; /* enum rollcall_text_field */
    uint16_t flags; /* enum rollcall_text_flag */
    const uint16_t *units;
    size_t count; /* of the units */
    const char *bytes;
    size_t full_size; /* bytes of UTF-8 that there are; record_fit() sets it for UTF-16 */
    size_t size;      /* bytes of them that the record gets; record_fit() sets it */
};

/* What a record can always be: its base, and strings of which only the heads are left. */
#define RECORD_LEAST (sizeof(struct rollcall_event) + RECORD_TEXTS * sizeof(struct rollcall_text))

/* Divides `limit` bytes, at least RECORD_LEAST: what does not fit is cut, the longest string first.
 * Returns the size of the record. */
size_t record_fit(struct record_text *texts, size_t count, size_t limit);

/* Writes the record: a copy of the base, then the strings as record_fit() has cut them. `record`
 * has room for the size that it returned. */
void record_write(const struct rollcall_event *base, const struct record_text *texts, size_t count,
                  struct rollcall_event *record);

#endif
