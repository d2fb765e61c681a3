/* SPDX-License-Identifier: MIT */
/* Runs of programs that the kernel has skipped, as it does from Linux 7.0 on: how many, and what was missed. */
#ifndef LINUX_SKIPS_H
#define LINUX_SKIPS_H

#include "linux/capture.h"

/* Adds up what the kernel says of the programs that are attached. */
void skips_notice(struct capture *capture);

/* Announces who was overlooked, and counts as lost what nobody can have made good. What was noticed is old
 * enough that the programs have seen that they are to heal. */
void skips_heal(struct capture *capture);

#endif
