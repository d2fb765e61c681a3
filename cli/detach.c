/* SPDX-License-Identifier: MIT */
#include "cli/capture_options.h"
#include "cli/command.h"
#include "program/complain.h"

#include <rollcall/rollcall.h>

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAMES_MAX 64

static const char help[] =
    "Takes durable consumers out of the kernel: their programs, their ring, and the events that\n"
    "still wait there.\n\n"
    "usage: rollcall detach [OPTION...] [NAME...]\n\n"
    "  -a, --all                every consumer that nobody reads\n" WAY_HELP "  -h, --help\n\n"
    "Without NAME: \"record\", the one of `rollcall record`. Needs root, or the daemon's leave. "
    "One\n"
    "that somebody reads is refused.\n";

static const struct option options[] = {{"all", no_argument, NULL, 'a'},
                                        {"help", no_argument, NULL, 'h'},
                                        WAY_OPTIONS,
                                        {NULL, 0, NULL, 0}};

struct names {
    char names[NAMES_MAX][ROLLCALL_NAME_MAX + 1];
    size_t count;
};

static int add(const char *name, void *context)
{
    struct names *names = context;

    if (names->count == NAMES_MAX)
        return 1;
    snprintf(names->names[names->count++], sizeof(names->names[0]), "%s", name);
    return 0;
}

static int detach(const struct rollcall_options *way, const char *name)
{
    struct rollcall_options opts = *way;

    opts.name = name;
    if (rollcall_detach_at(&opts) < 0) {
        complain("%s", rollcall_error());
        return EXIT_FAIL;
    }
    if (isatty(STDOUT_FILENO))
        printf("'%s' is gone\n", name);
    return EXIT_OK;
}

/* What is removed while a directory is read may hide what follows: so the names first. */
static int detach_all(const struct rollcall_options *opts)
{
    struct names names = {.count = 0};
    int status = EXIT_OK;

    if (rollcall_names_at(opts, add, &names) < 0) {
        complain("%s", rollcall_error());
        return EXIT_FAIL;
    }
    for (size_t i = 0; i < names.count; i++)
        if (detach(opts, names.names[i]) != EXIT_OK)
            status = EXIT_FAIL;
    return status;
}

int command_detach(int argc, char **argv)
{
    struct rollcall_options opts = {.struct_size = sizeof(opts)};
    int status = EXIT_OK;
    bool all = false;
    int option;

    while ((option = getopt_long(argc, argv, "ah", options, NULL)) != -1) {
        if (option == '?')
            return complain_hint();
        if (option == 'h') {
            fputs(help, stdout);
            return EXIT_OK;
        }
        if (option == 'a')
            all = true;
        else
            capture_option(option, optarg, &opts);
    }
    if (all && optind < argc)
        return complain_usage("use either --all or names");
    if (all)
        return detach_all(&opts);
    if (optind == argc)
        return detach(&opts, "record");
    for (; optind < argc; optind++)
        if (detach(&opts, argv[optind]) != EXIT_OK)
            status = EXIT_FAIL;
    return status;
}
