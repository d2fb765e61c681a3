/* SPDX-License-Identifier: MIT */
#include "cli/command.h"
#include "cli/complain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct command commands[] = {
    {"watch", command_watch, "show every process event, at once"},
    {"run", command_run, "run a command and show every process it starts"},
    {"record", command_record, "keep every process event in a journal"},
    {"query", command_query, "ask a journal"},
    {"tree", command_tree, "who started whom, now or at a moment in a journal"},
    {"stats", command_stats, "what waits, what was lost, who reads"},
    {"doctor", command_doctor, "can this machine run rollcall, and what to do if not"},
    {"detach", command_detach, "take a consumer's programs and ring out of the kernel"},
    {"bench", command_bench, "measure cost, latency, throughput and loss on this machine"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(FILE *to)
{
    fputs("Every process that starts, is replaced or ends on this machine: none missing.\n\n"
          "usage: rollcall COMMAND [OPTION...]\n\n",
          to);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].summary);
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

int main(int argc, char **argv)
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
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            char *full = argv[1]; /* getopt's messages begin with it */

            complain_as(commands[i].name);
            if (asprintf(&full, "rollcall %s", name) > 0)
                argv[1] = full;
            return flush(commands[i].run(argc - 1, argv + 1));
        }
    }
    return complain_usage("there is no command '%s'", name);
}
