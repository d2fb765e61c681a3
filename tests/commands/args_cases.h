/* SPDX-License-Identifier: MIT */
/* Command lines that are hard to tell. */
#ifndef ARGS_CASES_H
#define ARGS_CASES_H

#include <stddef.h>

struct args {
    char **argv; /* ended by NULL */
    size_t count;
    char *bytes; /* all of them, each ended by NUL */
    size_t size;
    size_t room;
};

/* Makes the command line of that name. Ends the program if there is none, or no memory. */
void args_make(struct args *args, const char *name);
void args_free(struct args *args);

#endif
