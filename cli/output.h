/* SPDX-License-Identifier: MIT */
/*
 * Where events are written. Text is collected and written at the end of a batch; what is
 * written to a reader that is slow waits, and the events that follow wait in the ring.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

struct output {
    FILE *text; /* write here */
    int fd;
    char *data; /* what was collected */
    size_t size;
    bool colour;
    unsigned width; /* columns of the terminal; 0: no terminal */
};

/* fd: an open descriptor, not closed by output_close(). 0 or a negative errno. */
int output_open(struct output *output, int fd);
void output_close(struct output *output);

/* Writes what was collected. 0; -EPIPE: nobody reads any more; -EINTR: a signal asked to end
 * (signals.h) while the reader was not reading; another negative errno. */
int output_flush(struct output *output);

#endif
