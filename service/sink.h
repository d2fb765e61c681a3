/* SPDX-License-Identifier: MIT */
/*
 * Where a handler's events go: a program, a command for each, or a log. All belongs to the handler's
 * thread. A sink is opened anew after it has broken; its events are given to it again then.
 */
#ifndef SERVICE_SINK_H
#define SERVICE_SINK_H

#include "service/backoff.h"
#include "service/config.h"
#include "service/job.h"
#include "service/pending.h"
#include "service/state.h"

#include <rollcall/rollcall.h>

#include <stdbool.h>
#include <stdint.h>

struct sink {
    const struct sink_class *class;
    const struct config *config;
    struct state *state;
    struct pending pending;
    struct backoff *backoff; /* which it resets when it makes progress */
    uint64_t failed;         /* events that were given up */
    void *own;               /* of the class */
};

struct given {
    const struct rollcall_event *event;
    uint64_t epoch;
    int64_t wall_offset_ns;
};

/* What a sink can do. Those that return int return 0 or a negative errno value (rollcall_error()),
 * and the sink is broken then. */
struct sink_class {
    int (*open)(struct sink *sink);
    void (*close)(struct sink *sink);

    /* Whether it takes another event now. */
    bool (*has_room)(const struct sink *sink);

    /* Takes one; it is in `pending` from here on. */
    int (*give)(struct sink *sink, const struct given *given);

    /* After some were given, and after waiting: does what can be done at once. */
    int (*turn)(struct sink *sink);

    /* It gets no more and is to come to an end; whether it has. */
    bool (*finish)(struct sink *sink);

    /* The processes to wait for, and until when at most (system_mono_ns(); UINT64_MAX: no limit). */
    uint64_t (*wait)(const struct sink *sink, struct job_wait *wait);
};

extern const struct sink_class sink_program;
extern const struct sink_class sink_command;
extern const struct sink_class sink_log;

/* pending: room for so many. 0 or a negative errno value (rollcall_error()). */
int sink_open(struct sink *sink, const struct config *config, struct state *state,
              struct backoff *backoff);
void sink_close(struct sink *sink);

/* The event as a line of JSON with its end, to be freed. NULL: no memory (rollcall_error()). */
char *sink_line(const struct given *given, size_t *size);

/* "NAME: TEXT", for people. */
__attribute__((format(printf, 2, 3))) void sink_say(const struct sink *sink, const char *format,
                                                    ...);

/* "status 1", "signal 9". */
#define SINK_END_SIZE 32
const char *sink_end_text(char text[SINK_END_SIZE], const struct job_end *end);

#endif
