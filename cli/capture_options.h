/* SPDX-License-Identifier: MIT */
/* The options that all commands have which read from the kernel. */
#ifndef CLI_CAPTURE_OPTIONS_H
#define CLI_CAPTURE_OPTIONS_H

#include <rollcall/rollcall.h>

#include <getopt.h>

enum capture_option {
    OPTION_RING_SIZE = 1000,
    OPTION_ARGS_MAX,
    OPTION_LATENCY,
    OPTION_DIRECT,
    OPTION_DAEMON
};

/* Entries for the table of getopt_long(): from whom the events are had, for commands that ask only
 * that; and all. */
#define WAY_OPTIONS                                                                                \
    {"direct", no_argument, NULL, OPTION_DIRECT},                                                  \
    {                                                                                              \
        "daemon", optional_argument, NULL, OPTION_DAEMON                                           \
    }

#define CAPTURE_OPTIONS                                                                            \
    WAY_OPTIONS, {"ring-size", required_argument, NULL, OPTION_RING_SIZE},                         \
        {"args-max", required_argument, NULL, OPTION_ARGS_MAX},                                    \
    {                                                                                              \
        "latency", required_argument, NULL, OPTION_LATENCY                                         \
    }

#define WAY_HELP                                                                                   \
    "      --daemon[=SOCKET]    ask rollcalld, which may need no root (Linux)\n"                   \
    "      --direct             ask the kernel, also when rollcalld is there (Linux)\n"

#define CAPTURE_HELP                                                                               \
    WAY_HELP                                                                                       \
    "      --args-max SIZE      keep so much of each command line (default 32K)\n"                 \
    "      --latency DURATION   in a burst, be at most so late (default %s), so\n"                 \
    "                           that wake-ups are shared; `spin`: never sleep\n"                   \
    "      --ring-size SIZE     memory for events that wait (default 64M)\n"

/* Takes one of these options. EXIT_OK, or EXIT_USAGE after a complaint. */
int capture_option(int option, const char *value, struct rollcall_options *opts);

#endif
