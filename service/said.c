/* SPDX-License-Identifier: MIT */
#include "service/said.h"

#include "events/text.h"
#include "program/complain.h"

#include <stdlib.h>
#include <string.h>

#define READ_SIZE 4096

void said_end(struct said *said, const char *name)
{
    char *text = said->size ? text_escaped(said->line, said->size) : NULL;

    if (text)
        complain("%s: %s", name, text);
    free(text);
    said->size = 0;
}

static void take(struct said *said, const char *name, const char *bytes, size_t size)
{
    while (size > 0) {
        const char *end = memchr(bytes, '\n', size);
        size_t piece = end ? (size_t)(end - bytes) : size;
        size_t room = sizeof(said->line) - said->size;
        size_t copied = piece < room ? piece : room;

        memcpy(said->line + said->size, bytes, copied);
        said->size += copied;
        if (said->size == sizeof(said->line) || (end && copied == piece))
            said_end(said, name);
        copied += end && copied == piece;
        bytes += copied;
        size -= copied;
    }
}

int said_read(struct said *said, const char *name, struct job *job, enum job_stream stream)
{
    char bytes[READ_SIZE];
    int n = job_read(job, stream, bytes, sizeof(bytes));

    if (n > 0)
        take(said, name, bytes, (size_t)n);
    else if (n < 0)
        said_end(said, name);
    return n;
}
