/* SPDX-License-Identifier: MIT */
/*
 * What a consumer sees that may only see the processes of its own user: the events with its uid, in
 * an epoch of its own that begins when it attaches, numbered from 1 without a hole. Neither
 * numbers nor gaps say how much others do. Where events are missing it gets a gap that stands for
 * one number and is uncounted: whether one of them was its own is not known.
 */
#ifndef LINUX_DAEMON_VIEW_H
#define LINUX_DAEMON_VIEW_H

#include <rollcall/protocol.h>

#include <stddef.h>
#include <stdint.h>

struct view {
    uint64_t epoch;
    uint64_t last_seq; /* the newest number that it has given */
    uint32_t uid;
};

/* Makes of a whole reply, with its records behind it, what the view shows. Returns the bytes of that,
 * head included; the reply's count is 0 if it shows nothing of it. */
size_t view_filter(struct view *view, void *reply);

#endif
