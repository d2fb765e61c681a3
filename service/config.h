/* SPDX-License-Identifier: MIT */
/* What a handler is to do: a file NAME.conf, rollcall-handlers(5). */
#ifndef SERVICE_CONFIG_H
#define SERVICE_CONFIG_H

#include "events/filter.h"
#include "service/account.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_ENDING       ".conf"
#define CONFIG_PREFIX       "handler-" /* of the consumer's name */
#define CONFIG_WINDOW_MAX   100000u
#define CONFIG_PARALLEL_MAX 60u

enum config_kind {
    CONFIG_PROGRAM,
    CONFIG_COMMAND,
    CONFIG_LOG_FILE,
    CONFIG_LOG_SYSTEM,
    CONFIG_KINDS
};

struct config {
    char *name;
    char *text; /* of the file: whether it has changed */
    enum config_kind kind;
    char **words; /* of the program or command */
    char *log;    /* the path, with its %u, or the name of the system's log */
    struct filter *filter;
    bool filter_exe; /* the filter asks for the program */
    bool from_oldest;
    bool self;            /* also what handlers start */
    unsigned window;      /* so many events at most are unanswered */
    unsigned parallel;    /* so many processes at most at once */
    unsigned tries;       /* of each event */
    uint64_t timeout_ns;  /* 0: none */
    uint64_t rotate_size; /* 0: never */
    unsigned rotate_keep; /* old files */
    struct account *user; /* NULL: who we are */
};

/* Reads DIRECTORY/NAME.conf. NULL: each thing that is wrong has been said (complain.h). */
struct config *config_read(const char *directory, const char *name);

/* NULL is allowed. */
void config_free(struct config *config);

#endif
