/* SPDX-License-Identifier: MIT */
/*
 * What a driver did wrong. Each kind has a name; the test library looks for them in the file that
 * the registry names, which outlives the process.
 */
#ifndef WDFLDR_REPORT_H
#define WDFLDR_REPORT_H

#include <stddef.h>
#include <stdint.h>

/* Reports one misuse. kind: letters and '-', as tests/wine/README.md lists them. */
__attribute__((format(gnu_printf, 2, 3))) void report(const char *kind, const char *format, ...);

/* How many there were. */
uint32_t report_count(void);

#endif
