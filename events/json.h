/* SPDX-License-Identifier: MIT */
/* An event as one line of JSON: rollcall-json(5). */
#ifndef EVENTS_JSON_H
#define EVENTS_JSON_H

#include <rollcall/rollcall.h>

#include <jansson.h>

#include <stdio.h>

/* wall_offset_ns: as in struct rollcall_batch. 0, or -ENOMEM. */
int json_event(FILE *to, const struct rollcall_event *event, uint64_t epoch,
               int64_t wall_offset_ns);

/* The same in memory, with the end of the line, to be freed. NULL: no memory. */
char *json_line(const struct rollcall_event *event, uint64_t epoch, int64_t wall_offset_ns);

/* A string; U+FFFD stands for each byte that belongs to no character. NULL: no memory. */
json_t *json_text(const char *text, size_t size);

/* An array of the pieces, each ended by NUL. NULL: no memory. */
json_t *json_pieces(const char *text, size_t size);

/* "2026-11-23T17:47:21.123456789Z"; ns: since 1970. */
#define JSON_TIME_SIZE 40
void json_time(char text[JSON_TIME_SIZE], int64_t ns);

#endif
