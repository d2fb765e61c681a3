/* SPDX-License-Identifier: MIT */
#include "cli/capture_options.h"
#include "cli/child.h"
#include "cli/command.h"
#include "cli/consume.h"
#include "cli/printer.h"
#include "program/complain.h"
#include "program/signals.h"
#include "program/system.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EVENT_WAIT_NS 1000000000u

static const char help[] =
    "Runs a command and shows it and every process it starts, then ends with its exit status.\n\n"
    "usage: rollcall run [OPTION...] [--] COMMAND [ARGUMENT...]\n\n"
    "  -f, --filter EXPR        only events for which all terms hold (see `rollcall watch`)\n"
    "  -j, --json               one line of JSON an event\n"
    "  -o, --output FILE        write the events there, not to stderr\n"
    "  -t, --tree               indent by parents\n"
    "  -w, --wait               go on until the last of its descendants has ended\n" CAPTURE_HELP
    "  -h, --help\n\n"
    "Needs root. The exit status is the command's, or 128 and the number of the signal that\n"
    "ended it; 127: not found, 126: cannot be run, 125: rollcall itself failed.\n";

static const struct option options[] = {{"filter", required_argument, NULL, 'f'},
                                        {"json", no_argument, NULL, 'j'},
                                        {"output", required_argument, NULL, 'o'},
                                        {"tree", no_argument, NULL, 't'},
                                        {"wait", no_argument, NULL, 'w'},
                                        {"help", no_argument, NULL, 'h'},
                                        CAPTURE_OPTIONS,
                                        {NULL, 0, NULL, 0}};

struct run {
    struct rollcall_options opts;
    struct printer printer;
    const char *output;
    bool wait;
    bool help;
    struct child child; /* the command */
    bool ended;         /* its exit was delivered */
    uint64_t exited_ns; /* when it was found to have exited */
    bool mute;          /* the events cannot be written any more */
};

static int take_option(struct run *run, int option)
{
    char error[FILTER_ERROR_SIZE] = "out of memory";

    switch (option) {
    case 'f':
        if (filter_add(&run->printer.filter, optarg, error) < 0)
            return complain_usage("--filter: %s", error);
        if (filter_ancestor(run->printer.filter))
            return complain_usage("--filter: whose descendants are shown is decided already: the "
                                  "command's");
        return EXIT_OK;
    case 'j':
        run->printer.json = true;
        return EXIT_OK;
    case 'o':
        run->output = optarg;
        return EXIT_OK;
    case 't':
        run->printer.tree = true;
        return EXIT_OK;
    case 'w':
        run->wait = true;
        return EXIT_OK;
    case 'h':
        run->help = true;
        return EXIT_OK;
    case '?':
        return complain_hint();
    default:
        return capture_option(option, optarg, &run->opts);
    }
}

static int take_options(struct run *run, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "+f:jo:twh", options, NULL)) != -1) {
        int status = take_option(run, option);

        if (status != EXIT_OK || run->help)
            return status;
    }
    if (optind == argc)
        return complain_usage("which command? rollcall run -- COMMAND [ARGUMENT...]");
    if (run->printer.tree && run->printer.json)
        return complain_usage("--tree is for people, --json for programs: use one of them");
    return EXIT_OK;
}

/* ---- its events ---- */

static size_t count_followed(const struct processes *table)
{
    size_t count = 0;

    for (const struct process *process = table->all; process; process = process->hh.next)
        count += process->followed;
    return count;
}

/* Notices the exit of the command, and when it came. */
static void note_end(struct run *run, const struct rollcall_batch *batch)
{
    const struct rollcall_event *event = NULL;

    while ((event = rollcall_batch_next(batch, event)))
        if (event->type == ROLLCALL_EXIT &&
            processes_is(event, run->child.pid, run->printer.processes.followed_pid_ns))
            run->ended = true;
}

static void print(struct run *run, const struct rollcall_batch *batch)
{
    int err = printer_batch(&run->printer, batch);

    if (err >= 0 || run->mute)
        return;
    run->mute = true;
    if (err != -EPIPE)
        complain("cannot write the events: %s", strerror(-err));
}

/* Normally when the exit of the command was delivered. Its event can have been lost: then when it
 * has been gone for a while, and nothing more came. */
static bool is_over(struct run *run, bool exited)
{
    if (exited && run->exited_ns == 0) {
        run->exited_ns = consume_now();
        signals_install();
    }
    if (!run->ended && !(exited && consume_now() - run->exited_ns > EVENT_WAIT_NS))
        return false;
    return !run->wait || signals_stop() || count_followed(&run->printer.processes) == 0;
}

static int consume(struct run *run, struct rollcall *rc)
{
    struct rollcall_batch batch;

    for (;;) {
        bool exited = child_exited(&run->child);
        int n = rollcall_next(rc, 0, &batch);
        int err;

        if (n < 0)
            return n;
        if (n > 0) {
            note_end(run, &batch);
            print(run, &batch);
            rollcall_ack(rc, batch.last_seq);
        } else if (is_over(run, exited)) {
            return 0;
        } else {
            err = child_wait(&run->child, exited, rc, exited && !run->ended ? 100 : -1);
            if (err < 0)
                return err;
        }
    }
}

/* ---- all together ---- */

static int open_output(const struct run *run)
{
    int fd;

    if (!run->output)
        return STDERR_FILENO;
    fd = system_create(run->output);
    if (fd < 0)
        complain("cannot write %s: %s", run->output, strerror(-fd));
    return fd;
}

static int open_all(struct run *run, struct rollcall **rc, int *output)
{
    uint32_t self;
    int err;

    *output = open_output(run);
    if (*output < 0)
        return -EIO;
    run->printer.followed = true;
    system_self(&self, &run->printer.processes.followed_pid_ns);
    err = printer_open(&run->printer, *output);
    if (err < 0) {
        complain("%s", strerror(-err));
        return err;
    }
    if (printer_needs_existing(&run->printer))
        run->opts.flags |= ROLLCALL_EXISTING;
    err = rollcall_open(&run->opts, rc);
    if (err < 0)
        complain("%s", rollcall_error());
    return err;
}

static int watch_command(struct run *run, struct rollcall *rc, char **command)
{
    const char *failure = NULL;
    int err = child_start(&run->child, command, &failure);

    if (err < 0) {
        complain("cannot make a process: %s", strerror(-err));
        return EXIT_OURS;
    }
    if (failure) {
        complain("cannot run '%s': %s", command[0], failure);
        return child_status(&run->child);
    }
    run->printer.processes.followed_pid = run->child.pid;
    err = consume(run, rc);
    if (err < 0)
        complain("%s", rollcall_error());
    return err < 0 ? (child_status(&run->child), EXIT_OURS) : child_status(&run->child);
}

static int run_command(struct run *run, char **command)
{
    struct rollcall *rc = NULL;
    int status = EXIT_OURS;
    int output = -1;

    if (open_all(run, &rc, &output) == 0)
        status = watch_command(run, rc, command);
    rollcall_close(rc);
    if (output > STDERR_FILENO)
        close(output);
    return status;
}

int command_run(int argc, char **argv)
{
    struct run run = {.opts.struct_size = sizeof(run.opts)};
    int status = take_options(&run, argc, argv);

    if (status == EXIT_OK && run.help)
        printf(help, "1ms");
    else if (status == EXIT_OK)
        status = run_command(&run, argv + optind);
    else
        status = EXIT_OURS;
    printer_close(&run.printer);
    return status;
}
