/* SPDX-License-Identifier: MIT */
/* Exit statuses of our programs. */
#ifndef PROGRAM_STATUS_H
#define PROGRAM_STATUS_H

#define EXIT_OK    0
#define EXIT_FAIL  1 /* it did not work; stderr says why */
#define EXIT_USAGE 2 /* it was called wrongly; nothing was done */

#endif
