/* SPDX-License-Identifier: MIT */
/* Bytes for a person to read. */
#ifndef PROGRAM_SIZE_H
#define PROGRAM_SIZE_H

#include <stdint.h>

#define SIZE_TEXT 32

/* "1.5 MiB"; returns `text`. */
const char *size_text(char text[SIZE_TEXT], uint64_t bytes);

#endif
