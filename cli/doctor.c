/* SPDX-License-Identifier: MIT */
#include "cli/command.h"
#include "cli/output.h"
#include "program/complain.h"

#include "lib/requirements.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REQUIREMENTS_MAX 32

static const char help[] =
    "Tells whether this machine can run rollcall: each requirement, found or not, and what to do.\n"
    "It changes nothing.\n\n"
    "usage: rollcall doctor [OPTION...]\n\n"
    "  -j, --json               one line of JSON a requirement\n"
    "  -h, --help\n\n"
    "The exit status is 0 if rollcall can run, else 1.\n";

static const struct option options[] = {
    {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

static const char *const words[] = {
    [REQUIREMENT_MET] = "ok", [REQUIREMENT_MISSING] = "MISSING", [REQUIREMENT_ADVISED] = "advice"};
static const char *const colours[] = {[REQUIREMENT_MET] = "\033[32m",
                                      [REQUIREMENT_MISSING] = "\033[1;31m",
                                      [REQUIREMENT_ADVISED] = "\033[33m"};

static void put_text(const struct output *output, const struct requirement *requirement)
{
    bool colour = output->colour;

    fprintf(output->text, "%s%-8s%s %-28s %s\n", colour ? colours[requirement->state] : "",
            words[requirement->state], colour ? "\033[0m" : "", requirement->name,
            requirement->found);
    if (requirement->remedy[0])
        fprintf(output->text, "         -> %s\n", requirement->remedy);
}

static void put_json(const struct output *output, const struct requirement *requirement)
{
    static const char *const states[] = {[REQUIREMENT_MET] = "met",
                                         [REQUIREMENT_MISSING] = "missing",
                                         [REQUIREMENT_ADVISED] = "advised"};
    json_t *line = json_pack("{s:s, s:s, s:s, s:s}", "requirement", requirement->name, "state",
                             states[requirement->state], "found", requirement->found, "remedy",
                             requirement->remedy);

    if (line)
        json_dumpf(line, output->text, JSON_COMPACT);
    fputc('\n', output->text);
    json_decref(line);
}

static int run(bool json)
{
    static struct requirement list[REQUIREMENTS_MAX];
    size_t count = requirements_check(list, REQUIREMENTS_MAX);
    struct output output;
    bool missing = false;
    int err = output_open(&output, STDOUT_FILENO);

    for (size_t i = 0; err == 0 && i < count; i++) {
        if (json)
            put_json(&output, &list[i]);
        else
            put_text(&output, &list[i]);
        missing |= list[i].state == REQUIREMENT_MISSING;
    }
    if (err == 0 && !json)
        fputs(missing ? "rollcall cannot run on this machine as it is\n"
                      : "rollcall can run on this machine\n",
              output.text);
    if (err == 0)
        err = output_flush(&output);
    output_close(&output);
    if (err < 0 && err != -EPIPE)
        complain("cannot write: %s", strerror(-err));
    return missing || (err < 0 && err != -EPIPE) ? EXIT_FAIL : EXIT_OK;
}

int command_doctor(int argc, char **argv)
{
    bool json = false;
    int option;

    while ((option = getopt_long(argc, argv, "jh", options, NULL)) != -1) {
        if (option == '?')
            return complain_hint();
        if (option == 'h') {
            fputs(help, stdout);
            return EXIT_OK;
        }
        json = true;
    }
    if (optind < argc)
        return complain_usage("'%s' is too much: doctor takes only options", argv[optind]);
    return run(json);
}
