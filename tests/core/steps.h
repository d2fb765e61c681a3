/* SPDX-License-Identifier: MIT */
/*
 * What is done to an engine in a trial: steps that do not depend on each other. Each can be done
 * in any state, so that some can be left out and the others still mean the same.
 */
#ifndef TESTS_CORE_STEPS_H
#define TESTS_CORE_STEPS_H

#include "tests/core/random.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum step_op {
    STEP_POST,        /* a: type, b: bytes */
    STEP_CREATE,      /* b: bytes; may be refused */
    STEP_LOST,        /* a: reason, b: count */
    STEP_FORGET,      /* */
    STEP_ATTACH,      /* a: name, b: flags */
    STEP_CLOSE,       /* */
    STEP_DETACH,      /* a: name */
    STEP_FETCH,       /* a: acknowledgement, b: bytes of the buffer */
    STEP_QUEUE,       /* the same, but engine_match() is not called yet */
    STEP_WAIT,        /* b: bytes of the buffer */
    STEP_MATCH,       /* */
    STEP_CANCEL,      /* b: which of those in the queue */
    STEP_DRAIN,       /* a: acknowledgement, b: bytes of the buffer */
    STEP_ACKNOWLEDGE, /* a: acknowledgement */
    STEP_BUDGET,      /* b: bytes */
    STEP_RECORD_MAX,  /* b: bytes */
    STEP_MALFORMED,   /* a: request, b: what is wrong with it */
    STEP_OPS
};

/* What is acknowledged. */
enum step_ack {
    ACK_NOTHING,
    ACK_ALL,      /* that was delivered */
    ACK_HALF,     /* of what was delivered since the last time */
    ACK_OLD,      /* what was acknowledged already */
    ACK_TOO_MUCH, /* one more than was delivered */
    ACK_ENDLESS,
    ACKS
};

enum step_request {
    REQUEST_ATTACH,
    REQUEST_FETCH,
    REQUEST_DRAIN,
    REQUEST_WAIT,
    REQUEST_ACKNOWLEDGE,
    REQUEST_STATS,
    REQUEST_CONFIGURE,
    REQUEST_DETACH,
    REQUESTS
};

enum step_wrong { WRONG_VERSION, WRONG_FLAGS, WRONG_SIZE, WRONG_SHORT, WRONG_LONG, WRONGS };

/* Names are "", "1", "2" ...: the first is that of ephemeral consumers. */
#define STEP_NAMES    5u
#define STEP_FAIL_ALL 255u

struct step {
    uint8_t op;    /* enum step_op */
    uint8_t owner; /* of the consumer */
    uint8_t fail;  /* this allocation of the step fails, from 1; 0: none; or STEP_FAIL_ALL */
    uint32_t a;
    uint32_t b;
};

/* In what the steps are done. */
struct step_setting {
    uint64_t budget;
    bool deny;
    unsigned owners;
};

#define STEP_OWNERS_MAX 70u

/* Makes a setting and steps for it that have something in common: each seed tries something else.
 * Returns how many steps there are, at most `max`. */
unsigned steps_make(struct random *random, struct step_setting *setting, struct step *steps,
                    unsigned max);

void step_print(FILE *out, const struct step *step);

#endif
