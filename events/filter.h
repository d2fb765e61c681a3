/* SPDX-License-Identifier: MIT */
/*
 * Which events are shown. An expression is a list of terms, all of which must hold:
 *
 *     pid=17,18  ppid=1  uid=root,1000  comm=sh*  exe=/usr/bin/[*  type=create,exec
 *     descendants-of=1234
 *
 * Values are separated by commas, one of them must fit; != instead of = means that none does.
 * descendants-of means that process too, and whatever it or a descendant ever started.
 * Quotes ('...' or "...") keep spaces and commas in a value. comm and exe are glob patterns.
 * Gaps are always shown.
 */
#ifndef EVENTS_FILTER_H
#define EVENTS_FILTER_H

#include "events/processes.h"

#include <rollcall/rollcall.h>

#include <stdbool.h>

#define FILTER_ERROR_SIZE 256

struct filter; /* NULL: everything passes */

/* Adds the terms of `expression` to *filter, which may be NULL before. 0, -EINVAL with the
 * reason in `error`, or -ENOMEM; after an error *filter is what it was. */
int filter_add(struct filter **filter, const char *expression, char error[FILTER_ERROR_SIZE]);

void filter_free(struct filter *filter);

/* Whether processes must be known that were there before. */
bool filter_needs_existing(const struct filter *filter);

/* The pid of `descendants-of`; 0: none. */
uint32_t filter_ancestor(const struct filter *filter);

/* Which types of events may pass: bits 1 << enum rollcall_type. */
unsigned filter_types(const struct filter *filter);

/* process: the event's, NULL: not known. */
bool filter_passes(const struct filter *filter, const struct rollcall_event *event,
                   const struct process *process);

#endif
