/* SPDX-License-Identifier: MIT */
#include "tests/wine/lib/race.h"

#include "tests/wine/lib/test.h"

#define TURN 32    /* pauses of the processor */
#define MOST 65536 /* turns */
#define ALWAYS                                                                                     \
    100 /* times that one wins however long it waits, before it is tried from zero again */

static void spin(uint32_t turns)
{
    uint32_t i;

    for (i = 0; i < turns * TURN; i++)
        YieldProcessor();
}

void race_spin(struct chance *chance, uint32_t most)
{
    spin(chance_below(chance, most));
}

void race_run(struct race *race, void (*first)(void *context), void (*second)(void *context),
              void *context)
{
    int span = race->delay < 0 ? -race->delay : race->delay;
    int delay = race->delay - span / 8 + (int)chance_below(&race->chance, (uint32_t)span / 4 + 8);

    if (delay >= 0) {
        first(context);
        spin((uint32_t)delay);
        second(context);
    } else {
        second(context);
        spin((uint32_t)-delay);
        first(context);
    }
}

void race_won(struct race *race, unsigned first, unsigned second)
{
    int span = race->delay < 0 ? -race->delay : race->delay;
    int step = 1 + span / 16;

    race->first += first;
    race->second += second;
    if (first > second)
        race->delay -= step;
    else if (second > first)
        race->delay += step;
    if (span < MOST) {
        race->always = 0;
        return;
    }
    race->delay = race->delay < 0 ? -MOST : MOST;
    if (++race->always == ALWAYS)
        race->delay = 0;
}

void race_check(const struct race *race, const char *what)
{
    printf("%s: %u against %u\n", what, race->first, race->second);
    CHECK(race->first > 0 && race->second > 0, "%s: they do not race", what);
}
