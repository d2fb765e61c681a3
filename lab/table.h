/* SPDX-License-Identifier: MIT */
/* How runs are told: tab-separated lines, for people and for lab/run.sh. */
#ifndef LAB_TABLE_H
#define LAB_TABLE_H

#include "lab/account.h"

#include <stdio.h>

/* complete; tells: it lost events and said which; loses; hangs: events are there, and nobody will
 * take them. */
const char *table_verdict(const struct lab_result *result);

void table_head(FILE *file);
void table_line(FILE *file, const char *design, const char *schedule,
                const struct lab_result *result);

#endif
