/* SPDX-License-Identifier: MIT */
/* Events into buffers, and requests to their end. */
#ifndef CORE_DELIVER_H
#define CORE_DELIVER_H

#include "core/state.h"

/* Requests that were taken under the lock, to be completed outside of it. */
struct completions {
    unsigned count;
    size_t bytes;
    struct completion {
        struct engine_request request;
        enum engine_status status;
        size_t bytes;
    } list[ENGINE_TAKEN_MAX];
};

/* Fills the buffer with what the consumer has not been given yet: ENGINE_OK, ENGINE_NOTHING,
 * ENGINE_TOO_SMALL. The lock is held. */
enum engine_status deliver_fill(struct engine *engine, struct consumer *consumer, void *buffer,
                                size_t room, size_t *bytes);

/* Whether the log has given up what this consumer wants next and the host has an archive, which it is
 * told then. The lock is held. */
bool deliver_behind(struct engine *engine, struct consumer *consumer);

/* Answers queued requests of the consumer while there is something for them. The lock is held, but
 * given back while requests are completed. */
void deliver_match(struct engine *engine, struct consumer *consumer, struct completions *done);

/* The same for all consumers, then gives the lock back, and completes what is left. */
void deliver_all_and_unlock(struct engine *engine);

/* Completes what has been gathered. The lock is not held. */
void deliver_complete(const struct engine *engine, struct completions *done);

#endif
