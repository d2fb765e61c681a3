/* SPDX-License-Identifier: MIT */
#include "lab/schedule.h"

#include "tests/core/random.h"

#include <stdbool.h>
#include <string.h>

static const struct lab_schedule schedules[] = {
    {"steady",
     "an event each ms, 50 us of work on each: any design is good enough",
     50,
     {{0, LAB_RAISE, 200, 1000}}},
    {"two-at-once",
     "the second event comes while the service is at work on the first",
     50,
     {{0, LAB_RAISE, 2, 0}}},
    {"sixteen-at-once", "as many events as `overlapped` has requests", 50, {{0, LAB_RAISE, 16, 0}}},
    {"seventeen-at-once", "one more", 50, {{0, LAB_RAISE, 17, 0}}},
    {"sixty-four-at-once",
     "as many events as N requests and M events have places",
     50,
     {{0, LAB_RAISE, 64, 0}}},
    {"sixty-five-at-once",
     "one more: the same for one queue of N+M and for two",
     50,
     {{0, LAB_RAISE, 65, 0}}},
    {"while-x-is-away",
     "an event between the end of Y and the next X, then one each ms",
     50,
     {{0, LAB_RAISE, 1, 0}, {60, LAB_RAISE, 1, 0}, {1000, LAB_RAISE, 20, 1000}}},
    {"before-y",
     "an event after X is completed and before Y arrives: Y takes both",
     50,
     {{0, LAB_RAISE, 1, 0}, {12, LAB_RAISE, 1, 0}, {1000, LAB_RAISE, 20, 1000}}},
    {"while-y-works",
     "an event while the service works on what Y took",
     50,
     {{0, LAB_RAISE, 1, 0}, {40, LAB_RAISE, 1, 0}, {1000, LAB_RAISE, 20, 1000}}},
    {"overload",
     "1,000 events, five times as fast as the service works",
     50,
     {{0, LAB_RAISE, 1000, 10}}},
    {"stalled",
     "the service does nothing for 5 s, 1,000 events a second come",
     50,
     {{0, LAB_RAISE, 6000, 1000}, {500500, LAB_STALL, 5000000, 0}}},
    {"away",
     "the service is killed while it waits, and returns after 50 events",
     50,
     {{0, LAB_RAISE, 10, 1000},
      {20000, LAB_DIE, 0, 0},
      {21000, LAB_RAISE, 40, 100},
      {30000, LAB_RAISE, 10, 0},
      {40000, LAB_RETURN, 0, 0},
      {50000, LAB_RAISE, 10, 1000}}},
    {"killed-at-work",
     "the service is killed with events in its hands, and returns",
     50,
     {{0, LAB_RAISE, 10, 0},
      {200, LAB_DIE, 0, 0},
      {10000, LAB_RETURN, 0, 0},
      {20000, LAB_RAISE, 10, 1000}}},
    {"restarted-often",
     "killed and started again ten times under 2,000 events a second",
     50,
     {{0, LAB_RAISE, 2000, 500},  {100010, LAB_DIE, 0, 0},    {100510, LAB_RETURN, 0, 0},
      {200020, LAB_DIE, 0, 0},    {210020, LAB_RETURN, 0, 0}, {300030, LAB_DIE, 0, 0},
      {300130, LAB_RETURN, 0, 0}, {400040, LAB_DIE, 0, 0},    {420040, LAB_RETURN, 0, 0},
      {500050, LAB_DIE, 0, 0},    {500060, LAB_RETURN, 0, 0}, {600060, LAB_DIE, 0, 0},
      {601060, LAB_RETURN, 0, 0}, {700070, LAB_DIE, 0, 0},    {705070, LAB_RETURN, 0, 0},
      {800080, LAB_DIE, 0, 0},    {800180, LAB_RETURN, 0, 0}, {900090, LAB_DIE, 0, 0},
      {950090, LAB_RETURN, 0, 0}, {980005, LAB_DIE, 0, 0},    {980205, LAB_RETURN, 0, 0}}},
};

const struct lab_schedule *lab_schedule_at(size_t index)
{
    return index < sizeof(schedules) / sizeof(schedules[0]) ? &schedules[index] : NULL;
}

const struct lab_schedule *lab_schedule_find(const char *name)
{
    const struct lab_schedule *schedule;

    for (size_t i = 0; (schedule = lab_schedule_at(i)) != NULL; i++)
        if (strcmp(schedule->name, name) == 0)
            return schedule;
    return NULL;
}

uint32_t lab_schedule_events(const struct lab_schedule *schedule)
{
    uint32_t events = 0;

    for (unsigned i = 0; i < LAB_STEPS_MAX; i++)
        if (schedule->step[i].action == LAB_RAISE)
            events += schedule->step[i].value;
    return events;
}

/* One step, at or after *now, which then is when the next can be. The service is there or away. */
static struct lab_step random_step(struct random *random, uint64_t *now, bool *there)
{
    struct lab_step step = {.at_us = *now};

    *now += random_below(random, 3) == 0 ? random_below(random, 60) : random_below(random, 20000);
    step.at_us = *now;
    switch (random_below(random, 6)) {
    case 0:
        if (*there) {
            step.action = LAB_STALL;
            step.value = random_below(random, 30000);
            *now += step.value + 1;
            return step;
        }
        break;
    case 1:
        step.action = *there ? LAB_DIE : LAB_RETURN;
        *there = !*there;
        return step;
    default:
        break;
    }
    step.action = LAB_RAISE;
    step.value = 1 + random_below(random, random_one_in(random, 4) ? 200 : 12);
    step.every_us = random_one_in(random, 2) ? 0 : random_below(random, 200);
    return step;
}

void lab_schedule_random(uint64_t seed, struct lab_schedule *schedule)
{
    struct random random = {.state = seed};
    uint64_t now = 0;
    bool there = true;
    unsigned steps = 2 + random_below(&random, LAB_STEPS_MAX - 4);

    memset(schedule, 0, sizeof(*schedule));
    schedule->name = "random";
    schedule->says = "events, stalls, deaths and returns as chance has them";
    schedule->work_us = random_below(&random, 200);
    for (unsigned i = 0; i < steps; i++)
        schedule->step[i] = random_step(&random, &now, &there);
    /* It returns in the end: only then can a run say what it missed. */
    if (!there)
        schedule->step[steps++] = (struct lab_step){.at_us = now + 1, .action = LAB_RETURN};
    schedule->step[steps] =
        (struct lab_step){.at_us = now + 100000, .action = LAB_RAISE, .value = 1};
}
