/* SPDX-License-Identifier: MIT */
/*
 * The numbers that a consumer has been given while it was attached: each exactly once, in any
 * order of the answers, and in the end without a hole.
 */
#ifndef TESTS_WINE_NUMBERS_H
#define TESTS_WINE_NUMBERS_H

#include "tests/wine/lib/ask.h"

struct numbers {
    uint64_t acked_seq; /* they begin behind it */
    uint64_t whole_seq; /* all up to it are there */
    uint64_t last_seq;  /* the highest */
    uint64_t lost;      /* that stood in gaps */
    uint8_t *there;
    size_t room;
};

/* Attached anew; the memory is used again. Zero it before the first time. */
void numbers_begin(struct numbers *numbers, uint64_t acked_seq);
void numbers_free(struct numbers *numbers);

/* Checks the records of an answer, and that their numbers are new. */
void numbers_add(struct numbers *numbers, const struct answer *answer);

/* Checks that there is no hole, and nothing behind `last_seq`. */
void numbers_check(const struct numbers *numbers, uint64_t last_seq);

/* Drains what is left, each time acknowledging all that is whole; then acknowledges that too. */
void numbers_drain(struct numbers *numbers, HANDLE device);

#endif
