/* SPDX-License-Identifier: MIT */
#include "cli/capture_options.h"
#include "cli/command.h"
#include "program/complain.h"
#include "program/signals.h"
#include "service/handlers.h"

#include <rollcall/rollcall.h>

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_CONFIG "/etc/rollcall/handlers.d"
#define DEFAULT_STATE  "/var/lib/rollcall/handlers"
#define PAUSE_NS       1000000000ull

static const char help[] =
    "Gives process events to handlers: programs, commands and logs, each of which gets every "
    "event\n"
    "that its filter lets pass, however slow it is and however often it is restarted.\n\n"
    "usage: rollcall handle [OPTION...]\n\n"
    "  -c, --config DIR         a file NAME.conf for each handler, see rollcall-handlers(5)\n"
    "                           (default " DEFAULT_CONFIG ")\n"
    "      --check              only say what is wrong with these files\n"
    "      --state DIR          what is to outlive it (default " DEFAULT_STATE ")\n" WAY_HELP
    "  -h, --help\n\n"
    "SIGHUP makes it read the files again, Ctrl-C or SIGTERM ends it; what handlers have not done\n"
    "waits for its successor. `rollcall detach handler-NAME` removes the place of one.\n";

enum { OPTION_CHECK = 1, OPTION_STATE };

static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                        {"check", no_argument, NULL, OPTION_CHECK},
                                        {"state", required_argument, NULL, OPTION_STATE},
                                        {"help", no_argument, NULL, 'h'},
                                        WAY_OPTIONS,
                                        {NULL, 0, NULL, 0}};

struct handle {
    const char *config;
    const char *state;
    struct rollcall_options opts;
    bool check;
    bool help;
};

static int take_options(struct handle *handle, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            handle->config = optarg;
            break;
        case OPTION_CHECK:
            handle->check = true;
            break;
        case OPTION_STATE:
            handle->state = optarg;
            break;
        case 'h':
            handle->help = true;
            return EXIT_OK;
        case '?':
            return complain_hint();
        default:
            capture_option(option, optarg, &handle->opts);
        }
    }
    if (optind < argc)
        return complain_usage("'%s' is too much: handle takes only options", argv[optind]);
    return EXIT_OK;
}

static int check(const struct handle *handle)
{
    unsigned count;

    if (!handlers_check(handle->config, &count))
        return EXIT_USAGE;
    printf("%u handlers, nothing is wrong with them\n", count);
    return EXIT_OK;
}

/* In one piece: threads have something to say at the same time. */
static void say(const char *text)
{
    fprintf(stderr, "rollcall handle: %s\n", text);
}

static int reload(struct handlers *handlers)
{
    int err = handlers_load(handlers);

    if (err < 0)
        complain("%s", rollcall_error());
    return err;
}

static int run(const struct handle *handle)
{
    struct handlers *handlers;
    int err = signals_install();

    if (err < 0) {
        complain("%s", strerror(-err));
        return EXIT_FAIL;
    }
    signals_reload_by_hup();
    complain_to(say);
    handlers = handlers_new(handle->config, handle->state, &handle->opts);
    if (!handlers) {
        complain("%s", rollcall_error());
        return EXIT_FAIL;
    }
    err = reload(handlers);
    while (err == 0 && !signals_pause(PAUSE_NS))
        if (signals_take_reload())
            reload(handlers);
    handlers_free(handlers);
    if (err == -EINVAL)
        return EXIT_USAGE;
    return err < 0 ? EXIT_FAIL : EXIT_OK;
}

int command_handle(int argc, char **argv)
{
    struct handle handle = {.config = DEFAULT_CONFIG,
                            .state = DEFAULT_STATE,
                            .opts = {.struct_size = sizeof(handle.opts)}};
    int status = take_options(&handle, argc, argv);

    if (status != EXIT_OK)
        return status;
    if (handle.help) {
        fputs(help, stdout);
        return EXIT_OK;
    }
    return handle.check ? check(&handle) : run(&handle);
}
