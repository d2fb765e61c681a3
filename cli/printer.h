/* SPDX-License-Identifier: MIT */
/* The way from an event to the output: which are shown, and as what. */
#ifndef CLI_PRINTER_H
#define CLI_PRINTER_H

#include "cli/lines.h"
#include "cli/output.h"
#include "events/filter.h"
#include "events/processes.h"

#include <rollcall/rollcall.h>

#include <stdbool.h>
#include <stdint.h>

struct printer {
    struct output output;
    struct lines lines;
    struct processes processes;
    struct filter *filter;
    bool json;
    bool tree;
    bool existing;   /* show the processes that were there before */
    bool followed;   /* show only processes that are followed (processes.h) */
    bool hides_self; /* do not show this process */
    uint32_t self_pid;
    uint32_t self_ns;
    uint64_t limit; /* show so many events; 0: all */
    uint64_t shown;
    uint64_t lost;

    /* Who asks for descendants, programs or a tree must know the processes that were there
     * before; what happens until they are known waits here. */
    bool tracks; /* processes are kept account of */
    bool waits;
    char *waiting;
    size_t waiting_size;
    size_t waiting_room;
};

/* Whether the events must begin with the processes that were there before. */
bool printer_needs_existing(const struct printer *printer);

/* Begins to write to `fd`. The other fields have been set. 0 or a negative errno. */
int printer_open(struct printer *printer, int fd);
void printer_close(struct printer *printer);

/* Shows the events and writes them out. 0; 1: the limit is reached; or a negative errno as
 * output_flush() has it. */
int printer_batch(struct printer *printer, const struct rollcall_batch *batch);

/* Does not show this very process: what a watcher itself does is seldom what its user is
 * looking for. */
void printer_hide_self(struct printer *printer);

#endif
