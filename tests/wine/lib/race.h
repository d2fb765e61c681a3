/* SPDX-License-Identifier: MIT */
/*
 * Two things that race with each other. How long one waits for the other is moved, after each
 * turn, to where they meet: so that in a long run either comes first about as often.
 */
#ifndef TESTS_WINE_RACE_H
#define TESTS_WINE_RACE_H

#include "tests/wine/lib/chance.h"

#include <stdbool.h>

struct race {
    struct chance chance;
    int delay; /* of the second; negative: of the first */
    unsigned first, second;
    unsigned always; /* turns at the longest delay */
};

/* Does both. */
void race_run(struct race *race, void (*first)(void *context), void (*second)(void *context),
              void *context);

/* What came of it: how many were won by either. */
void race_won(struct race *race, unsigned first, unsigned second);

/* Spins a while, at random: up to so many turns. */
void race_spin(struct chance *chance, uint32_t most);

/* Prints it, and checks that either has won. */
void race_check(const struct race *race, const char *what);

#endif
