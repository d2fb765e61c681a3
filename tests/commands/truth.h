/* SPDX-License-Identifier: MIT */
/* The truth of a load, from the file that rollcall-load wrote. */
#ifndef COMMANDS_TRUTH_H
#define COMMANDS_TRUTH_H

#include "tests/load/load.h"

/* Ends the program if the file is none. */
const struct truth *truth_map(const char *path);

#endif
