/* SPDX-License-Identifier: MIT */
/* An engine and the model of it side by side: does a step to both, and looks whether they agree.
 * If they do not, it says so and aborts. */
#ifndef TESTS_CORE_TRIAL_H
#define TESTS_CORE_TRIAL_H

#include "tests/core/host.h"
#include "tests/core/model.h"
#include "tests/core/steps.h"

#define TRIAL_REPLY (sizeof(struct rollcall_reply) + ROLLCALL_REPLY_MAX)
/* More than any buffer of a step, for more than a reply can have. */
#define TRIAL_BUFFER (TRIAL_REPLY + 4096u)

/* Who attaches: its queue, and what is in it. */
struct trial_owner {
    struct owner queue;
    uint64_t id; /* also when it is closed */
    struct request *requests[ROLLCALL_PENDED_MAX];
    unsigned count;
    unsigned matched; /* so many of them must not wait while there is something */
};

struct trial {
    struct host host;
    struct engine *engine;
    struct model model;
    struct trial_owner owners[STEP_OWNERS_MAX];
    size_t engine_bytes; /* of the engine without its log */
    uint32_t events;     /* pid of the last one */
    uint32_t attaches;
    bool covered; /* all that live have their room reserved, if the policy keeps what it promises */
    uint64_t largest; /* bytes of the largest block that there can be */

    /* Of this step. */
    uint64_t used;          /* before it */
    uint64_t allowed_seq;   /* what may be given up at most */
    enum engine_status got; /* from the engine */
    size_t bytes;           /* of the answer in the buffer */
    struct rollcall_attached attached;
    uint64_t ack; /* what was acknowledged */

    struct rollcall_engine_stats stats;
    struct rollcall_consumer_stats consumers[ROLLCALL_CONSUMERS_MAX];

    uint64_t event[ROLLCALL_RECORD_MAX / sizeof(uint64_t)];
    uint64_t buffer[TRIAL_BUFFER / sizeof(uint64_t) + 1];
    uint64_t expected[TRIAL_REPLY / sizeof(uint64_t)];
};

void trial_begin(struct trial *trial, const struct step_setting *setting);
void trial_step(struct trial *trial, const struct step *step);

/* Closes all, and looks whether everything is given back. */
void trial_end(struct trial *trial);

#endif
