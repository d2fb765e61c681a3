/* SPDX-License-Identifier: MIT */
/* What the tests of the command share: events, and what is written. */
#ifndef SAMPLE_EVENTS_H
#define SAMPLE_EVENTS_H

#include <rollcall/rollcall.h>

#include <stddef.h>
#include <stdio.h>

#define EVENT_ROOM 4096

/* An event with its strings. */
struct made_event {
    _Alignas(8) char bytes[EVENT_ROOM];
};

/* The event; its version and size are set. The result lies in `made`. */
struct rollcall_event *make_event(struct made_event *made, const struct rollcall_event *event);

/* Adds a string. */
void make_text(struct made_event *made, enum rollcall_text_field field, const void *bytes,
               size_t size, unsigned flags, uint64_t full_size);

/* The same with a C string. */
void make_string(struct made_event *made, enum rollcall_text_field field, const char *text);

/* What is written to `file`, ended by NUL. */
struct written {
    FILE *file;
    char *text;
    size_t size;
};

void written_begin(struct written *written);

/* From here on `text` and `size` are right and `file` is closed. */
void written_end(struct written *written);
void written_free(struct written *written);

#endif
