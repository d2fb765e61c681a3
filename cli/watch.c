/* SPDX-License-Identifier: MIT */
#include "cli/capture_options.h"
#include "cli/command.h"
#include "cli/consume.h"
#include "cli/printer.h"
#include "program/complain.h"
#include "program/parse.h"
#include "program/signals.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_LATENCY 10000u /* microseconds: less than an eye sees */

static const char help[] =
    "Shows every process event of this machine, at once, none missing.\n\n"
    "usage: rollcall watch [OPTION...]\n\n"
    "  -e, --existing           first the processes that are there already\n"
    "  -f, --filter EXPR        only events for which all terms hold; may be repeated:\n"
    "                           pid=N ppid=N descendants-of=N uid=NAME comm=GLOB exe=GLOB\n"
    "                           type=create,exec,exit   (values by commas; != for not)\n"
    "  -j, --json               one line of JSON an event\n"
    "  -t, --tree               indent by parents\n"
    "  -n, --count N            end after N events\n"
    "      --for DURATION       end after this time: 10s, 5m\n"
    "      --self               also what this very process does\n" CAPTURE_HELP "  -h, --help\n\n"
    "Needs root, or rollcalld and its leave. Ctrl-C ends it.\n";

enum { OPTION_FOR = 1, OPTION_SELF };

static const struct option options[] = {{"existing", no_argument, NULL, 'e'},
                                        {"filter", required_argument, NULL, 'f'},
                                        {"json", no_argument, NULL, 'j'},
                                        {"tree", no_argument, NULL, 't'},
                                        {"count", required_argument, NULL, 'n'},
                                        {"for", required_argument, NULL, OPTION_FOR},
                                        {"self", no_argument, NULL, OPTION_SELF},
                                        {"help", no_argument, NULL, 'h'},
                                        CAPTURE_OPTIONS,
                                        {NULL, 0, NULL, 0}};

struct watch {
    struct rollcall_options opts;
    struct printer printer;
    uint64_t duration_ns; /* 0: until it is ended */
    bool self;
    bool help;
};

static int take_filter(struct watch *watch, const char *expression)
{
    char error[FILTER_ERROR_SIZE] = "out of memory";

    if (filter_add(&watch->printer.filter, expression, error) < 0)
        return complain_usage("--filter: %s", error);
    return EXIT_OK;
}

static int take_option(struct watch *watch, int option)
{
    switch (option) {
    case 'e':
        watch->printer.existing = true;
        return EXIT_OK;
    case 'f':
        return take_filter(watch, optarg);
    case 'j':
        watch->printer.json = true;
        return EXIT_OK;
    case 't':
        watch->printer.tree = true;
        return EXIT_OK;
    case 'n':
        if (!parse_number(optarg, UINT64_MAX, &watch->printer.limit) || !watch->printer.limit)
            return complain_usage("--count takes a number from 1, not '%s'", optarg);
        return EXIT_OK;
    case OPTION_FOR:
        if (!parse_duration(optarg, &watch->duration_ns) || !watch->duration_ns)
            return complain_usage("--for takes a duration like 10s, 5m, 2h, not '%s'", optarg);
        return EXIT_OK;
    case OPTION_SELF:
        watch->self = true;
        return EXIT_OK;
    case 'h':
        watch->help = true;
        return EXIT_OK;
    case '?':
        return complain_hint();
    default:
        return capture_option(option, optarg, &watch->opts);
    }
}

static int take_options(struct watch *watch, int argc, char **argv)
{
    int option;

    opterr = 1;
    while ((option = getopt_long(argc, argv, "ef:jtn:h", options, NULL)) != -1) {
        int status = take_option(watch, option);

        if (status != EXIT_OK || watch->help)
            return status;
    }
    if (optind < argc)
        return complain_usage("'%s' is too much: watch takes only options", argv[optind]);
    if (watch->printer.tree && watch->printer.json)
        return complain_usage("--tree is for people, --json for programs: use one of them");
    return EXIT_OK;
}

static int consume(struct watch *watch, struct rollcall *rc)
{
    uint64_t deadline = watch->duration_ns ? consume_now() + watch->duration_ns : CONSUME_FOREVER;
    struct rollcall_batch batch;
    int n;

    while ((n = consume_next(rc, deadline, STDOUT_FILENO, &batch)) > 0) {
        int err = printer_batch(&watch->printer, &batch);

        if (err == 1 || err == -EPIPE || err == -EINTR)
            return EXIT_OK;
        if (err < 0) {
            complain("cannot write: %s", strerror(-err));
            return EXIT_FAIL;
        }
        rollcall_ack(rc, batch.last_seq);
    }
    if (n == 0)
        return EXIT_OK;
    complain("%s", rollcall_error());
    return EXIT_FAIL;
}

static void summarise(const struct watch *watch)
{
    if (isatty(STDERR_FILENO) && isatty(STDOUT_FILENO))
        fprintf(stderr, "%" PRIu64 " events shown, %" PRIu64 " lost\n", watch->printer.shown,
                watch->printer.lost);
}

static int run(struct watch *watch)
{
    struct rollcall *rc;
    int status = EXIT_FAIL;
    int err = printer_open(&watch->printer, STDOUT_FILENO);

    if (err == 0)
        err = signals_install();
    if (err < 0) {
        complain("%s", strerror(-err));
        return EXIT_FAIL;
    }
    if (!watch->self)
        printer_hide_self(&watch->printer);
    if (printer_needs_existing(&watch->printer))
        watch->opts.flags |= ROLLCALL_EXISTING;
    if (rollcall_open(&watch->opts, &rc) < 0) {
        complain("%s", rollcall_error());
        return EXIT_FAIL;
    }
    status = consume(watch, rc);
    rollcall_close(rc);
    summarise(watch);
    return status;
}

int command_watch(int argc, char **argv)
{
    struct watch watch = {
        .opts = {.struct_size = sizeof(watch.opts), .latency_us = DEFAULT_LATENCY}};
    int status = take_options(&watch, argc, argv);

    if (status == EXIT_OK && watch.help)
        printf(help, "10ms");
    else if (status == EXIT_OK)
        status = run(&watch);
    printer_close(&watch.printer);
    return status;
}
