/* SPDX-License-Identifier: MIT */
/* What a handler's program writes: lines with SEQ, or EPOCH and SEQ, decimal: done up to here. */
#ifndef SERVICE_ANSWERS_H
#define SERVICE_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct answer {
    bool has_epoch;
    uint64_t epoch;
    uint64_t seq;
};

struct answers {
    char line[64]; /* what has come of a line; two numbers of 64 bits fit */
    size_t size;
};

/* Takes bytes as they come, in pieces of any size, up to the end of a line. 1: *answer is the next
 * one, 0: more bytes are needed, -EPROTO: it is not an answer (rollcall_error() shows it). *used:
 * how many bytes were taken. */
int answers_take(struct answers *answers, const char *bytes, size_t size, size_t *used,
                 struct answer *answer);

#endif
