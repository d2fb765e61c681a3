/* SPDX-License-Identifier: MIT */
/* What signals are for who waits with poll(2), and for who runs another command. */
#ifndef LINUX_PROGRAM_SIGNAL_FD_H
#define LINUX_PROGRAM_SIGNAL_FD_H

#include <sys/types.h>

/* Readable from the moment on that signals_stop() is not 0. */
int signals_fd(void);

/* For a command that runs another one: SIGTERM and SIGHUP are passed on to it; SIGINT and SIGQUIT,
 * which the terminal sends to both, are left to it. */
void signals_pass_on(pid_t pid);

#endif
