/* SPDX-License-Identifier: MIT */
/*
 * How librollcall reaches the events: one table of functions for each way. Options have been
 * checked and completed when open() sees them; ring_size 0 means the platform's default. Failing functions use rollcall_fail().
 */
#ifndef LIB_TRANSPORT_H
#define LIB_TRANSPORT_H

#include <rollcall/rollcall.h>

struct transport {
    int (*open)(const struct rollcall_options *opts, void **state);
    void (*close)(void *state);
    int (*fd)(const void *state);       /* Linux, else NULL */
    void *(*handle)(const void *state); /* Windows, else NULL */
    int (*next)(void *state, int timeout_ms, struct rollcall_batch *batch);
    void (*interrupt)(void *state); /* any thread, signal handlers */
    int (*ack)(void *state, uint64_t seq);
    int (*stats)(void *state, struct rollcall_stats *stats);
    /* Of a durable consumer: opts->name. */
    int (*inspect)(const struct rollcall_options *opts, struct rollcall_stats *stats);
    int (*names)(const struct rollcall_options *opts, int (*each)(const char *name, void *context),
                 void *context);
    int (*detach)(const struct rollcall_options *opts);
};

/* Who gets what a daemon reports. */
struct report_sink {
    struct rollcall_daemon_report *report;
    int (*each)(const struct rollcall_consumer_report *consumer, void *context);
    void *context;
};

/* Straight from this machine's kernel. Each platform has one. */
extern const struct transport transport_direct;

/* From a daemon, on Linux. */
extern const struct transport transport_daemon;

/* Which way a consumer with these options takes. Each platform has one. */
const struct transport *transport_choose(const struct rollcall_options *opts);

/* The names that can be reached with these options, which have none. */
int transport_names(const struct rollcall_options *opts,
                    int (*each)(const char *name, void *context), void *context);

/* Asks the daemon. Each platform has one. */
int transport_report(const struct rollcall_options *opts, const struct report_sink *sink);

#endif
