/* SPDX-License-Identifier: MIT */
/*
 * Processes that a measurement needs beside its own. Each is this program again, which is told by
 * its command line that it is one, and finds in memory that both share what it is to do. It ends
 * with the process that started it, however that ends.
 */
#ifndef WINDOWS_BENCH_HELPER_H
#define WINDOWS_BENCH_HELPER_H

#include <windows.h>

#include <stdbool.h>
#include <stddef.h>

/* What it does; the result is its exit status. */
typedef int helper_part(void *memory);

helper_part work_part;
helper_part floor_part;

/* Memory for a helper, zeroed: where it is here, to be given up by UnmapViewOfFile(). NULL: see
 * GetLastError(). */
void *helper_memory(size_t size, HANDLE *memory);

/* An event object of a helper and its starter, which one wait resets. NULL: see GetLastError(). */
HANDLE helper_event(void);

/* Starts a helper: "work" or "floor". Handles have the same values in it as here. 0 or a negative
 * errno. */
int helper_start(const wchar_t *part, HANDLE memory, HANDLE *process);

/* Ends it, if it has not ended, and closes the handle. */
void helper_end(HANDLE process);

/* At the program's start: false: this is no helper. Else it has done its part. */
bool helper_main(int argc, wchar_t **argv, int *status);

#endif
