/* SPDX-License-Identifier: MIT */
/*
 * A process that a handler has started: its stdin and stdout are pipes to us, its stderr one more, and
 * nothing else of ours is open in it. It is in a session of its own, on Windows in a job object, and
 * ends with the thread that started it, which is the only one to use it. Each platform has one
 * implementation.
 */
#ifndef SERVICE_JOB_H
#define SERVICE_JOB_H

#include "service/account.h"
#include "service/bell.h"
#include "service/kin.h"

#include <rollcall/rollcall.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct job;

/* Where to read from. */
enum job_stream { JOB_OUTPUT, JOB_ERRORS };

struct job_end {
    bool by_signal;
    uint32_t status; /* the exit status, or the signal */
};

/* Starts it. environment: "NAME=value" beside what we have, NULL after the last; NULL: nothing.
 * user: as whom; NULL: as who we are. 0 or a negative errno value (rollcall_error()). */
int job_start(struct job **out, char *const *words, char *const *environment,
              const struct account *user);

/* Takes it away; it is killed if it has not ended, with what it has started in its session. NULL is
 * allowed. */
void job_free(struct job *job);

uint32_t job_pid(const struct job *job);

/* How events name it. */
void job_identity(const struct job *job, struct kin_root *identity);

/* Gives it bytes on stdin, as many as there is room for. How many, or -EPIPE: it does not read any
 * more. None of these three wait. */
int job_write(struct job *job, const char *data, size_t size);

/* What it has written. Bytes, 0: nothing at the moment, -EPIPE: it will not write any more. */
int job_read(struct job *job, enum job_stream stream, char *data, size_t room);

/* Whether it has ended; what it has written can still be read. */
bool job_ended(struct job *job, struct job_end *end);

/* It gets no more. */
void job_close_input(struct job *job);

/* Kills it, and what it has started in its session, also if it has ended itself. */
void job_kill(struct job *job);

/* What to wait for. */
struct job_wait {
    struct job *const *jobs; /* each of which may be NULL */
    size_t count;
    struct rollcall *events; /* NULL: none are wanted */
    const struct bell *bell;
};

/* Waits until a process has written, reads again after job_write() took less than all, or has ended;
 * until there are events; or until the bell rings. -1: without limit. */
void job_wait(const struct job_wait *wait, int timeout_ms);

/* How events name this very process. */
void job_self(struct kin_root *identity);

#endif
