/* SPDX-License-Identifier: MIT */
/*
 * A run's two sides: the driver with a design, and its service, a process that is killed and
 * stopped. Whatever does not work ends the program, and the service with it.
 */
#ifndef WINDOWS_LAB_HOST_H
#define WINDOWS_LAB_HOST_H

#include "lab/account.h"

struct host;

struct host_options {
    const struct lab_design *design;
    uint32_t number; /* of the design */
    uint32_t work_us;
    bool held;       /* the service, at work on the first event, until host_let_go() */
    uint32_t events; /* that will be raised */
};

/* Starts the driver. */
struct host *host_new(const struct host_options *options);
/* Kills the service, stops the driver. */
void host_free(struct host *host);

/* Starts the service; returns at once. */
void host_start(struct host *host);
/* Kills it; returns when it is dead. */
void host_kill(struct host *host);
/* Stops it, and lets it go on; returns when it runs no more. */
void host_stop(struct host *host);
void host_continue(struct host *host);
/* It has sent its first requests. Ends the program if it has ended by itself. */
bool host_started(struct host *host);

/* Returns when it is held, and lets it go on. */
void host_wait_held(struct host *host);
void host_let_go(struct host *host);

/* So many processes are created, one after the other. */
void host_raise(struct host *host, uint32_t count);
uint32_t host_raised(const struct host *host);

/* The service is there, has done all that follows from what it was sent, and so has the driver.
 * Nothing may be raised meanwhile. */
bool host_quiet(struct host *host);

/* Adds up; see lab_account_close(). */
const char *host_close(struct host *host, struct lab_result *result);

#endif
