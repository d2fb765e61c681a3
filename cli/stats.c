/* SPDX-License-Identifier: MIT */
#include "cli/capture_options.h"
#include "cli/command.h"
#include "cli/consume.h"
#include "cli/daemon_report.h"
#include "cli/lines.h"
#include "cli/output.h"
#include "program/complain.h"
#include "program/parse.h"
#include "program/signals.h"
#include "program/size.h"

#include <rollcall/rollcall.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONSUMERS_MAX 64

static const char help[] =
    "Shows every durable consumer: who reads it, what waits for it, what was lost; and of the\n"
    "daemon, if there is one, all consumers and itself.\n\n"
    "usage: rollcall stats [OPTION...] [NAME...]\n\n"
    "      --every DURATION     again and again, with rates\n"
    "  -j, --json               one line of JSON a consumer\n" WAY_HELP "  -h, --help\n\n"
    "Needs root, or the daemon's leave.\n";

enum { OPTION_EVERY = 1 };

static const struct option options[] = {{"every", required_argument, NULL, OPTION_EVERY},
                                        {"json", no_argument, NULL, 'j'},
                                        {"help", no_argument, NULL, 'h'},
                                        WAY_OPTIONS,
                                        {NULL, 0, NULL, 0}};

struct consumer {
    char name[ROLLCALL_NAME_MAX + 1];
    uint64_t epoch;
    uint64_t acked_seq; /* when it was last looked at */
    uint64_t looked_ns;
};

struct stats {
    struct consumer consumers[CONSUMERS_MAX];
    size_t count;
    char **names; /* that were asked for; NULL ends them */
    struct output output;
    struct rollcall_options opts;
    uint64_t every_ns;
    struct daemon_report report; /* the last one */
    uint64_t reported_ns;
    bool has_daemon;
    bool json;
    bool help;
};

static int add(const char *name, void *context)
{
    struct stats *stats = context;
    struct consumer *consumer;

    for (size_t i = 0; i < stats->count; i++)
        if (strcmp(stats->consumers[i].name, name) == 0)
            return 0;
    if (stats->count == CONSUMERS_MAX)
        return 1;
    consumer = &stats->consumers[stats->count++];
    memset(consumer, 0, sizeof(*consumer));
    snprintf(consumer->name, sizeof(consumer->name), "%s", name);
    return 0;
}

static uint64_t lost(const struct rollcall_stats *now)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < ROLLCALL_REASONS; i++)
        sum += now->lost[i];
    return sum;
}

/* Acknowledged events a second since the last look; negative: not known. */
static double rate(struct consumer *consumer, const struct rollcall_stats *now)
{
    uint64_t time = consume_now();
    double result = -1;

    if (consumer->looked_ns && consumer->epoch == now->epoch)
        result = (double)(now->acked_seq - consumer->acked_seq) * 1e9 /
                 (double)(time - consumer->looked_ns);
    consumer->looked_ns = time;
    consumer->epoch = now->epoch;
    consumer->acked_seq = now->acked_seq;
    return result;
}

/* ---- for programs ---- */

static void put_json_policy(json_t *line, const struct rollcall_stats *now)
{
    json_object_set_new(line, "on_full", json_string(now->on_full ? "deny" : "gap"));
    if (!now->on_full)
        return;
    json_object_set_new(line, "deny_way", json_string(now->deny_way));
    json_object_set_new(line, "deny_holds", json_boolean(now->deny_holds));
    json_object_set_new(line, "denied", json_integer((json_int_t)now->denied));
    json_object_set_new(line, "denied_execs", json_integer((json_int_t)now->denied_execs));
    json_object_set_new(line, "exempted", json_integer((json_int_t)now->exempted));
    json_object_set_new(line, "promised", json_integer((json_int_t)now->promised));
    json_object_set_new(line, "deny_ended", json_integer((json_int_t)now->deny_ended));
    json_object_set_new(line, "deny_grace_ms", json_integer(now->deny_grace_ms));
}

static int put_json(FILE *to, const struct consumer *consumer, const struct rollcall_stats *now,
                    double events_per_second)
{
    json_t *reasons = json_object();
    json_t *line;
    int err;

    for (unsigned i = 0; i < ROLLCALL_REASONS; i++)
        json_object_set_new(reasons, rollcall_reason_name(i),
                            json_integer((json_int_t)now->lost[i]));
    line =
        json_pack("{s:s, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:i}", "name", consumer->name,
                  "epoch", (json_int_t)now->epoch, "acked_seq", (json_int_t)now->acked_seq, "lost",
                  reasons, "late", (json_int_t)now->late, "states_failed",
                  (json_int_t)now->states_failed, "texts_cut", (json_int_t)now->texts_cut,
                  "ring_size", (json_int_t)now->ring_size, "ring_used", (json_int_t)now->ring_used,
                  "attached_ns", (json_int_t)now->attached_ns, "args_max", (int)now->args_max);
    json_object_set_new(line, "reader_pid",
                        now->reader_pid ? json_integer(now->reader_pid) : json_null());
    put_json_policy(line, now);
    if (events_per_second >= 0)
        json_object_set_new(line, "acked_per_second", json_real(events_per_second));
    err = line ? json_dumpf(line, to, JSON_COMPACT | JSON_REAL_PRECISION(6)) : -1;
    fputc('\n', to);
    json_decref(line);
    return err < 0 ? -ENOMEM : 0;
}

/* ---- for people ---- */

static void put_losses(FILE *to, const struct rollcall_stats *now)
{
    const char *separator = " (";

    fprintf(to, "%" PRIu64, lost(now));
    for (unsigned i = 0; i < ROLLCALL_REASONS; i++) {
        if (!now->lost[i])
            continue;
        fprintf(to, "%s%s %" PRIu64, separator, rollcall_reason_name(i), now->lost[i]);
        separator = ", ";
    }
    fputs(lost(now) ? ")\n" : "\n", to);
}

/* Windows has one way to refuse, refuses no programs, and promises nothing. */
static void put_policy(FILE *to, const struct rollcall_stats *now)
{
    char promised[SIZE_TEXT];

    if (!now->on_full)
        return;
    fprintf(to, "  when full   deny, %s\n",
            now->deny_holds ? "in force" : "not in force: nobody reads, or there is no room yet");
    fprintf(to, "  denied      %" PRIu64 " processes", now->denied);
    if (!*now->deny_way) {
        fputc('\n', to);
        return;
    }
    fprintf(to, ", %" PRIu64 " programs, by %s; %" PRIu64 " were exempt\n", now->denied_execs,
            now->deny_way, now->exempted);
    fprintf(to, "  promised    %s, to what was admitted\n", size_text(promised, now->promised));
    if (now->deny_ended)
        fprintf(to, "  ended       %" PRIu64 " times, as nobody read for %s\n", now->deny_ended,
                lines_duration(now->deny_grace_ms * 1000000ull));
}

static void put_text(FILE *to, const struct consumer *consumer, const struct rollcall_stats *now,
                     double events_per_second)
{
    char used[SIZE_TEXT];
    char size[SIZE_TEXT];

    fprintf(to, "%s\n", consumer->name);
    if (now->reader_pid)
        fprintf(to, "  reader      process %" PRIu32 "\n", now->reader_pid);
    else
        fputs("  reader      none; events wait for the next one\n", to);
    fprintf(to, "  collecting  for %s\n", lines_duration(consume_boot_ns() - now->attached_ns));
    fprintf(to, "  read        %" PRIu64 " events", now->acked_seq);
    if (events_per_second >= 0)
        fprintf(to, ", %.0f/s", events_per_second);
    fprintf(to, "\n  waiting     %s of %s (%.1f %%)\n", size_text(used, now->ring_used),
            size_text(size, now->ring_size),
            100.0 * (double)now->ring_used / (double)now->ring_size);
    fputs("  lost        ", to);
    put_losses(to, now);
    put_policy(to, now);
    if (now->texts_cut)
        fprintf(to, "  cut         text of %" PRIu64 " events, for want of memory\n",
                now->texts_cut);
    if (now->late)
        fprintf(to, "  late        %" PRIu64 " processes, whose announcement the kernel skipped\n",
                now->late);
}

static int show(struct stats *stats, struct consumer *consumer)
{
    struct rollcall_stats now;
    double events_per_second;

    stats->opts.name = consumer->name;
    if (rollcall_inspect_at(&stats->opts, &now, sizeof(now)) < 0) {
        complain("%s", rollcall_error());
        return EXIT_FAIL;
    }
    events_per_second = rate(consumer, &now);
    if (stats->json)
        return put_json(stats->output.text, consumer, &now, events_per_second) < 0 ? EXIT_FAIL
                                                                                   : EXIT_OK;
    put_text(stats->output.text, consumer, &now, events_per_second);
    return EXIT_OK;
}

/* ---- the daemon ---- */

/* Whether there is one is not known before it is asked. */
static int find_daemon(struct stats *stats)
{
    int err;

    if (stats->opts.flags & ROLLCALL_DIRECT)
        return EXIT_OK;
    err = daemon_report_get(&stats->opts, &stats->report);
    stats->has_daemon = err >= 0;
    if (err >= 0 || !(stats->opts.flags & ROLLCALL_DAEMON))
        return EXIT_OK;
    complain("%s", rollcall_error());
    return EXIT_FAIL;
}

/* The first report has been taken already. */
static int show_daemon(struct stats *stats)
{
    const struct daemon_report before = stats->report;
    uint64_t now = consume_now();
    bool again = stats->reported_ns != 0;
    int err = again ? daemon_report_get(&stats->opts, &stats->report) : 0;

    if (err == 0)
        err = daemon_report_put(stats->output.text, &stats->report, again ? &before : NULL,
                                now - stats->reported_ns, stats->names, stats->json);
    else
        complain("%s", rollcall_error());
    if (again)
        free(before.consumers);
    stats->reported_ns = now;
    return err < 0 ? EXIT_FAIL : EXIT_OK;
}

/* ---- all ---- */

static int show_all(struct stats *stats)
{
    int status = EXIT_OK;
    int err;

    for (size_t i = 0; i < stats->count; i++)
        if (show(stats, &stats->consumers[i]) != EXIT_OK)
            status = EXIT_FAIL;
    if (stats->has_daemon && show_daemon(stats) != EXIT_OK)
        status = EXIT_FAIL;
    err = output_flush(&stats->output);
    if (err < 0 && err != -EPIPE && err != -EINTR) {
        complain("cannot write: %s", strerror(-err));
        return EXIT_FAIL;
    }
    return err < 0 ? -1 : status;
}

/* Those that are to be shown by themselves: in the kernel, or not to be found at all. */
static int find_consumers(struct stats *stats)
{
    struct rollcall_options kernel = {.struct_size = sizeof(kernel), .flags = ROLLCALL_DIRECT};

    for (char **name = stats->names; *name; name++)
        if (!stats->has_daemon || !daemon_report_has(&stats->report, *name))
            add(*name, stats);
    if (*stats->names || stats->opts.flags & ROLLCALL_DAEMON)
        return EXIT_OK;
    /* Who may only ask the daemon has been told by it. */
    if (rollcall_names_at(&kernel, add, stats) >= 0 || stats->has_daemon)
        return EXIT_OK;
    complain("%s", rollcall_error());
    return EXIT_FAIL;
}

static int run(struct stats *stats)
{
    int status = find_daemon(stats);

    if (status == EXIT_OK)
        status = find_consumers(stats);
    if (status != EXIT_OK)
        return status;
    if (output_open(&stats->output, STDOUT_FILENO) < 0 || signals_install() < 0) {
        complain("%s", strerror(errno));
        return EXIT_FAIL;
    }
    if (stats->count == 0 && !stats->has_daemon && !stats->json)
        fputs("no durable consumer: `rollcall record FILE` makes one\n", stats->output.text);
    do
        status = show_all(stats);
    while (status == EXIT_OK && stats->every_ns && !signals_pause(stats->every_ns));
    output_close(&stats->output);
    daemon_report_free(&stats->report);
    return status < 0 ? EXIT_OK : status;
}

int command_stats(int argc, char **argv)
{
    struct stats stats = {.opts = {.struct_size = sizeof(stats.opts)}};
    int option;

    while ((option = getopt_long(argc, argv, "jh", options, NULL)) != -1) {
        if (option == '?')
            return complain_hint();
        if (option == OPTION_EVERY &&
            (!parse_duration(optarg, &stats.every_ns) || stats.every_ns < 100000000 ||
             stats.every_ns > 86400000000000))
            return complain_usage("--every takes a duration from 100ms to 1d, not '%s'", optarg);
        if (option == OPTION_DIRECT || option == OPTION_DAEMON)
            capture_option(option, optarg, &stats.opts);
        stats.json |= option == 'j';
        stats.help |= option == 'h';
    }
    stats.names = argv + optind;
    if (!stats.help)
        return run(&stats);
    fputs(help, stdout);
    return EXIT_OK;
}
