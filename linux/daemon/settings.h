/* SPDX-License-Identifier: MIT */
/* How rollcalld is to run: the command line, and a file of the same settings. */
#ifndef LINUX_DAEMON_SETTINGS_H
#define LINUX_DAEMON_SETTINGS_H

#include "journal/journal.h"
#include "linux/daemon/access.h"

#include <stdbool.h>

struct settings {
    char *socket;
    char *journal;
    char *group;  /* who may read all; NULL: only root, and who the rules name */
    char *name;   /* of the consumer in the kernel */
    char *exempt; /* whom the policy `deny` does not refuse: the path of a cgroup; NULL: none */
    uint64_t memory;
    char *metrics;         /* "ADDRESS:PORT", or a path; NULL: none */
    bool metrics_anywhere; /* also where others than this machine can ask */
    bool confine;          /* give up what is not needed any more */
    struct journal_options retention;
    struct rollcall_options capture;
    struct access access;
    bool help;
    bool version;
};

/* Fills it, which is all 0. EXIT_OK, or EXIT_USAGE or EXIT_FAIL after a complaint. */
int settings_read(struct settings *settings, int argc, char **argv);

void settings_free(struct settings *settings);

#endif
