/* SPDX-License-Identifier: MIT */
/* Numbers that look random, and are the same for the same seed. */
#ifndef TESTS_WINE_CHANCE_H
#define TESTS_WINE_CHANCE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

struct chance {
    uint64_t state;
};

/* `stream`: another sequence of the same seed, as for each thread. */
static inline struct chance chance_begin(uint64_t seed, uint64_t stream)
{
    struct chance chance = {(seed + 1) * 0x9E3779B97F4A7C15u ^ (stream + 1) * 0xBF58476D1CE4E5B9u};

    return chance.state != 0 ? chance : (struct chance){1};
}

static inline uint64_t chance_next(struct chance *chance)
{
    chance->state ^= chance->state >> 12;
    chance->state ^= chance->state << 25;
    chance->state ^= chance->state >> 27;
    return chance->state * 0x2545F4914F6CDD1Du;
}

/* 0 .. limit - 1 */
static inline uint32_t chance_below(struct chance *chance, uint32_t limit)
{
    return (uint32_t)((chance_next(chance) >> 32) * limit >> 32);
}

/* The seed of a test: its argument, or another one each time. It is printed. */
static inline uint64_t chance_seed(const char *argument)
{
    LARGE_INTEGER now;
    uint64_t seed;

    QueryPerformanceCounter(&now);
    seed = argument != NULL ? strtoull(argument, NULL, 0)
                            : (uint64_t)now.QuadPart ^ (uint64_t)GetCurrentProcessId() << 40;
    printf("seed %llu\n", (unsigned long long)seed);
    return seed;
}

#endif
