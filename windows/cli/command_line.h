/* SPDX-License-Identifier: MIT */
/* A command line of Windows is one string, which the program takes apart. */
#ifndef WINDOWS_CLI_COMMAND_LINE_H
#define WINDOWS_CLI_COMMAND_LINE_H

#include <wchar.h>

/* The arguments, NULL after the last, quoted so that the usual rules give the same ones back. To be
 * freed; NULL: no memory. */
wchar_t *command_line_from(char **arguments);

#endif
