/* SPDX-License-Identifier: MIT */
/* Signals that ask a command to end; on Windows Ctrl-C and its like. */
#ifndef PROGRAM_SIGNALS_H
#define PROGRAM_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

/* From here on what asks the process to end no longer kills it but is noted, and a pipe without
 * reader is an error of writing to it. 0 or a negative errno. */
int signals_install(void);

/* What asked to end; 0: nothing yet. */
int signals_stop(void);

/* Waits so long, or until something asks to end: then it returns true. */
bool signals_pause(uint64_t ns);

/* From here on SIGHUP does not ask to end, but to read the configuration again. Windows has no such
 * signal. */
void signals_reload_by_hup(void);

/* Whether that was asked for since the last time. signals_pause() ends early when it is. */
bool signals_take_reload(void);

#endif
