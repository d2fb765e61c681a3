/* SPDX-License-Identifier: MIT */
/*
 * A handler: a thread with a durable consumer of its own, that gives the consumer's events to a sink
 * and acknowledges what the sink has done. When either fails it says so, closes both, waits (backoff.h)
 * and opens them again: what was not acknowledged is delivered again, so nothing is kept here that
 * would have to survive.
 */
#ifndef SERVICE_HANDLER_H
#define SERVICE_HANDLER_H

#include "service/config.h"
#include "service/state.h"

#include <rollcall/rollcall.h>

struct handler;

/* Starts it. config: the handler's then, also after an error. way: flags and socket of the consumer,
 * copied; its texts and `state` must outlive the handler. NULL: rollcall_error(). */
struct handler *handler_start(struct config *config, const struct rollcall_options *way,
                              struct state *state);

const struct config *handler_config(const struct handler *handler);

/* Asks it to come to an end: its processes get no more, and are killed if they have not ended within
 * some seconds. */
void handler_ask_to_end(struct handler *handler);

/* Waits for that, and frees it. */
void handler_join(struct handler *handler);

#endif
