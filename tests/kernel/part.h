/* SPDX-License-Identifier: MIT */
/* How much of a test is run. */
#ifndef PART_H
#define PART_H

#include <stdint.h>

/* How often to do what a test does `count` times: as often, or only a part of it if the
 * environment has ROLLCALL_TEST_PART, as a machine that is emulated needs: 20 is a twentieth.
 * At least once. Ends the program if that is not a number from 1 on. */
uint32_t part_of(uint32_t count);

#endif
