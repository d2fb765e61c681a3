/* SPDX-License-Identifier: MIT */
/*
 * Design 2, as it was described: "Two requests: X is pended and completed as a signal; Y, sent when X
 * completes, returns everything outstanding. A counter decides: the callback increments it and
 * completes X only when the result is 1; Y decrements it for each event and stops at 0."
 */
#ifndef LAB_SIGNAL_AND_DRAIN_H
#define LAB_SIGNAL_AND_DRAIN_H

#include "lab/driver.h"

enum engine_status signal_and_drain_create(const struct lab_design *design,
                                           const struct engine_host *host, struct lab_driver **out);

#endif
