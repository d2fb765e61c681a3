/* SPDX-License-Identifier: MIT */
/* Durable consumers have a line each, as there are few and their names last; ephemeral ones come and
 * go, and are counted together. */
#include "linux/daemon/metrics_text.h"

#include "linux/clock.h"
#include "linux/daemon/report.h"
#include "linux/daemon/server.h"

#include <rollcall/rollcall.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONSUMERS_MAX (SERVER_CLIENTS_MAX + PLACES_MAX)

struct report {
    struct rollcall_daemon_report daemon;
    struct rollcall_consumer_report consumers[CONSUMERS_MAX];
};

/* ---- single lines ---- */

static void head(FILE *to, const char *name, const char *type, const char *help)
{
    fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(FILE *to, const char *name, const char *type, const char *help, uint64_t value)
{
    head(to, name, type, help);
    fprintf(to, "%s %" PRIu64 "\n", name, value);
}

/* Whole seconds and nanoseconds, as a double would not hold them. */
static void seconds(FILE *to, uint64_t ns)
{
    fprintf(to, "%" PRIu64 ".%09" PRIu64 "\n", ns / 1000000000, ns % 1000000000);
}

static void label(FILE *to, const char *text, size_t size)
{
    for (size_t i = 0; i < size && text[i]; i++) {
        if (text[i] == '\n') {
            fputs("\\n", to);
            continue;
        }
        if (text[i] == '"' || text[i] == '\\')
            fputc('\\', to);
        fputc(text[i], to);
    }
}

/* ---- the daemon ---- */

static void put_process(FILE *to, const struct report *report)
{
    uint64_t wall = (uint64_t)clock_wall_offset_ns();

    head(to, "rollcall_build_info", "gauge", "The version that runs.");
    fputs("rollcall_build_info{version=\"" ROLLCALL_VERSION "\"} 1\n", to);
    head(to, "process_start_time_seconds", "gauge", "When the daemon started, since 1970.");
    fputs("process_start_time_seconds ", to);
    seconds(to, report->daemon.started_ns + wall);
    head(to, "rollcall_epoch_start_time_seconds", "gauge", "When the capture began, since 1970.");
    fputs("rollcall_epoch_start_time_seconds ", to);
    seconds(to, report->daemon.epoch * 1000);
}

static void put_kernel(FILE *to, const struct rollcall_daemon_report *daemon)
{
    one(to, "rollcall_events_total", "counter", "Events of this epoch, lost ones included.",
        daemon->last_seq);
    head(to, "rollcall_lost_total", "counter", "Events that the kernel lost in this epoch.");
    for (unsigned i = 0; i < ROLLCALL_REASONS; i++)
        fprintf(to, "rollcall_lost_total{reason=\"%s\"} %" PRIu64 "\n", rollcall_reason_name(i),
                daemon->lost[i]);
    one(to, "rollcall_late_total", "counter", "Processes announced by a later hook.", daemon->late);
    one(to, "rollcall_texts_cut_total", "counter", "Events whose text was cut for want of memory.",
        daemon->texts_cut);
    one(to, "rollcall_ring_bytes", "gauge", "Memory in the kernel for events that wait.",
        daemon->ring_size);
    one(to, "rollcall_ring_used_bytes", "gauge", "How much of it is in use.", daemon->ring_used);
}

/* Of the policy `deny`: all 0 with `gap`. */
static void put_policy(FILE *to, const struct rollcall_daemon_report *daemon)
{
    one(to, "rollcall_deny_in_force", "gauge", "1: processes that do not fit are refused.",
        daemon->deny_holds);
    one(to, "rollcall_denied_total", "counter", "Processes that were refused.", daemon->denied);
    one(to, "rollcall_denied_execs_total", "counter", "Programs that were refused.",
        daemon->denied_execs);
    one(to, "rollcall_exempted_total", "counter", "Both, let through without room.",
        daemon->exempted);
    one(to, "rollcall_ring_promised_bytes", "gauge", "Memory kept for what was admitted.",
        daemon->promised);
}

static void put_commits(FILE *to, const struct measures *measures)
{
    static const char name[] = "rollcall_journal_commit_seconds";
    uint64_t count = 0;

    head(to, name, "histogram", "How long storing a batch of events took.");
    for (size_t i = 0; i < MEASURES_CLASSES - 1; i++) {
        count += atomic_load(&measures->commits[i]);
        fprintf(to, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, (double)measures_bounds[i] / 1e9,
                count);
    }
    count += atomic_load(&measures->commits[MEASURES_CLASSES - 1]);
    fprintf(to, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum ", name, count, name);
    seconds(to, atomic_load(&measures->commit_ns));
    fprintf(to, "%s_count %" PRIu64 "\n", name, count);
}

static void put_daemon(FILE *to, const struct rollcall_daemon_report *daemon)
{
    one(to, "rollcall_memory_bytes", "gauge", "Memory that events in the daemon take.",
        daemon->memory_used);
    one(to, "rollcall_memory_limit_bytes", "gauge", "How much that may be.", daemon->memory_size);
    one(to, "rollcall_journal_bytes", "gauge", "What the journal takes on the disk.",
        daemon->journal_bytes);
    one(to, "rollcall_journal_limit_bytes", "gauge", "How much that may be; 0: no limit.",
        daemon->keep_bytes);
    one(to, "rollcall_journal_blocked", "gauge", "1: the journal cannot be written now.",
        daemon->flags & ROLLCALL_REPORT_BLOCKED ? 1 : 0);
    one(to, "rollcall_connections", "gauge", "Connections of consumers.", daemon->connections);
    one(to, "rollcall_connections_limit", "gauge", "How many there may be.",
        daemon->connections_max);
}

/* ---- consumers ---- */

static uint64_t lag_of(const struct rollcall_consumer_report *consumer)
{
    return consumer->lag;
}

static uint64_t pended_of(const struct rollcall_consumer_report *consumer)
{
    return consumer->pended;
}

static uint64_t lost_of(const struct rollcall_consumer_report *consumer)
{
    return consumer->lost;
}

static uint64_t connected(const struct rollcall_consumer_report *consumer)
{
    return consumer->feed != ROLLCALL_FEED_NONE;
}

static uint64_t from_journal(const struct rollcall_consumer_report *consumer)
{
    return consumer->feed == ROLLCALL_FEED_JOURNAL;
}

static const struct series {
    const char *name;
    const char *type;
    const char *help;
    uint64_t (*value)(const struct rollcall_consumer_report *consumer);
} all_series[] = {
    {"rollcall_consumer_lag_events", "gauge", "Events it has not acknowledged.", lag_of},
    {"rollcall_consumer_pended_requests", "gauge", "Requests that wait for events.", pended_of},
    {"rollcall_consumer_lost_events", "gauge", "Events in gaps that its connection was given.",
     lost_of},
    {"rollcall_consumer_connected", "gauge", "1: a process has it open.", connected},
    {"rollcall_consumer_from_journal", "gauge", "1: it is fed from the journal.", from_journal},
};

static void name_series(FILE *to, const char *series,
                        const struct rollcall_consumer_report *consumer)
{
    fprintf(to, "%s{name=\"", series);
    label(to, consumer->name, consumer->name_size);
    fputs("\"} ", to);
}

static void put_durable(FILE *to, const struct report *report)
{
    static const char lag_seconds[] = "rollcall_consumer_lag_seconds";

    for (size_t s = 0; s < sizeof(all_series) / sizeof(all_series[0]); s++) {
        head(to, all_series[s].name, all_series[s].type, all_series[s].help);
        for (uint32_t i = 0; i < report->daemon.given; i++) {
            if (report->consumers[i].name_size == 0)
                continue;
            name_series(to, all_series[s].name, &report->consumers[i]);
            fprintf(to, "%" PRIu64 "\n", all_series[s].value(&report->consumers[i]));
        }
    }
    head(to, lag_seconds, "gauge", "How long ago the oldest of them happened.");
    for (uint32_t i = 0; i < report->daemon.given; i++) {
        if (report->consumers[i].name_size == 0)
            continue;
        name_series(to, lag_seconds, &report->consumers[i]);
        seconds(to, report->consumers[i].lag_ns);
    }
}

static void put_ephemeral(FILE *to, const struct report *report)
{
    uint64_t count = 0;
    uint64_t lag = 0;

    for (uint32_t i = 0; i < report->daemon.given; i++) {
        const struct rollcall_consumer_report *consumer = &report->consumers[i];

        if (consumer->name_size)
            continue;
        count++;
        lag = consumer->lag > lag ? consumer->lag : lag;
    }
    one(to, "rollcall_ephemeral_consumers", "gauge", "Consumers without a name.", count);
    one(to, "rollcall_ephemeral_lag_events", "gauge", "The largest lag of them.", lag);
}

char *metrics_text(const struct service *service, size_t *size)
{
    const struct report_viewer viewer = {.all = true};
    struct report *report = malloc(sizeof(*report));
    char *text = NULL;
    FILE *to = report ? open_memstream(&text, size) : NULL;
    bool failed;

    if (!to) {
        free(report);
        return NULL;
    }
    report_write(service, &viewer, report, sizeof(*report));
    put_process(to, report);
    put_kernel(to, &report->daemon);
    put_policy(to, &report->daemon);
    put_commits(to, service->measures);
    put_daemon(to, &report->daemon);
    put_durable(to, report);
    put_ephemeral(to, report);
    failed = ferror(to);
    failed |= fclose(to) != 0;
    free(report);
    if (!failed)
        return text;
    free(text);
    return NULL;
}
