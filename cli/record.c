/* SPDX-License-Identifier: MIT */
#include "cli/capture_options.h"
#include "cli/command.h"
#include "cli/consume.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "events/json.h"
#include "program/complain.h"
#include "program/parse.h"
#include "program/pins_watch.h"
#include "program/signals.h"

#include "journal/journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECOND          1000000000ull
#define DEFAULT_NAME    "record"
#define DEFAULT_LATENCY 250000u /* microseconds: a journal is not in a hurry */
#define RETAIN_EVERY    SECOND
#define LOOK_EVERY      (10 * SECOND)
#define IDLE_WAIT       (SECOND / 100)
#define WAITING         "%s; trying again every second, events wait in the kernel meanwhile"

static const char help[] =
    "Keeps every process event of this machine in a journal, none missing: what happens while\n"
    "it is not running, or while the disk is full, waits in the kernel.\n\n"
    "usage: rollcall record [OPTION...] FILE\n\n"
    "      --also json          write the events to stdout as well, once they are on the disk\n"
    "      --keep-age DURATION  remove events that are older: 30d, 12h\n"
    "      --keep-size SIZE     remove the oldest events so that FILE stays smaller: 10G\n"
    "      --name NAME          which durable consumer (default \"record\")\n"
    "      --on-full=POLICY     when the memory for events that wait is spent: `gap`, lose events\n"
    "                           and say how many (the default), or `deny`, refuse processes\n"
    "      --deny-grace DURATION  end `deny` when nobody reads for so long (default 60s)\n"
    "      --deny-exempt CGROUP   whom `deny` never refuses: a directory in /sys/fs/cgroup\n"
    "      --for DURATION       end after this time\n"
    "      --until-idle         end when nothing is left that waits\n"
    "  -q, --quiet              no progress line\n" CAPTURE_HELP "  -h, --help\n\n"
    "Needs root, or rollcalld and its leave. Ctrl-C or SIGTERM ends it; events are collected for\n"
    "its successor meanwhile.\n"
    "`rollcall detach` ends that too.\n";

enum {
    OPTION_ALSO = 1,
    OPTION_KEEP_AGE,
    OPTION_KEEP_SIZE,
    OPTION_NAME,
    OPTION_FOR,
    OPTION_IDLE,
    OPTION_ON_FULL,
    OPTION_GRACE,
    OPTION_EXEMPT
};

static const struct option options[] = {{"also", required_argument, NULL, OPTION_ALSO},
                                        {"keep-age", required_argument, NULL, OPTION_KEEP_AGE},
                                        {"keep-size", required_argument, NULL, OPTION_KEEP_SIZE},
                                        {"name", required_argument, NULL, OPTION_NAME},
                                        {"for", required_argument, NULL, OPTION_FOR},
                                        {"until-idle", no_argument, NULL, OPTION_IDLE},
                                        {"on-full", required_argument, NULL, OPTION_ON_FULL},
                                        {"deny-grace", required_argument, NULL, OPTION_GRACE},
                                        {"deny-exempt", required_argument, NULL, OPTION_EXEMPT},
                                        {"quiet", no_argument, NULL, 'q'},
                                        {"help", no_argument, NULL, 'h'},
                                        CAPTURE_OPTIONS,
                                        {NULL, 0, NULL, 0}};

struct record {
    struct rollcall_options opts;
    struct journal_options journal_opts;
    const char *path;
    struct journal *journal;
    struct rollcall *rc;
    struct output output;
    struct progress progress;
    struct pins_watch pins;
    uint64_t look_at; /* the pins */
    uint64_t duration_ns;
    uint64_t retain_at;
    bool json;
    bool until_idle;
    bool quiet;
    bool help;
};

/* The policy for a ring that is full. */
static int take_policy(struct rollcall_options *opts, int option)
{
    uint64_t ns;

    if (option == OPTION_EXEMPT) {
        opts->deny_exempt = optarg;
        return EXIT_OK;
    }
    if (option == OPTION_GRACE) {
        if (!parse_duration(optarg, &ns) || ns < SECOND || ns > 86400 * SECOND)
            return complain_usage("--deny-grace takes a duration from 1s to 1d, not '%s'", optarg);
        opts->deny_grace_ms = (uint32_t)(ns / 1000000);
        return EXIT_OK;
    }
    if (strcmp(optarg, "gap") != 0 && strcmp(optarg, "deny") != 0)
        return complain_usage("--on-full takes `gap` or `deny`, not '%s'", optarg);
    opts->on_full = optarg[0] == 'd' ? ROLLCALL_ON_FULL_DENY : ROLLCALL_ON_FULL_GAP;
    return EXIT_OK;
}

static int take_option(struct record *record, int option)
{
    uint64_t ns;

    switch (option) {
    case OPTION_ALSO:
        record->json = strcmp(optarg, "json") == 0;
        return record->json ? EXIT_OK : complain_usage("--also takes `json`, not '%s'", optarg);
    case OPTION_KEEP_AGE:
        if (!parse_duration(optarg, &ns) || ns < SECOND)
            return complain_usage("--keep-age takes a duration from 1s, like 30d, not '%s'",
                                  optarg);
        record->journal_opts.keep_seconds = ns / SECOND;
        return EXIT_OK;
    case OPTION_KEEP_SIZE:
        if (!parse_size(optarg, &record->journal_opts.keep_bytes) ||
            record->journal_opts.keep_bytes < 1 << 20)
            return complain_usage("--keep-size takes a size from 1M, like 10G, not '%s'", optarg);
        return EXIT_OK;
    case OPTION_NAME:
        record->opts.name = optarg;
        return EXIT_OK;
    case OPTION_FOR:
        if (!parse_duration(optarg, &record->duration_ns) || !record->duration_ns)
            return complain_usage("--for takes a duration like 10s, 5m, 2h, not '%s'", optarg);
        return EXIT_OK;
    case OPTION_IDLE:
        record->until_idle = true;
        return EXIT_OK;
    case OPTION_ON_FULL:
    case OPTION_GRACE:
    case OPTION_EXEMPT:
        return take_policy(&record->opts, option);
    case 'q':
        record->quiet = true;
        return EXIT_OK;
    case 'h':
        record->help = true;
        return EXIT_OK;
    case '?':
        return complain_hint();
    default:
        return capture_option(option, optarg, &record->opts);
    }
}

static int take_options(struct record *record, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "qh", options, NULL)) != -1) {
        int status = take_option(record, option);

        if (status != EXIT_OK || record->help)
            return status;
    }
    if (optind + 1 != argc)
        return complain_usage(optind == argc ? "which file? rollcall record FILE"
                                             : "one journal at a time");
    if ((record->opts.deny_grace_ms || record->opts.deny_exempt) &&
        record->opts.on_full != ROLLCALL_ON_FULL_DENY)
        return complain_usage("--deny-grace and --deny-exempt are for --on-full=deny");
    record->path = argv[optind];
    return EXIT_OK;
}

/* ---- waiting for space ---- */

/* Whether it may work again when its cause is gone, without us doing anything. */
static bool passes(int err)
{
    return err == -ENOSPC || err == -EDQUOT || err == -EBUSY || err == -EIO || err == -EROFS;
}

/* A journal that has no space now, also not for being opened, is waited for: so that a service that
 * begins anew on a full disk goes on collecting, as the one before it did. */
static int open_journal(struct record *record)
{
    return journal_open(record->path, &record->journal_opts, &record->journal);
}

static int wait_for_journal(struct record *record)
{
    int err = -ENOSPC;

    while (err == -ENOSPC && !signals_stop()) {
        signals_pause(SECOND);
        err = open_journal(record);
    }
    if (err == 0)
        complain("the journal can be written again");
    else if (err != -ENOSPC)
        complain("%s", rollcall_error());
    return err == -ENOSPC ? -EINTR : err;
}

/* ---- storing ---- */

static void tell_pins(struct record *record)
{
    char text[512];

    if (consume_now() < record->look_at)
        return;
    record->look_at = consume_now() + LOOK_EVERY;
    record->pins.name = record->opts.name;
    if (pins_watch_look(&record->pins, record->rc, text, sizeof(text)))
        complain("%s", text);
}

/* Stores the batch, however long that takes. Returns 0, a negative errno if it cannot be, or
 * -EINTR. Nothing is acknowledged before: the events wait in the kernel. */
static int store(struct record *record, const struct rollcall_batch *batch)
{
    bool waited = false;
    int err;

    while ((err = journal_append(record->journal, batch)) < 0 && passes(err)) {
        if (!waited)
            complain(WAITING, rollcall_error());
        waited = true;
        if (signals_stop())
            return -EINTR;
        signals_pause(SECOND);
        progress_show(&record->progress, record->rc, record->journal, true);
        tell_pins(record);
    }
    if (err < 0)
        complain("%s", rollcall_error());
    else if (waited)
        complain("the journal can be written again");
    return err;
}

/* 1: nobody reads it any more. */
static int write_json(struct record *record, const struct rollcall_batch *batch)
{
    const struct rollcall_event *event = NULL;
    int err = 0;

    while (err == 0 && (event = rollcall_batch_next(batch, event)))
        err = json_event(record->output.text, event, batch->epoch, batch->wall_offset_ns);
    if (err == 0)
        err = output_flush(&record->output);
    if (err < 0 && err != -EPIPE && err != -EINTR)
        complain("cannot write: %s", strerror(-err));
    return err;
}

/* What is older or more than wanted goes in small steps, between batches. */
static int retain(struct record *record)
{
    int more;

    if (consume_now() < record->retain_at)
        return 0;
    more = journal_retain(record->journal);
    if (more < 0 && !passes(more)) {
        complain("%s", rollcall_error());
        return more;
    }
    record->retain_at = consume_now() + (more == 1 ? 0 : RETAIN_EVERY);
    return 0;
}

static int handle(struct record *record, const struct rollcall_batch *batch)
{
    int err = store(record, batch);

    if (err < 0)
        return err;
    if (record->json && (err = write_json(record, batch)) < 0)
        return err;
    rollcall_ack(record->rc, batch->last_seq);
    progress_count(&record->progress, batch);
    return retain(record);
}

/* When to look up although no event came. */
static uint64_t next_look(const struct record *record, uint64_t deadline)
{
    uint64_t look = deadline;
    uint64_t shown = progress_due(&record->progress);

    if (record->journal_opts.keep_seconds || record->journal_opts.keep_bytes)
        look = record->retain_at < look ? record->retain_at : look;
    return shown < look ? shown : look;
}

/* Whether nothing waits in the ring, or only what has come since we began: on a busy machine there
 * is always something. */
static bool is_idle(const struct record *record, uint64_t began_ns)
{
    struct rollcall_stats stats;

    if (record->progress.last_ns > began_ns + SECOND)
        return true;
    return rollcall_stats(record->rc, &stats, sizeof(stats)) == 0 && stats.ring_used == 0;
}

static int consume(struct record *record)
{
    uint64_t deadline = record->duration_ns ? consume_now() + record->duration_ns : CONSUME_FOREVER;
    uint64_t began_ns = consume_boot_ns();
    struct rollcall_batch batch;
    int err = 0;

    while (err == 0 && !signals_stop() && consume_now() < deadline) {
        uint64_t look =
            record->until_idle ? consume_now() + IDLE_WAIT : next_look(record, deadline);
        int n = consume_next(record->rc, look, record->json ? STDOUT_FILENO : -1, &batch);

        progress_show(&record->progress, record->rc, record->journal, false);
        if (n < 0) {
            complain("%s", rollcall_error());
            return n;
        }
        tell_pins(record);
        err = n > 0 ? handle(record, &batch) : retain(record);
        if (err == 0 && record->until_idle && is_idle(record, began_ns))
            return 0;
    }
    return err;
}

/* Whether and how processes are refused, for who started it. */
static void tell_policy(const struct record *record)
{
    struct rollcall_stats stats;

    if (record->opts.on_full != ROLLCALL_ON_FULL_DENY || record->quiet ||
        rollcall_stats(record->rc, &stats, sizeof(stats)) < 0)
        return;
    complain("the policy `deny` %s%s%s",
             stats.deny_holds ? "holds" : "will hold when there is room",
             *stats.deny_way ? ", by " : "", stats.deny_way);
}

/* The journal first: a name that is wrong leaves nothing in the kernel. */
static int open_both(struct record *record)
{
    int err = open_journal(record);
    int opened;

    if (err < 0)
        complain(err == -ENOSPC ? WAITING : "%s", rollcall_error());
    if (err < 0 && err != -ENOSPC)
        return err;
    if (err == 0)
        err = journal_newest(record->journal, &record->opts.kept_epoch, &record->opts.kept_time_ns);
    opened = err < 0 && err != -ENOSPC ? err : rollcall_open(&record->opts, &record->rc);
    if (opened < 0) {
        complain("%s", rollcall_error());
        journal_discard(record->journal);
        record->journal = NULL;
        return opened;
    }
    return err < 0 ? wait_for_journal(record) : 0;
}

static int run(struct record *record)
{
    int status = EXIT_FAIL;
    int err = signals_install();

    if (err == 0 && record->json)
        err = output_open(&record->output, STDOUT_FILENO);
    if (err < 0) {
        complain("%s", strerror(-err));
        return EXIT_FAIL;
    }
    err = open_both(record);
    if (err < 0) {
        status = err == -EINTR ? EXIT_OK : EXIT_FAIL;
        goto out;
    }
    tell_policy(record);
    progress_begin(&record->progress, !record->quiet);
    err = consume(record);
    progress_end(&record->progress);
    status = err == 0 || err == -EPIPE || err == -EINTR ? EXIT_OK : EXIT_FAIL;
    if (status == EXIT_OK && !record->quiet && isatty(STDERR_FILENO))
        complain("ended; the kernel goes on collecting for '%s' (`rollcall detach %s` ends that)",
                 record->opts.name, record->opts.name);
out:
    rollcall_close(record->rc);
    journal_close(record->journal);
    output_close(&record->output);
    return status;
}

int command_record(int argc, char **argv)
{
    struct record record = {.opts = {.struct_size = sizeof(record.opts),
                                     .name = DEFAULT_NAME,
                                     .latency_us = DEFAULT_LATENCY}};
    int status = take_options(&record, argc, argv);

    if (status != EXIT_OK || !record.help)
        return status == EXIT_OK ? run(&record) : status;
    printf(help, "250ms");
    return EXIT_OK;
}
