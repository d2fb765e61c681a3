/* SPDX-License-Identifier: MIT */
/* Runs a design through a schedule in virtual time. */
#ifndef LAB_SIMULATOR_H
#define LAB_SIMULATOR_H

#include "lab/account.h"
#include "lab/schedule.h"

#include <stdio.h>

/* Returns NULL, or what is wrong with the run's accounts; the text is valid until the next call.
 * trace: where each step is told in words; NULL: nowhere. Ends the program if there is no memory. */
const char *lab_simulate(const struct lab_design *design, const struct lab_schedule *schedule,
                         FILE *trace, struct lab_result *result);

#endif
