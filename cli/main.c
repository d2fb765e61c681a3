/* SPDX-License-Identifier: MIT */
#include "cli/command.h"
#include "program/complain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void help(FILE *to)
{
    fputs("Every process that starts, is replaced or ends on this machine: none missing.\n\n"
          "usage: rollcall COMMAND [OPTION...]\n\n",
          to);
    for (const struct command *command = commands; command->name; command++)
        fprintf(to, "  %-8s %s\n", command->name, command->summary);
    fputs("\n`rollcall COMMAND --help` tells the options of a command, `man rollcall-COMMAND` all "
          "about it.\n",
          to);
}

/* What printf(3) has collected, as a command's help, is written only here. */
static int flush(int status)
{
    if (fflush(stdout) == 0)
        return status;
    complain("cannot write: %s", strerror(errno));
    return EXIT_FAIL;
}

static int print(void (*what)(FILE *to))
{
    what(stdout);
    return flush(EXIT_OK);
}

static void version(FILE *to)
{
    fputs("rollcall " ROLLCALL_VERSION "\n", to);
}

int command_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    if (!*name) {
        help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return print(help);
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        return print(version);
    for (const struct command *command = commands; command->name; command++) {
        if (strcmp(name, command->name) == 0) {
            char *full = argv[1]; /* getopt's messages begin with it */

            complain_as(command->name);
            if (asprintf(&full, "rollcall %s", name) > 0)
                argv[1] = full;
            return flush(command->run(argc - 1, argv + 1));
        }
    }
    return complain_usage("there is no command '%s'", name);
}
