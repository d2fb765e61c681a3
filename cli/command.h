/* SPDX-License-Identifier: MIT */
/* The commands. Each gets its own arguments, its name first, and returns the exit status. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "program/status.h"

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

/* Those that this platform has, in the order of the help; one without name ends them. */
extern const struct command commands[];

/* What main() does, with UTF-8 arguments. */
int command_main(int argc, char **argv);

int command_watch(int argc, char **argv);
int command_run(int argc, char **argv);
int command_record(int argc, char **argv);
int command_query(int argc, char **argv);
int command_tree(int argc, char **argv);
int command_stats(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_detach(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_handle(int argc, char **argv);
int command_service(int argc, char **argv); /* Windows */

#endif
