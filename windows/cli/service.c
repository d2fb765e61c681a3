/* SPDX-License-Identifier: MIT */
#include "cli/command.h"
#include "program/complain.h"
#include "program/parse.h"
#include "windows/service/directory.h"
#include "windows/service/manager.h"
#include "windows/service/names.h"
#include "windows/service/paths.h"
#include "windows/service/recorder.h"
#include "windows/wide.h"

#include <rollcall/rollcall.h>

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 8

static const char help[] =
    "The driver, which collects, and the recorder, a service of Windows that keeps every event in "
    "a\n"
    "journal.\n\n"
    "usage: rollcall service install [OPTION...]\n"
    "       rollcall service uninstall | start | stop [--driver] | status\n\n"
    "  install                  both, to be started when Windows starts\n"
    "      --driver FILE        where rollcall.sys is (default: beside rollcall.exe)\n"
    "      --driver-start WHEN  boot, system, or demand: when the recorder starts (default)\n"
    "      --no-driver          the recorder only\n"
    "      --journal FILE       (default: rollcall\\journal.db in the directory ProgramData)\n"
    "      --keep-age DURATION  remove events that are older: 30d, 12h\n"
    "      --keep-size SIZE     remove the oldest events so that the journal stays smaller: 10G\n"
    "      --manual             the recorder is started by hand only\n"
    "  uninstall                both; the journal stays\n"
    "  start                    both\n"
    "  stop                     the recorder; the driver goes on collecting\n"
    "      --driver             and the driver: what it still keeps is gone\n"
    "  status                   what they do; the exit status is 0 if both run\n"
    "  -h, --help\n\n"
    "Needs an administrator.\n";

enum { DRIVER = 1, DRIVER_START, NO_DRIVER, JOURNAL, KEEP_AGE, KEEP_SIZE, MANUAL };

static const struct option install_options[] = {
    {"driver", required_argument, NULL, DRIVER},
    {"driver-start", required_argument, NULL, DRIVER_START},
    {"no-driver", no_argument, NULL, NO_DRIVER},
    {"journal", required_argument, NULL, JOURNAL},
    {"keep-age", required_argument, NULL, KEEP_AGE},
    {"keep-size", required_argument, NULL, KEEP_SIZE},
    {"manual", no_argument, NULL, MANUAL},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0}};

static const struct option stop_options[] = {
    {"driver", no_argument, NULL, DRIVER}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

struct install {
    struct manager_options manager;
    const char *arguments[ARGUMENTS_MAX];
    size_t count;
    const char *journal;
    bool help;
};

static int print_help(void)
{
    fputs(help, stdout);
    return EXIT_OK;
}

static int done(int err)
{
    if (err < 0)
        complain("%s", rollcall_error());
    return err < 0 ? EXIT_FAIL : EXIT_OK;
}

/* ---- install ---- */

static int take_start(const char *when, DWORD *start)
{
    static const struct {
        const char *name;
        DWORD start;
    } known[] = {{"boot", SERVICE_BOOT_START},
                 {"system", SERVICE_SYSTEM_START},
                 {"demand", SERVICE_DEMAND_START}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(when, known[i].name) == 0) {
            *start = known[i].start;
            return EXIT_OK;
        }
    }
    return complain_usage("--driver-start takes boot, system or demand, not '%s'", when);
}

/* What the recorder takes as it is, once it is known to be right. */
static int pass_on(struct install *install, const char *name, bool right, const char *should)
{
    if (!right)
        return complain_usage("%s takes %s, not '%s'", name, should, optarg);
    install->arguments[install->count++] = name;
    install->arguments[install->count++] = optarg;
    return EXIT_OK;
}

static int take_option(struct install *install, int option)
{
    uint64_t number = 0;
    bool right;

    switch (option) {
    case DRIVER:
        install->manager.driver_file = optarg;
        return EXIT_OK;
    case DRIVER_START:
        return take_start(optarg, &install->manager.driver_start);
    case NO_DRIVER:
        install->manager.driver = false;
        return EXIT_OK;
    case JOURNAL:
        install->journal = optarg;
        return EXIT_OK;
    case KEEP_AGE:
        right = parse_duration(optarg, &number) && number >= 1000000000;
        return pass_on(install, "--keep-age", right, "a duration from 1s, like 30d");
    case KEEP_SIZE:
        right = parse_size(optarg, &number) && number >= 1 << 20;
        return pass_on(install, "--keep-size", right, "a size from 1M, like 10G");
    case MANUAL:
        install->manager.automatic = false;
        return EXIT_OK;
    case 'h':
        install->help = true;
        return EXIT_OK;
    default:
        return complain_hint();
    }
}

static int take_options(struct install *install, int argc, char **argv)
{
    unsigned seen = 0;
    int option;

    while ((option = getopt_long(argc, argv, "h", install_options, NULL)) != -1) {
        int status;

        if (option < 32 && seen >> option & 1)
            return complain_usage("each option of install may be given once");
        seen |= option < 32 ? 1u << option : 0;
        status = take_option(install, option);
        if (status != EXIT_OK || install->help)
            return status;
    }
    return optind < argc
               ? complain_usage("'%s' is too much: install takes only options", argv[optind])
               : EXIT_OK;
}

/* The service has another current directory than the user. NULL: the text is said. */
static char *full_name(const char *path)
{
    wchar_t *wide = wide_from(path);
    wchar_t *full = wide ? _wfullpath(NULL, wide, 0) : NULL;
    char *name = full ? wide_to(full) : NULL;

    if (!name)
        complain("'%s' is not the name of a file", path);
    free(full);
    free(wide);
    return name;
}

static char *default_journal(void)
{
    wchar_t *directory = paths_data();
    char *name = NULL;
    char *path = NULL;

    if (!directory || directory_make(directory) < 0) {
        complain("%s", directory ? rollcall_error() : "Windows does not say where ProgramData is");
        free(directory);
        return NULL;
    }
    name = wide_to(directory);
    if (name && asprintf(&path, "%s\\journal.db", name) < 0)
        path = NULL;
    free(name);
    free(directory);
    return path;
}

static int install(int argc, char **argv)
{
    struct install install = {
        .manager = {.driver = true, .driver_start = SERVICE_DEMAND_START, .automatic = true}};
    int status = take_options(&install, argc, argv);
    char *journal;

    if (status != EXIT_OK || install.help)
        return status == EXIT_OK ? print_help() : status;
    journal = install.journal ? full_name(install.journal) : default_journal();
    if (!journal)
        return EXIT_FAIL;
    install.arguments[install.count++] = journal;
    install.manager.arguments = install.arguments;
    status = done(manager_install(&install.manager));
    if (status == EXIT_OK)
        printf("installed; the journal will be %s\n`rollcall service start` starts it\n", journal);
    free(journal);
    return status;
}

/* ---- the others ---- */

static int only_help(int argc, char **argv, bool *wanted)
{
    int option = getopt_long(argc, argv, "h", stop_options + 1, NULL);

    *wanted = option == 'h';
    if (option == '?')
        return complain_hint();
    return optind < argc && !*wanted ? complain_usage("'%s' is too much", argv[optind]) : EXIT_OK;
}

static int uninstall(int argc, char **argv)
{
    bool wanted;
    int status = only_help(argc, argv, &wanted);

    if (status != EXIT_OK || wanted)
        return status == EXIT_OK ? print_help() : status;
    return done(manager_uninstall());
}

static int start(int argc, char **argv)
{
    bool wanted;
    int status = only_help(argc, argv, &wanted);

    if (status != EXIT_OK || wanted)
        return status == EXIT_OK ? print_help() : status;
    return done(manager_start());
}

static int stop(int argc, char **argv)
{
    bool driver = false;
    int option;

    while ((option = getopt_long(argc, argv, "h", stop_options, NULL)) != -1) {
        if (option == '?')
            return complain_hint();
        if (option == 'h')
            return print_help();
        driver = true;
    }
    if (optind < argc)
        return complain_usage("'%s' is too much: stop takes only options", argv[optind]);
    return done(manager_stop(driver));
}

static const char *state_name(DWORD state)
{
    switch (state) {
    case 0:
        return "not installed";
    case SERVICE_RUNNING:
        return "running";
    case SERVICE_STOPPED:
        return "stopped";
    case SERVICE_START_PENDING:
        return "starting";
    case SERVICE_STOP_PENDING:
        return "stopping";
    default:
        return "paused";
    }
}

/* 1: it runs; 0: it does not; or a negative errno. */
static int show(const char *title, const wchar_t *name)
{
    DWORD state = 0;
    DWORD pid = 0;
    DWORD error = 0;
    int err = manager_query(name, &state, &pid, &error);

    if (err < 0)
        return err;
    printf("%-10s %s", title, state_name(state));
    if (state == SERVICE_RUNNING && pid)
        printf(", process %lu", (unsigned long)pid);
    if (state == SERVICE_STOPPED && error != ERROR_SUCCESS && error != ERROR_SERVICE_NEVER_STARTED)
        printf(", it failed (%lu)", (unsigned long)error);
    putchar('\n');
    return state == SERVICE_RUNNING;
}

static int status_of_both(int argc, char **argv)
{
    bool wanted;
    int status = only_help(argc, argv, &wanted);
    int driver;
    int recorder;

    if (status != EXIT_OK || wanted)
        return status == EXIT_OK ? print_help() : status;
    driver = show("driver", DRIVER_SERVICE);
    recorder = driver < 0 ? driver : show("recorder", RECORDER_SERVICE);
    if (recorder < 0)
        return done(recorder);
    return driver && recorder ? EXIT_OK : EXIT_FAIL;
}

/* What the service control manager starts. */
static int run(int argc, char **argv)
{
    static char name[] = "record";
    static char quiet[] = "--quiet";
    static char consumer[] = "--name=" RECORDER_CONSUMER;
    char *arguments[64] = {name, quiet, consumer};
    int count = 3;

    if (argc - 1 > 60)
        return complain_usage("too many arguments");
    for (int i = 1; i < argc; i++)
        arguments[count++] = argv[i];
    return recorder_run(count, arguments);
}

/* getopt's messages begin with the first argument. */
static int act(int (*action)(int argc, char **argv), int argc, char **argv)
{
    static char full[] = "rollcall service";

    argv[0] = full;
    return action(argc, argv);
}

int command_service(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*act)(int argc, char **argv);
    } actions[] = {{"install", install}, {"uninstall", uninstall},   {"start", start},
                   {"stop", stop},       {"status", status_of_both}, {"run", run}};
    const char *name = argc > 1 ? argv[1] : "";

    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return print_help();
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (strcmp(name, actions[i].name) == 0)
            return act(actions[i].act, argc - 1, argv + 1);
    if (!*name)
        return complain_usage("what about it? install, uninstall, start, stop or status");
    return complain_usage("there is no `rollcall service %s`", name);
}
