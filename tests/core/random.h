/* SPDX-License-Identifier: MIT */
/* Numbers that look like chance, and are the same again for the same seed. */
#ifndef TESTS_CORE_RANDOM_H
#define TESTS_CORE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state;
};

/* splitmix64: any seed is a good one. */
static inline uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* 0 .. below - 1 */
static inline uint32_t random_below(struct random *random, uint32_t below)
{
    return (uint32_t)((random_next(random) >> 32) * below >> 32);
}

static inline int random_one_in(struct random *random, uint32_t of)
{
    return random_below(random, of) == 0;
}

#endif
