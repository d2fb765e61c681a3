/* SPDX-License-Identifier: MIT */
/*
 * What happens in a run, and when, in virtual time: so that what one run shows every run shows.
 */
#ifndef LAB_SCHEDULE_H
#define LAB_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

#define LAB_STEPS_MAX 64u

enum lab_action {
    LAB_RAISE, /* `value` events, one every `every_us` */
    LAB_STALL, /* the service does nothing for `value` microseconds */
    LAB_DIE,   /* the service is killed: its requests are gone, and what is in its hands */
    LAB_RETURN /* it is started again */
};

struct lab_step {
    uint64_t at_us;
    enum lab_action action;
    uint32_t value;
    uint32_t every_us; /* 0: all at once */
};

struct lab_schedule {
    const char *name;
    const char *says;
    uint32_t work_us; /* of the service on an event */
    /* Those that are not used are 0, which does nothing. Stalls do not overlap, and the service is
     * there at the start. */
    struct lab_step step[LAB_STEPS_MAX];
};

/* From the answer of a request to the service's code, and from the service's call to the driver. */
#define LAB_WAKE_US 10u
#define LAB_SEND_US 5u

const struct lab_schedule *lab_schedule_at(size_t index);
const struct lab_schedule *lab_schedule_find(const char *name);

/* A schedule that looks like chance, and is the same again for the same seed. */
void lab_schedule_random(uint64_t seed, struct lab_schedule *schedule);

/* How many events it raises. */
uint32_t lab_schedule_events(const struct lab_schedule *schedule);

#endif
