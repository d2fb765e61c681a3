/* SPDX-License-Identifier: MIT */
#include "cli/daemon_report.h"

#include "cli/consume.h"
#include "cli/lines.h"
#include "program/size.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const feeds[] = {"none", "memory", "journal"};

static const char *feed_of(const struct rollcall_consumer_report *consumer)
{
    return consumer->feed < sizeof(feeds) / sizeof(feeds[0]) ? feeds[consumer->feed] : "unknown";
}

/* ---- asking ---- */

static int add(const struct rollcall_consumer_report *consumer, void *context)
{
    struct daemon_report *report = context;
    struct rollcall_consumer_report *more;

    more = realloc(report->consumers, (report->count + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    report->consumers = more;
    report->consumers[report->count++] = *consumer;
    return 0;
}

int daemon_report_get(const struct rollcall_options *opts, struct daemon_report *report)
{
    int err;

    memset(report, 0, sizeof(*report));
    err = rollcall_report(opts, &report->daemon, sizeof(report->daemon), add, report);
    if (err < 0)
        daemon_report_free(report);
    return err;
}

void daemon_report_free(struct daemon_report *report)
{
    free(report->consumers);
    memset(report, 0, sizeof(*report));
}

static bool has_name(const struct rollcall_consumer_report *consumer, const char *name)
{
    return consumer->name_size == strlen(name) &&
           memcmp(consumer->name, name, consumer->name_size) == 0;
}

bool daemon_report_has(const struct daemon_report *report, const char *name)
{
    for (size_t i = 0; i < report->count; i++)
        if (has_name(&report->consumers[i], name))
            return true;
    return false;
}

/* ---- rates ---- */

static bool is_same(const struct rollcall_consumer_report *a,
                    const struct rollcall_consumer_report *b)
{
    return a->epoch == b->epoch && a->pid == b->pid && a->name_size == b->name_size &&
           memcmp(a->name, b->name, sizeof(a->name)) == 0;
}

/* Of one with several connections, the first is taken that has not come farther. */
static double rate_of(const struct rollcall_consumer_report *consumer,
                      const struct daemon_report *before, uint64_t ns)
{
    for (size_t i = 0; before && i < before->count; i++) {
        const struct rollcall_consumer_report *then = &before->consumers[i];

        if (is_same(consumer, then) && then->acked_seq <= consumer->acked_seq)
            return (double)(consumer->acked_seq - then->acked_seq) * 1e9 / (double)ns;
    }
    return -1;
}

/* ---- for programs ---- */

static int put_line(FILE *to, json_t *line)
{
    int err = line ? json_dumpf(line, to, JSON_COMPACT | JSON_REAL_PRECISION(6)) : -1;

    fputc('\n', to);
    json_decref(line);
    return err < 0 ? -ENOMEM : 0;
}

static void set_number(json_t *line, const char *key, uint64_t value)
{
    json_object_set_new(line, key, json_integer((json_int_t)value));
}

static int put_daemon_json(FILE *to, const struct rollcall_daemon_report *daemon)
{
    json_t *reasons = json_object();
    json_t *line = json_pack("{s:I, s:I, s:o}", "daemon_pid", (json_int_t)daemon->pid, "epoch",
                             (json_int_t)daemon->epoch, "lost", reasons);
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {
        {"last_seq", daemon->last_seq},
        {"events", daemon->last_seq - daemon->started_seq},
        {"attached_ns", daemon->attached_ns},
        {"started_ns", daemon->started_ns},
        {"late", daemon->late},
        {"states_failed", daemon->states_failed},
        {"texts_cut", daemon->texts_cut},
        {"ring_size", daemon->ring_size},
        {"ring_used", daemon->ring_used},
        {"memory_size", daemon->memory_size},
        {"memory_used", daemon->memory_used},
        {"journal_bytes", daemon->journal_bytes},
        {"keep_bytes", daemon->keep_bytes},
        {"keep_seconds", daemon->keep_seconds},
        {"commits", daemon->commits},
        {"commit_ns", daemon->commit_ns},
        {"connections", daemon->connections},
        {"connections_max", daemon->connections_max},
        {"names", daemon->names},
        {"names_max", daemon->names_max},
        {"denied", daemon->denied},
        {"denied_execs", daemon->denied_execs},
        {"exempted", daemon->exempted},
        {"promised", daemon->promised},
        {"deny_ended", daemon->deny_ended},
    };

    for (unsigned i = 0; i < ROLLCALL_REASONS; i++)
        set_number(reasons, rollcall_reason_name(i), daemon->lost[i]);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        set_number(line, numbers[i].key, numbers[i].value);
    json_object_set_new(line, "journal_blocked",
                        json_boolean(daemon->flags & ROLLCALL_REPORT_BLOCKED));
    json_object_set_new(line, "on_full", json_string(daemon->on_full ? "deny" : "gap"));
    json_object_set_new(line, "deny_holds", json_boolean(daemon->deny_holds));
    return put_line(to, line);
}

static int put_consumer_json(FILE *to, const struct rollcall_consumer_report *consumer,
                             double events_per_second)
{
    json_t *line = json_object();
    bool own = consumer->flags & ROLLCALL_REPORT_OWN;

    json_object_set_new(line, "name",
                        consumer->name_size ? json_stringn(consumer->name, consumer->name_size)
                                            : json_null());
    set_number(line, "uid", consumer->uid);
    set_number(line, "epoch", consumer->epoch);
    set_number(line, "acked_seq", consumer->acked_seq);
    set_number(line, "delivered_seq", consumer->delivered_seq);
    if (!own) {
        set_number(line, "lag_events", consumer->lag);
        json_object_set_new(line, "lag_seconds", json_real((double)consumer->lag_ns / 1e9));
        set_number(line, "lost_events", consumer->lost);
    }
    set_number(line, "pended", consumer->pended);
    json_object_set_new(line, "feed", json_string(feed_of(consumer)));
    json_object_set_new(line, "own", json_boolean(own));
    json_object_set_new(line, "reader_pid",
                        consumer->pid ? json_integer(consumer->pid) : json_null());
    if (events_per_second >= 0)
        json_object_set_new(line, "acked_per_second", json_real(events_per_second));
    return put_line(to, line);
}

/* ---- for people ---- */

static void put_lost(FILE *to, const struct rollcall_daemon_report *daemon)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < ROLLCALL_REASONS; i++)
        sum += daemon->lost[i];
    fprintf(to, "  lost        %" PRIu64, sum);
    for (unsigned i = 0; i < ROLLCALL_REASONS; i++)
        if (daemon->lost[i])
            fprintf(to, ", %s %" PRIu64, rollcall_reason_name(i), daemon->lost[i]);
    fputc('\n', to);
}

static void put_journal(FILE *to, const struct rollcall_daemon_report *daemon)
{
    char bytes[SIZE_TEXT];
    char limit[SIZE_TEXT];

    fprintf(to, "  journal     %s", size_text(bytes, daemon->journal_bytes));
    if (daemon->keep_bytes)
        fprintf(to, " of %s", size_text(limit, daemon->keep_bytes));
    if (daemon->keep_seconds)
        fprintf(to, ", kept for %s", lines_duration(daemon->keep_seconds * 1000000000));
    if (daemon->commits)
        fprintf(to, ", stored in %s each time",
                lines_duration(daemon->commit_ns / daemon->commits));
    fputs(daemon->flags & ROLLCALL_REPORT_BLOCKED ? "; CANNOT BE WRITTEN: see its log\n" : "\n",
          to);
}

static void put_policy(FILE *to, const struct rollcall_daemon_report *daemon)
{
    if (daemon->on_full)
        fprintf(to,
                "  when full   deny, %s; %" PRIu64 " processes and %" PRIu64
                " programs were denied\n",
                daemon->deny_holds ? "in force" : "not in force yet", daemon->denied,
                daemon->denied_execs);
}

static void put_daemon_text(FILE *to, const struct rollcall_daemon_report *daemon)
{
    char used[SIZE_TEXT];
    char size[SIZE_TEXT];

    fprintf(to, "rollcalld, process %" PRIu32 "\n", daemon->pid);
    fprintf(to, "  running     for %s\n", lines_duration(consume_boot_ns() - daemon->started_ns));
    fprintf(to, "  events      %" PRIu64 " since it started, %" PRIu64 " in this epoch\n",
            daemon->last_seq - daemon->started_seq, daemon->last_seq);
    put_lost(to, daemon);
    fprintf(to, "  ring        %s of %s\n", size_text(used, daemon->ring_used),
            size_text(size, daemon->ring_size));
    put_policy(to, daemon);
    fprintf(to, "  memory      %s of %s\n", size_text(used, daemon->memory_used),
            size_text(size, daemon->memory_size));
    put_journal(to, daemon);
    fprintf(to,
            "  connected   %" PRIu32 " of %" PRIu32 ", durable consumers %" PRIu32 " of %" PRIu32
            "\n",
            daemon->connections, daemon->connections_max, daemon->names, daemon->names_max);
}

static void put_consumer_text(FILE *to, const struct rollcall_consumer_report *consumer,
                              double events_per_second)
{
    char name[sizeof(consumer->name) + 1] = "-";
    char pid[16] = "-";

    if (consumer->name_size)
        snprintf(name, sizeof(name), "%.*s", (int)consumer->name_size, consumer->name);
    if (consumer->pid)
        snprintf(pid, sizeof(pid), "%" PRIu32, consumer->pid);
    fprintf(to, "%-16s %-10s %7s %-8s", name, lines_user(consumer->uid), pid,
            consumer->flags & ROLLCALL_REPORT_OWN ? "own" : feed_of(consumer));
    fprintf(to, " %9" PRIu64 " %10s %6" PRIu32 " %6" PRIu64, consumer->lag,
            consumer->lag ? lines_duration(consumer->lag_ns) : "-", consumer->pended,
            consumer->lost);
    if (events_per_second >= 0)
        fprintf(to, " %8.0f/s", events_per_second);
    fputc('\n', to);
}

/* ---- both ---- */

static bool is_wanted(const struct rollcall_consumer_report *consumer, char **names)
{
    if (!*names)
        return true;
    for (char **name = names; *name; name++)
        if (has_name(consumer, *name))
            return true;
    return false;
}

int daemon_report_put(FILE *to, const struct daemon_report *report,
                      const struct daemon_report *before, uint64_t ns, char **names, bool json)
{
    bool knows_daemon = !(report->daemon.flags & ROLLCALL_REPORT_OWN) && !*names;
    int err = 0;

    if (knows_daemon && json)
        err = put_daemon_json(to, &report->daemon);
    else if (knows_daemon)
        put_daemon_text(to, &report->daemon);
    if (!json && report->count > 0)
        fprintf(to, "%-16s %-10s %7s %-8s %9s %10s %6s %6s\n", "CONSUMER", "USER", "PID",
                "FED FROM", "LAG", "BEHIND BY", "PENDED", "LOST");
    for (size_t i = 0; err == 0 && i < report->count; i++) {
        const struct rollcall_consumer_report *consumer = &report->consumers[i];
        double rate = rate_of(consumer, before, ns);

        if (!is_wanted(consumer, names))
            continue;
        if (json)
            err = put_consumer_json(to, consumer, rate);
        else
            put_consumer_text(to, consumer, rate);
    }
    return err;
}
