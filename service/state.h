/* SPDX-License-Identifier: MIT */
/*
 * What outlives the process that runs the handlers, in files of a directory of its own:
 *
 *     handle.lock  one process has it
 *     processes    who has run handlers, and their long-lived programs (kin.h): PID NAMESPACE START SPAN
 *     NAME.begin   where a handler began: EPOCH SEQ
 *
 * Functions that return int return 0 or a negative errno value (rollcall_error()).
 */
#ifndef SERVICE_STATE_H
#define SERVICE_STATE_H

#include "service/kin.h"

#include <pthread.h>
#include <stdint.h>

struct state {
    char *directory;
    intptr_t lock;
    pthread_mutex_t mutex; /* guards `known` and its file */
    struct kin_roots known;
    struct kin_roots before; /* as at the beginning, with us: not changed */
};

/* Nobody else may have the directory, which is made if need be. */
int state_open(struct state *state, const char *directory);
void state_close(struct state *state);

/* Keeps a process for our successors. By any thread. */
int state_add(struct state *state, const struct kin_root *root);

/* A handler gets nothing up to this place; and of what was there before that epoch began nothing. */
struct begin {
    uint64_t epoch;
    uint64_t seq;
};

int state_set_begin(const struct state *state, const char *name, const struct begin *begin);

/* Both 0 if there is none. */
int state_get_begin(const struct state *state, const char *name, struct begin *begin);

#endif
