/* SPDX-License-Identifier: MIT */
/* What a handler's processes write for people: passed on line by line, with the handler's name. */
#ifndef SERVICE_SAID_H
#define SERVICE_SAID_H

#include "service/job.h"

#include <stddef.h>

struct said {
    char line[512]; /* what has come of one; what is longer becomes several */
    size_t size;
};

/* Passes on some of what the job has written there. How many bytes, or -EPIPE: it will not write any
 * more. */
int said_read(struct said *said, const char *name, struct job *job, enum job_stream stream);

/* And what has no end of a line. */
void said_end(struct said *said, const char *name);

#endif
