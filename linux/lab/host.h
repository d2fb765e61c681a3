/* SPDX-License-Identifier: MIT */
/*
 * The driver's side, live: it has the driver of a design, and a service that is another process, whose
 * requests come over a socket and pend here. One thread does all of it, so there is no lock.
 */
#ifndef LINUX_LAB_HOST_H
#define LINUX_LAB_HOST_H

#include "lab/account.h"

#include <sys/types.h>

struct host;

/* work_us: the service's, on an event. Ends the program if there is no memory. */
struct host *host_new(const struct lab_design *design, uint32_t work_us, uint32_t events);
void host_free(struct host *host);

/* Starts the service. */
void host_start(struct host *host);
/* Kills it, if it is there. */
void host_kill(struct host *host);
/* 0: it is not there. */
pid_t host_service(const struct host *host);

/* To poll: readable when host_serve() has something to do; -1 while the service is not there. */
int host_fd(const struct host *host);

/* Answers all requests that have come. */
void host_serve(struct host *host);

/* A process was created. */
void host_raise(struct host *host, uint64_t mono_ns);
uint32_t host_raised(const struct host *host);

/* The service is there, has done all that follows from what it was sent, and so have we. */
bool host_quiet(const struct host *host);

/* Adds up; see lab_account_close(). */
const char *host_close(struct host *host, struct lab_result *result);

#endif
