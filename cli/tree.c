/* SPDX-License-Identifier: MIT */
#include "cli/capture_options.h"
#include "cli/command.h"
#include "cli/consume.h"
#include "cli/lines.h"
#include "cli/output.h"
#include "events/json.h"
#include "events/processes.h"
#include "events/text.h"
#include "program/complain.h"
#include "program/parse.h"
#include "program/signals.h"

#include "journal/journal.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPTH_MAX   512 /* deeper than this a tree cannot be shown */
#define PREFIX_SIZE (DEPTH_MAX * sizeof("│  ") + 1)

static const char help[] =
    "Shows who started whom: now, or from a journal at a moment.\n\n"
    "usage: rollcall tree [OPTION...] [FILE]\n\n"
    "      --at TIME            at that moment: 14:05, 2026-11-23T14:05:09Z, -10m; needs FILE\n"
    "  -k, --kernel             kernel threads too\n"
    "  -p, --pid PID            only this process and its descendants\n"
    "  -j, --json               nested objects\n" WAY_HELP "  -h, --help\n\n"
    "Without FILE it needs root, or rollcalld and its leave.\n";

enum { OPTION_AT = 1 };

static const struct option options[] = {{"at", required_argument, NULL, OPTION_AT},
                                        {"kernel", no_argument, NULL, 'k'},
                                        {"pid", required_argument, NULL, 'p'},
                                        {"json", no_argument, NULL, 'j'},
                                        {"help", no_argument, NULL, 'h'},
                                        WAY_OPTIONS,
                                        {NULL, 0, NULL, 0}};

struct tree {
    struct rollcall_options opts;
    struct processes processes;
    struct output output;
    const char *path;
    int64_t at_ns;
    uint64_t pid;
    bool kernel;
    bool json;
    bool help;
};

static int take_options(struct tree *tree, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "kp:jh", options, NULL)) != -1) {
        if (option == '?')
            return complain_hint();
        if (option == OPTION_AT && !parse_time(optarg, &tree->at_ns))
            return complain_usage("--at takes a time like 14:05 or -10m, not '%s'", optarg);
        if (option == 'p' && (!parse_number(optarg, UINT32_MAX, &tree->pid) || !tree->pid))
            return complain_usage("--pid takes a pid, not '%s'", optarg);
        tree->kernel |= option == 'k';
        tree->json |= option == 'j';
        tree->help |= option == 'h';
        if (option == OPTION_DIRECT || option == OPTION_DAEMON)
            capture_option(option, optarg, &tree->opts);
    }
    if (argc - optind > 1)
        return complain_usage("one journal at a time");
    tree->path = argv[optind];
    if (tree->at_ns && !tree->path)
        return complain_usage("--at needs a journal: rollcall tree --at TIME FILE");
    return EXIT_OK;
}

/* ---- where the processes come from ---- */

static void take(struct tree *tree, const struct rollcall_event *event)
{
    processes_update(&tree->processes, event);
    if (event->type == ROLLCALL_EXIT)
        processes_forget(&tree->processes, event);
}

/* Returns when all that was there before has been announced. */
static int read_live(struct tree *tree)
{
    struct rollcall_batch batch;
    struct rollcall *rc;
    bool synced = false;
    int err;

    tree->opts.struct_size = sizeof(tree->opts);
    tree->opts.flags |= ROLLCALL_EXISTING;
    err = rollcall_open(&tree->opts, &rc);

    if (err < 0)
        return err;
    while (!synced && (err = consume_next(rc, CONSUME_FOREVER, -1, &batch)) > 0) {
        const struct rollcall_event *event = NULL;

        while (!synced && (event = rollcall_batch_next(&batch, event))) {
            take(tree, event);
            synced = event->type == ROLLCALL_SYNCED;
        }
        rollcall_ack(rc, batch.last_seq);
    }
    rollcall_close(rc);
    return err < 0 ? err : synced ? 0 : -EINTR;
}

static int take_found(const struct journal_event *found, void *context)
{
    take(context, found->event);
    return 0;
}

static int read_journal(struct tree *tree)
{
    struct journal_options opts = {.read_only = true};
    struct journal *journal;
    int err = journal_open(tree->path, &opts, &journal);

    if (err < 0)
        return err;
    err = journal_alive(journal, tree->at_ns, take_found, tree);
    journal_close(journal);
    return err;
}

/* ---- for people ---- */

static const char *user_of(const struct process *process)
{
    if (process->has_uid)
        return lines_user(process->uid);
    return process->user ? lines_account(process->user, strlen(process->user)) : "-";
}

static void put_process(struct tree *tree, const struct process *process)
{
    FILE *to = tree->output.text;
    unsigned width = tree->output.width;
    size_t room = width > 40 ? width - 30 : width ? 20 : (size_t)1 << 30;

    fprintf(to, "%" PRIu32 " %s ", process->pid, user_of(process));
    if (process->command)
        text_line(to, process->command, strlen(process->command), room);
    else if (process->args && process->args_size)
        lines_args(to, process->args, process->args_size, room);
    else if (process->kernel_thread)
        fprintf(to, "[%s]", process->comm);
    else
        text_quote(to, process->exe ? process->exe : process->comm,
                   strlen(process->exe ? process->exe : process->comm), room);
    fputc('\n', to);
}

static bool is_shown(const struct tree *tree, const struct process *process)
{
    return tree->kernel || !process->kernel_thread;
}

static const struct process *next_shown(const struct tree *tree, const struct process *process)
{
    while (process && !is_shown(tree, process))
        process = process->sibling;
    return process;
}

/* prefix: the lines of the ancestors, grown by each level. */
static void put_children(struct tree *tree, const struct process *parent, char *prefix,
                         unsigned depth)
{
    const struct process *child = next_shown(tree, parent->children);
    size_t used = strlen(prefix);

    while (child && depth < DEPTH_MAX) {
        const struct process *next = next_shown(tree, child->sibling);

        fprintf(tree->output.text, "%s%s", prefix, next ? "├─ " : "└─ ");
        put_process(tree, child);
        snprintf(prefix + used, PREFIX_SIZE - used, "%s", next ? "│  " : "   ");
        put_children(tree, child, prefix, depth + 1);
        prefix[used] = '\0';
        child = next;
    }
}

static void put_tree(struct tree *tree, const struct process *top)
{
    char prefix[PREFIX_SIZE] = "";

    if (top->pid) {
        put_process(tree, top);
        put_children(tree, top, prefix, 0);
        return;
    }
    for (const struct process *root = next_shown(tree, top->children); root;
         root = next_shown(tree, root->sibling)) {
        put_process(tree, root);
        put_children(tree, root, prefix, 0);
    }
}

/* ---- for programs ---- */

static json_t *object_of(const struct tree *tree, const struct process *process, unsigned depth)
{
    json_t *object = json_object();
    json_t *children = json_array();

    json_object_set_new(object, "pid", json_integer(process->pid));
    json_object_set_new(object, "start_ns", json_integer((json_int_t)process->start_ns));
    if (process->has_uid)
        json_object_set_new(object, "uid", json_integer(process->uid));
    json_object_set_new(object, "comm", json_text(process->comm, strlen(process->comm)));
    if (process->exe)
        json_object_set_new(object, "exe", json_text(process->exe, strlen(process->exe)));
    if (process->args)
        json_object_set_new(object, "args", json_pieces(process->args, process->args_size));
    if (process->command)
        json_object_set_new(object, "command",
                            json_text(process->command, strlen(process->command)));
    if (process->user)
        json_object_set_new(object, "user", json_text(process->user, strlen(process->user)));
    for (const struct process *child = next_shown(tree, process->children);
         child && depth < DEPTH_MAX; child = next_shown(tree, child->sibling))
        json_array_append_new(children, object_of(tree, child, depth + 1));
    json_object_set_new(object, "children", children);
    return object;
}

static int put_json(struct tree *tree, const struct process *top)
{
    json_t *whole = top->pid ? json_array() : NULL;
    int err;

    if (top->pid) {
        json_array_append_new(whole, object_of(tree, top, 0));
    } else {
        json_t *object = object_of(tree, top, 0);

        whole = json_incref(json_object_get(object, "children"));
        json_decref(object);
    }
    err = json_dumpf(whole, tree->output.text, JSON_COMPACT);
    fputc('\n', tree->output.text);
    json_decref(whole);
    return err < 0 ? -ENOMEM : 0;
}

/* ---- all together ---- */

static int put(struct tree *tree)
{
    struct process *all = processes_link(&tree->processes);
    const struct process *top = all;
    int err = all ? 0 : -ENOMEM;

    if (all && tree->pid)
        top = processes_find(&tree->processes, (uint32_t)tree->pid, 0);
    if (all && !top) {
        complain("there is no process %" PRIu64 "%s", tree->pid, tree->path ? " at that time" : "");
        err = -ESRCH;
    }
    if (err == 0 && tree->json)
        err = put_json(tree, top);
    else if (err == 0)
        put_tree(tree, top);
    if (err == 0)
        err = output_flush(&tree->output);
    if (err < 0 && err != -ESRCH && err != -EPIPE)
        complain("cannot write: %s", strerror(-err));
    free(all);
    return err == -EPIPE ? 0 : err;
}

static int run(struct tree *tree)
{
    int err = output_open(&tree->output, STDOUT_FILENO);

    if (err == 0)
        err = signals_install();
    if (err < 0) {
        complain("%s", strerror(-err));
        return EXIT_FAIL;
    }
    err = tree->path ? read_journal(tree) : read_live(tree);
    if (err < 0 && err != -EINTR)
        complain("%s", rollcall_error());
    if (err == 0)
        err = put(tree);
    output_close(&tree->output);
    processes_clear(&tree->processes);
    return err < 0 ? EXIT_FAIL : EXIT_OK;
}

int command_tree(int argc, char **argv)
{
    struct tree tree = {0};
    int status = take_options(&tree, argc, argv);

    if (status != EXIT_OK || !tree.help)
        return status == EXIT_OK ? run(&tree) : status;
    fputs(help, stdout);
    return EXIT_OK;
}
