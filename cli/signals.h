/* SPDX-License-Identifier: MIT */
/* Signals that ask a command to end. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <sys/types.h>

/* From here on SIGINT, SIGTERM and SIGHUP no longer kill the process but are noted, and a pipe
 * without reader is an error of write(2). 0 or a negative errno. */
int signals_install(void);

/* For a command that runs another one: SIGTERM and SIGHUP are passed on to it; SIGINT and SIGQUIT,
 * which the terminal sends to both, are left to it. */
void signals_pass_on(pid_t pid);

/* The signal that asked to end; 0: none yet. */
int signals_stop(void);

/* Readable from the moment on that signals_stop() is not 0. */
int signals_fd(void);

#endif
