/* SPDX-License-Identifier: MIT */
#include "linux/daemon/settings.h"

#include "linux/daemon/metrics.h"
#include "linux/daemon/server.h"
#include "program/complain.h"
#include "program/parse.h"
#include "program/status.h"

#include <rollcall/protocol.h>

#include <getopt.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND         1000000000ull
#define JOURNAL_PATH   "/var/lib/rollcall/journal.db"
#define CONSUMER_NAME  "rollcalld"
#define MEMORY_DEFAULT ROLLCALL_BUDGET_DEFAULT
#define ARGS_MAX       (128u << 10) /* so that every record fits into ROLLCALL_RECORD_MAX */

/* ---- single settings ---- */

static bool take_text(char **text, const char *value)
{
    free(*text);
    *text = strdup(value);
    return *text != NULL && **text != '\0';
}

static bool take_socket(struct settings *settings, const char *value)
{
    return take_text(&settings->socket, value);
}

static bool take_journal(struct settings *settings, const char *value)
{
    return take_text(&settings->journal, value);
}

static bool take_group(struct settings *settings, const char *value)
{
    return take_text(&settings->group, value);
}

static bool take_name(struct settings *settings, const char *value)
{
    return take_text(&settings->name, value);
}

static bool take_memory(struct settings *settings, const char *value)
{
    return parse_size(value, &settings->memory) && settings->memory >= SERVER_MEMORY_MIN &&
           settings->memory <= ROLLCALL_BUDGET_MAX;
}

static bool take_keep_size(struct settings *settings, const char *value)
{
    return parse_size(value, &settings->retention.keep_bytes) &&
           settings->retention.keep_bytes >= 1 << 20;
}

static bool take_keep_age(struct settings *settings, const char *value)
{
    uint64_t ns;

    if (!parse_duration(value, &ns) || ns < SECOND)
        return false;
    settings->retention.keep_seconds = ns / SECOND;
    return true;
}

static bool take_ring_size(struct settings *settings, const char *value)
{
    uint64_t *size = &settings->capture.ring_size;

    return parse_size(value, size) && *size >= 4096 && *size <= 1u << 30 &&
           (*size & (*size - 1)) == 0;
}

static bool take_args_max(struct settings *settings, const char *value)
{
    uint64_t size;

    if (!parse_size(value, &size) || size == 0 || size > ARGS_MAX)
        return false;
    settings->capture.args_max = (uint32_t)size;
    return true;
}

static bool take_latency(struct settings *settings, const char *value)
{
    uint64_t ns;

    if (!parse_duration(value, &ns) || ns < 1000 || ns > SECOND)
        return false;
    settings->capture.latency_us = (uint32_t)(ns / 1000);
    return true;
}

static bool take_on_full(struct settings *settings, const char *value)
{
    bool deny = strcmp(value, "deny") == 0;

    settings->capture.on_full = deny ? ROLLCALL_ON_FULL_DENY : ROLLCALL_ON_FULL_GAP;
    return deny || strcmp(value, "gap") == 0;
}

static bool take_deny_grace(struct settings *settings, const char *value)
{
    uint64_t ns;

    if (!parse_duration(value, &ns) || ns < SECOND || ns > 86400 * SECOND)
        return false;
    settings->capture.deny_grace_ms = (uint32_t)(ns / 1000000);
    return true;
}

static bool take_deny_exempt(struct settings *settings, const char *value)
{
    return take_text(&settings->exempt, value);
}

static bool take_metrics(struct settings *settings, const char *value)
{
    return take_text(&settings->metrics, value) && metrics_can_listen(value);
}

static bool take_switch(bool *on, const char *value)
{
    *on = strcmp(value, "yes") == 0;
    return *on || strcmp(value, "no") == 0;
}

static bool take_metrics_anywhere(struct settings *settings, const char *value)
{
    return take_switch(&settings->metrics_anywhere, value);
}

static bool take_confine(struct settings *settings, const char *value)
{
    return take_switch(&settings->confine, value);
}

static const struct setting {
    const char *name;
    bool (*take)(struct settings *settings, const char *value);
    const char *what;
} all_settings[] = {
    {"socket", take_socket, "a path"},
    {"journal", take_journal, "a file"},
    {"group", take_group, "the name of a group"},
    {"name", take_name, "the name of a consumer"},
    {"memory", take_memory, "a size from 1M to 1G"},
    {"keep-size", take_keep_size, "a size from 1M, like 10G"},
    {"keep-age", take_keep_age, "a duration from 1s, like 30d"},
    {"ring-size", take_ring_size, "a power of two from 4K to 1G"},
    {"args-max", take_args_max, "a size from 1 to 128K"},
    {"latency", take_latency, "a duration from 1us to 1s"},
    {"metrics", take_metrics,
     "an address and a port, like 127.0.0.1:9127 or [::1]:9127, or a path"},
    {"metrics-anywhere", take_metrics_anywhere, "yes or no"},
    {"confine", take_confine, "yes or no"},
    {"on-full", take_on_full, "gap or deny"},
    {"deny-grace", take_deny_grace, "a duration from 1s to 1d"},
    {"deny-exempt", take_deny_exempt, "the directory of a cgroup"},
};

static const struct setting *find_setting(const char *name)
{
    for (size_t i = 0; i < sizeof(all_settings) / sizeof(all_settings[0]); i++)
        if (strcmp(all_settings[i].name, name) == 0)
            return &all_settings[i];
    return NULL;
}

/* ---- the file ---- */

static const struct {
    const char *section;
    unsigned rights;
} grants[] = {
    {"read-all", RIGHT_OWN | RIGHT_ALL},
    {"read-own", RIGHT_OWN},
    {"durable", RIGHT_OWN | RIGHT_ALL | RIGHT_DURABLE},
};

struct reading {
    struct settings *settings;
    const char *path;
    bool complained;
};

static int wrong(struct reading *reading, const char *section, const char *name, const char *why)
{
    complain("%s: [%s] %s: %s", reading->path, section, name, why);
    reading->complained = true;
    return 0;
}

static int grant(struct reading *reading, const char *section, const char *name, const char *value,
                 unsigned rights)
{
    bool groups = strcmp(name, "groups") == 0;

    if (!groups && strcmp(name, "users") != 0)
        return wrong(reading, section, name, "this section has only `users` and `groups`");
    return access_add(&reading->settings->access, groups, value, rights) == 0
               ? 1
               : wrong(reading, section, name, rollcall_error());
}

/* 0: an error, as libinih wants it. */
static int take_line(void *context, const char *section, const char *name, const char *value)
{
    struct reading *reading = context;
    const struct setting *setting = find_setting(name);

    for (size_t i = 0; i < sizeof(grants) / sizeof(grants[0]); i++)
        if (strcmp(section, grants[i].section) == 0)
            return grant(reading, section, name, value, grants[i].rights);
    if (strcmp(section, "daemon") != 0)
        return wrong(reading, section, name, "there is no such section");
    if (!setting)
        return wrong(reading, section, name, "there is no such setting");
    return setting->take(reading->settings, value) ? 1
                                                   : wrong(reading, section, name, setting->what);
}

static int read_file(struct settings *settings, const char *path)
{
    struct reading reading = {.settings = settings, .path = path};
    int line = ini_parse(path, take_line, &reading);

    if (line == 0)
        return EXIT_OK;
    if (line == -1)
        complain("cannot read '%s'", path);
    else if (line < 0)
        complain("no memory to read '%s'", path);
    else
        complain("%s: line %d is wrong", path, line);
    return EXIT_USAGE;
}

/* ---- the command line ---- */

static int usage(void)
{
    fputs("Try `rollcalld --help`.\n", stderr);
    return EXIT_USAGE;
}

enum { OPTION_CONFIG = 'c', OPTION_HELP = 'h', OPTION_VERSION = 'V', OPTION_SETTING = 1000 };

static const struct option options[] = {
    {"socket", required_argument, NULL, OPTION_SETTING},
    {"journal", required_argument, NULL, OPTION_SETTING + 1},
    {"group", required_argument, NULL, OPTION_SETTING + 2},
    {"name", required_argument, NULL, OPTION_SETTING + 3},
    {"memory", required_argument, NULL, OPTION_SETTING + 4},
    {"keep-size", required_argument, NULL, OPTION_SETTING + 5},
    {"keep-age", required_argument, NULL, OPTION_SETTING + 6},
    {"ring-size", required_argument, NULL, OPTION_SETTING + 7},
    {"args-max", required_argument, NULL, OPTION_SETTING + 8},
    {"latency", required_argument, NULL, OPTION_SETTING + 9},
    {"metrics", required_argument, NULL, OPTION_SETTING + 10},
    {"metrics-anywhere", required_argument, NULL, OPTION_SETTING + 11},
    {"confine", required_argument, NULL, OPTION_SETTING + 12},
    {"on-full", required_argument, NULL, OPTION_SETTING + 13},
    {"deny-grace", required_argument, NULL, OPTION_SETTING + 14},
    {"deny-exempt", required_argument, NULL, OPTION_SETTING + 15},
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0}};

static int take_option(struct settings *settings, int option)
{
    const struct setting *setting;

    switch (option) {
    case OPTION_CONFIG:
        return EXIT_OK;
    case OPTION_HELP:
        settings->help = true;
        return EXIT_OK;
    case OPTION_VERSION:
        settings->version = true;
        return EXIT_OK;
    case '?':
        return usage();
    default:
        setting = &all_settings[option - OPTION_SETTING];
        if (setting->take(settings, optarg))
            return EXIT_OK;
        complain("--%s takes %s, not '%s'", setting->name, setting->what, optarg);
        return usage();
    }
}

/* The file first: the command line has the last word. */
static int read_files(struct settings *settings, int argc, char **argv)
{
    int status = EXIT_OK;
    int option;

    opterr = 0;
    optind = 0;
    while (status == EXIT_OK && (option = getopt_long(argc, argv, "c:hV", options, NULL)) != -1)
        if (option == OPTION_CONFIG)
            status = read_file(settings, optarg);
    opterr = 1;
    optind = 0;
    return status;
}

static int set_defaults(struct settings *settings)
{
    settings->memory = MEMORY_DEFAULT;
    settings->confine = true;
    settings->capture.struct_size = sizeof(settings->capture);
    settings->capture.flags = ROLLCALL_DIRECT;
    if (take_socket(settings, ROLLCALL_SOCKET_PATH) && take_journal(settings, JOURNAL_PATH) &&
        take_name(settings, CONSUMER_NAME))
        return EXIT_OK;
    complain("out of memory");
    return EXIT_FAIL;
}

/* What can only be said of all settings together. */
static int check(struct settings *settings)
{
    if (settings->group &&
        access_add(&settings->access, true, settings->group, RIGHT_OWN | RIGHT_ALL) < 0) {
        complain("%s", rollcall_error());
        return EXIT_USAGE;
    }
    if (settings->metrics && !settings->metrics_anywhere && !metrics_is_local(settings->metrics)) {
        complain("metrics at '%s' could be read from other machines, by anyone: use an address of "
                 "this one, like 127.0.0.1, or `metrics-anywhere = yes` if that is wanted",
                 settings->metrics);
        return EXIT_USAGE;
    }
    if ((settings->capture.deny_grace_ms || settings->exempt) &&
        settings->capture.on_full != ROLLCALL_ON_FULL_DENY) {
        complain("`deny-grace` and `deny-exempt` are for `on-full = deny`");
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

int settings_read(struct settings *settings, int argc, char **argv)
{
    int status = set_defaults(settings);
    int option;

    if (status == EXIT_OK)
        status = read_files(settings, argc, argv);
    while (status == EXIT_OK && (option = getopt_long(argc, argv, "c:hV", options, NULL)) != -1)
        status = take_option(settings, option);
    if (status == EXIT_OK && optind < argc) {
        complain("'%s' is too much: rollcalld takes only options", argv[optind]);
        status = usage();
    }
    if (status == EXIT_OK)
        status = check(settings);
    settings->capture.name = settings->name;
    settings->capture.deny_exempt = settings->exempt;
    return status;
}

void settings_free(struct settings *settings)
{
    free(settings->socket);
    free(settings->journal);
    free(settings->group);
    free(settings->name);
    free(settings->exempt);
    free(settings->metrics);
}
