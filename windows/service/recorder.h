/* SPDX-License-Identifier: MIT */
/* The service: `rollcall record`, told by the service control manager when to end. */
#ifndef WINDOWS_SERVICE_RECORDER_H
#define WINDOWS_SERVICE_RECORDER_H

/* Runs as the service until it is stopped; the arguments are those of `rollcall record`, the name
 * of the command first. The exit status. */
int recorder_run(int argc, char **argv);

#endif
