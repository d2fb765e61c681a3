/* SPDX-License-Identifier: MIT */
/* Where things are. All are to be freed; NULL: no memory, or Windows does not say. */
#ifndef WINDOWS_SERVICE_PATHS_H
#define WINDOWS_SERVICE_PATHS_H

#include <wchar.h>

/* This program's file. */
wchar_t *paths_program(void);

/* A file beside it. */
wchar_t *paths_beside_program(const wchar_t *name);

/* A file below Windows' own directory. */
wchar_t *paths_in_windows(const wchar_t *name);

/* Our directory for data of the whole machine. */
wchar_t *paths_data(void);

/* The command line `PROGRAM service run ARGUMENT...`; NULL after the last argument. */
wchar_t *paths_command(const wchar_t *program, const char *const *arguments);

#endif
