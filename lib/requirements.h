/* SPDX-License-Identifier: MIT */
/* What a machine must have to run rollcall: what `rollcall doctor` prints. */
#ifndef LIB_REQUIREMENTS_H
#define LIB_REQUIREMENTS_H

#include <stddef.h>

enum requirement_state {
    REQUIREMENT_MET,
    REQUIREMENT_MISSING, /* rollcall cannot run */
    REQUIREMENT_ADVISED  /* it runs, but something will not work or be worse */
};

struct requirement {
    enum requirement_state state;
    const char *name; /* what is required, in a few words */
    char found[256];  /* what was found */
    char remedy[512]; /* what to do, when the state is not MET; else empty */
};

/* Checks everything, without changing anything. Fills `list` and returns how many there are,
 * at most `room`. Each platform has one implementation. */
size_t requirements_check(struct requirement *list, size_t room);

#endif
