/* SPDX-License-Identifier: MIT */
#include "cli/command.h"
#include "cli/complain.h"

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
    "  -a, --all                every consumer that nobody reads\n"
    "  -h, --help\n\n"
    "Without NAME: \"record\", the one of `rollcall record`. Needs root. One that somebody reads\n"
    "is refused.\n";

static const struct option options[] = {
    {"all", no_argument, NULL, 'a'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

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

static int detach(const char *name)
{
    if (rollcall_detach(name) < 0) {
        complain("%s", rollcall_error());
        return EXIT_FAIL;
    }
    if (isatty(STDOUT_FILENO))
        printf("'%s' is out of the kernel\n", name);
    return EXIT_OK;
}

/* What is removed while a directory is read may hide what follows: so the names first. */
static int detach_all(void)
{
    struct names names = {.count = 0};
    int status = EXIT_OK;

    if (rollcall_names(add, &names) < 0) {
        complain("%s", rollcall_error());
        return EXIT_FAIL;
    }
    for (size_t i = 0; i < names.count; i++)
        if (detach(names.names[i]) != EXIT_OK)
            status = EXIT_FAIL;
    return status;
}

int command_detach(int argc, char **argv)
{
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
        all = true;
    }
    if (all && optind < argc)
        return complain_usage("use either --all or names");
    if (all)
        return detach_all();
    if (optind == argc)
        return detach("record");
    for (; optind < argc; optind++)
        if (detach(argv[optind]) != EXIT_OK)
            status = EXIT_FAIL;
    return status;
}
