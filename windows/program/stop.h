/* SPDX-License-Identifier: MIT */
/* What asks a process to end, for who waits for several things, and for who knows of it otherwise
 * than by the console. */
#ifndef WINDOWS_PROGRAM_STOP_H
#define WINDOWS_PROGRAM_STOP_H

#include <windows.h>

/* Signalled from the moment on that signals_stop() is not 0; NULL before signals_install(). */
HANDLE stop_event(void);

/* Asks to end, by any thread. */
void stop_ask(void);

/* Whoever asked has been heard; from here on it counts anew. */
void stop_forget(void);

/* For a command that runs another one in the same console: Ctrl-C is left to that one. */
void stop_ignore(void);

#endif
