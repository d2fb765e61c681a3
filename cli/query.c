/* SPDX-License-Identifier: MIT */
#include "cli/command.h"
#include "cli/lines.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "events/json.h"
#include "program/complain.h"
#include "program/parse.h"
#include "program/signals.h"
#include "program/system.h"

#include "journal/journal.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FLUSH_EVERY 256 /* events */

static const char help[] =
    "Asks a journal: events that fit, or an SQL statement that only reads.\n\n"
    "usage: rollcall query [OPTION...] FILE [SQL]\n\n"
    "      --comm GLOB          of processes with this short name\n"
    "      --exe GLOB           of processes that run this program\n"
    "      --last N             only the last N\n"
    "      --limit N            only the first N\n"
    "      --pid PID\n"
    "      --ppid PID           of this one's children\n"
    "      --since TIME         14:05, 2026-11-23T14:05:09Z, -10m (ten minutes ago)\n"
    "      --type TYPE,...      create, exec, exit, exists, gap, synced\n"
    "      --uid USER           a name or a number\n"
    "      --until TIME\n"
    "  -j, --json               one line of JSON an event or row\n"
    "  -h, --help\n\n"
    "docs/journal.md tells the tables and views for SQL.\n";

enum {
    OPTION_COMM = 1,
    OPTION_EXE,
    OPTION_LAST,
    OPTION_LIMIT,
    OPTION_PID,
    OPTION_PPID,
    OPTION_SINCE,
    OPTION_TYPE,
    OPTION_UID,
    OPTION_UNTIL
};

static const struct option options[] = {{"comm", required_argument, NULL, OPTION_COMM},
                                        {"exe", required_argument, NULL, OPTION_EXE},
                                        {"last", required_argument, NULL, OPTION_LAST},
                                        {"limit", required_argument, NULL, OPTION_LIMIT},
                                        {"pid", required_argument, NULL, OPTION_PID},
                                        {"ppid", required_argument, NULL, OPTION_PPID},
                                        {"since", required_argument, NULL, OPTION_SINCE},
                                        {"type", required_argument, NULL, OPTION_TYPE},
                                        {"uid", required_argument, NULL, OPTION_UID},
                                        {"until", required_argument, NULL, OPTION_UNTIL},
                                        {"json", no_argument, NULL, 'j'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

struct query {
    struct journal_filter filter;
    const char *path;
    const char *sql;
    struct output output;
    struct lines lines;
    struct rows rows;
    unsigned unflushed;
    int write_error; /* the journal is not to blame */
    bool filtered;
    bool json;
    bool help;
};

static bool take_types(const char *text, uint32_t *types)
{
    while (*text) {
        size_t n = strcspn(text, ",");
        unsigned type;

        for (type = ROLLCALL_CREATE; type <= ROLLCALL_SYNCED; type++)
            if (strlen(rollcall_type_name(type)) == n &&
                strncmp(rollcall_type_name(type), text, n) == 0)
                break;
        if (type > ROLLCALL_SYNCED)
            return false;
        *types |= 1u << type;
        text += n + (text[n] == ',');
    }
    return *types;
}

static int take_number(const char *name, uint64_t max, uint64_t *value)
{
    if (!parse_number(optarg, max, value))
        return complain_usage("%s takes a number, not '%s'", name, optarg);
    return EXIT_OK;
}

static int take_user(struct query *query)
{
    uint64_t uid;

    query->filter.has_uid = true;
    if (parse_number(optarg, UINT32_MAX, &uid)) {
        query->filter.uid = (uint32_t)uid;
        return EXIT_OK;
    }
    return system_find_user(optarg, &query->filter.uid)
               ? EXIT_OK
               : complain_usage("there is no user '%s'", optarg);
}

static int take_moment(const char *name, int64_t *ns)
{
    if (!parse_time(optarg, ns))
        return complain_usage("%s takes a time like 14:05, 2026-11-23T14:05:09Z or -10m, not '%s'",
                              name, optarg);
    return EXIT_OK;
}

static int take_pid(const char *name, bool *has, uint32_t *pid)
{
    uint64_t number;
    int status = take_number(name, UINT32_MAX, &number);

    if (status != EXIT_OK)
        return status;
    *has = true;
    *pid = (uint32_t)number;
    return EXIT_OK;
}

static int take_filter(struct query *query, int option)
{
    struct journal_filter *filter = &query->filter;

    query->filtered = true;
    switch (option) {
    case OPTION_COMM:
        filter->comm = optarg;
        return EXIT_OK;
    case OPTION_EXE:
        filter->exe = optarg;
        return EXIT_OK;
    case OPTION_LAST:
        filter->last = true;
        return take_number("--last", UINT32_MAX, &filter->limit);
    case OPTION_LIMIT:
        return take_number("--limit", UINT32_MAX, &filter->limit);
    case OPTION_PID:
        return take_pid("--pid", &filter->has_pid, &filter->pid);
    case OPTION_PPID:
        return take_pid("--ppid", &filter->has_ppid, &filter->ppid);
    case OPTION_SINCE:
        return take_moment("--since", &filter->since_ns);
    case OPTION_UNTIL:
        return take_moment("--until", &filter->until_ns);
    case OPTION_UID:
        return take_user(query);
    default:
        if (!take_types(optarg, &filter->types))
            return complain_usage("--type takes create, exec, exit, exists, gap, synced, not '%s'",
                                  optarg);
        return EXIT_OK;
    }
}

static int take_options(struct query *query, int argc, char **argv)
{
    int status = EXIT_OK;
    int option;

    while (status == EXIT_OK && (option = getopt_long(argc, argv, "jh", options, NULL)) != -1) {
        if (option == '?')
            return complain_hint();
        if (option == 'h') {
            query->help = true;
            return EXIT_OK;
        }
        if (option == 'j')
            query->json = true;
        else
            status = take_filter(query, option);
    }
    if (status != EXIT_OK)
        return status;
    if (optind == argc || argc - optind > 2)
        return complain_usage(optind == argc ? "which journal? rollcall query FILE"
                                             : "one journal and one SQL statement, in quotes");
    query->path = argv[optind];
    query->sql = argv[optind + 1];
    if (query->sql && query->filtered)
        return complain_usage("use either SQL or the options that choose events");
    return EXIT_OK;
}

static int flush(struct query *query)
{
    query->write_error = output_flush(&query->output);
    return query->write_error;
}

/* What was collected is written in pieces, so that a long answer begins at once. */
static int flush_some(struct query *query)
{
    if (++query->unflushed < FLUSH_EVERY)
        return 0;
    query->unflushed = 0;
    return flush(query);
}

static int show_event(const struct journal_event *found, void *context)
{
    struct query *query = context;

    if (query->json) {
        query->write_error =
            json_event(query->output.text, found->event, found->epoch, found->wall_offset_ns);
        if (query->write_error < 0)
            return query->write_error;
    } else {
        lines_event(&query->lines, found->event, found->wall_offset_ns, 0);
    }
    return flush_some(query);
}

static int show_row(const struct journal_row *row, void *context)
{
    struct query *query = context;
    int err = query->json ? rows_json(query->output.text, row)
                          : rows_add(&query->rows, query->output.text, row);

    return err < 0 ? err : flush_some(query);
}

static int ask(struct query *query, struct journal *journal)
{
    int err;

    if (query->sql)
        err = journal_sql(journal, query->sql, show_row, query);
    else
        err = journal_query(journal, &query->filter, show_event, query);
    if (err == 0 && !query->json)
        err = rows_end(&query->rows, query->output.text);
    return err < 0 ? err : flush(query);
}

/* Whoever reads the answer may go, and whoever asks may end it. */
static int report(const struct query *query, int err)
{
    if (err >= 0 || err == -EPIPE || err == -EINTR)
        return EXIT_OK;
    if (query->write_error < 0)
        complain("cannot write: %s", strerror(-query->write_error));
    else
        complain("%s", rollcall_error());
    return EXIT_FAIL;
}

static int run(struct query *query)
{
    struct journal_options opts = {.read_only = true};
    struct journal *journal = NULL;
    int err = output_open(&query->output, STDOUT_FILENO);
    int status;

    query->lines.output = &query->output;
    query->lines.full_date = true;
    if (err == 0)
        err = signals_install();
    if (err < 0) {
        complain("%s", strerror(-err));
        return EXIT_FAIL;
    }
    err = journal_open(query->path, &opts, &journal);
    if (err == 0)
        err = ask(query, journal);
    status = report(query, err);
    journal_close(journal);
    rows_close(&query->rows);
    output_close(&query->output);
    return status;
}

int command_query(int argc, char **argv)
{
    struct query query = {0};
    int status = take_options(&query, argc, argv);

    if (status != EXIT_OK || !query.help)
        return status == EXIT_OK ? run(&query) : status;
    fputs(help, stdout);
    return EXIT_OK;
}
