/* SPDX-License-Identifier: MIT */
/* rollcalld: takes the events from the kernel, keeps them in the journal, and gives them to whoever
 * asks and may have them. */
#include "linux/clock.h"
#include "linux/daemon/confine.h"
#include "linux/daemon/daemon.h"
#include "linux/daemon/log.h"
#include "linux/daemon/notify.h"
#include "linux/daemon/reload.h"
#include "linux/daemon/upkeep.h"
#include "linux/program/signal_fd.h"
#include "linux/requirements.h"
#include "program/complain.h"
#include "program/signals.h"
#include "program/status.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define LIMITS_MAX 8

static const char help[] =
    "Keeps every process event of this machine in a journal, none missing, and gives them to\n"
    "those who ask and may have them.\n\n"
    "usage: rollcalld [OPTION...]\n\n"
    "      --socket PATH        where to listen (default " ROLLCALL_SOCKET_PATH ")\n"
    "      --journal FILE       the journal (default /var/lib/rollcall/journal.db)\n"
    "      --keep-age DURATION  remove events that are older: 30d, 12h\n"
    "      --keep-size SIZE     remove the oldest events so that the journal stays smaller: 10G\n"
    "      --group NAME         its members may read all events\n"
    "      --memory SIZE        for events that consumers have not got yet (default 32M); what\n"
    "                           does not fit is read from the journal\n"
    "      --name NAME          of its consumer in the kernel (default \"rollcalld\")\n"
    "      --ring-size SIZE     memory in the kernel for events that wait (default 64M)\n"
    "      --args-max SIZE      keep so much of each command line (default 32K)\n"
    "      --on-full deny       when that is spent, refuse processes; default `gap`: lose events\n"
    "      --deny-grace DURATION  end that when nobody reads for so long (default 60s)\n"
    "      --deny-exempt CGROUP   whom it never refuses: a directory in /sys/fs/cgroup\n"
    "      --latency DURATION   in a burst, be at most so late (default 1ms)\n"
    "      --metrics WHERE      tell Prometheus there: 127.0.0.1:9127, or a socket's path\n"
    "      --metrics-anywhere yes   also at an address that other machines reach\n"
    "      --confine no         keep capabilities and system calls that are not needed\n"
    "  -c, --config FILE        more settings, and who may do what; see rollcalld(8)\n"
    "  -h, --help\n"
    "  -V, --version\n\n"
    "Needs root. SIGHUP makes it read its settings again, SIGTERM ends it; the kernel goes on\n"
    "collecting for its successor.\n";

static void ask_to_end(void)
{
    kill(getpid(), SIGTERM);
}

/* Memory that is given back to the kernel and taken anew, or taken page by page, costs more than what is
 * done with it. */
static void keep_memory(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TOP_PAD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
}

/* One for each client, and what else is open. */
static void raise_limit(void)
{
    const rlim_t most = (rlim_t)2 * SERVER_CLIENTS_MAX;
    const struct rlimit limit = {.rlim_cur = most, .rlim_max = most};
    struct rlimit now;

    if (getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur < limit.rlim_cur)
        setrlimit(RLIMIT_NOFILE, &limit);
}

/* The engine goes on behind what is stored. */
static int open_host(struct daemon *d)
{
    struct host_options options = {.memory = d->settings.memory, .source = &d->source.waker};
    struct rollcall_stats stats;
    int err = rollcall_stats(d->source.waker.rc, &stats, sizeof(stats));

    if (err < 0)
        return err;
    options.epoch = stats.epoch;
    options.attached_ns = stats.attached_ns;
    err = journal_last_seq(d->source.writer.journal, stats.epoch, &options.last_seq);
    if (err < 0)
        return err;
    /* The journal may be a new one. */
    if (options.last_seq < stats.acked_seq)
        options.last_seq = stats.acked_seq;
    return host_open(&d->host, &options);
}

static int open_archive(struct daemon *d)
{
    const struct journal_options reading = {.read_only = true};
    struct service *service = &d->server.service;

    service->host = &d->host;
    service->places = &d->places;
    service->measures = &d->measures;
    service->kernel_name = d->settings.name;
    service->archive.epoch = d->host.epoch;
    return journal_open(d->settings.journal, &reading, &service->archive.journal);
}

static int open_server(struct daemon *d)
{
    int err;

    d->server.access = d->settings.access;
    d->server.listener = d->listener.fd;
    d->server.signals = signals_fd();
    err = server_open(&d->server);
    if (err < 0)
        return err;
    err = reload_open(d);
    if (err == 0)
        err = upkeep_open(d);
    if (err < 0)
        server_close(&d->server);
    return err;
}

static void say_start(const struct daemon *d)
{
    const struct settings *settings = &d->settings;

    log_line(LOG_INFO,
             "version " ROLLCALL_VERSION ", epoch %llu, goes on at event %llu; journal '%s', "
             "socket '%s'%s%s; root may do all, %zu rules for others%s",
             (unsigned long long)d->host.epoch, (unsigned long long)d->measures.started_seq + 1,
             settings->journal, d->listener.path ? d->listener.path : "of systemd",
             settings->metrics ? ", metrics at " : "", settings->metrics ? settings->metrics : "",
             settings->access.count, settings->confine ? "" : "; not confined");
}

/* The one thread there is gives up what is not needed, so that the others never have it. */
static int run_threads(struct daemon *d)
{
    int err = d->settings.confine ? confine() : 0;
    int failed;

    if (err == 0)
        err = source_start(&d->source);
    if (err < 0)
        return err;
    say_start(d);
    notify_ready();
    err = server_run(&d->server);
    notify_stopping();
    failed = source_stop(&d->source);
    return err < 0 ? err : failed;
}

static int serve(struct daemon *d)
{
    int err = open_archive(d);

    if (err < 0)
        return err;
    err = open_server(d);
    if (err == 0) {
        err = run_threads(d);
        upkeep_close(d);
        server_close(&d->server);
    }
    journal_close(d->server.service.archive.journal);
    return err;
}

static void begin_measures(struct daemon *d)
{
    d->measures.started_ns = clock_boot_ns();
    d->measures.started_seq = atomic_load(&d->host.posted_seq);
    atomic_store(&d->measures.keep_bytes, d->settings.retention.keep_bytes);
    atomic_store(&d->measures.keep_seconds, d->settings.retention.keep_seconds);
}

static void connect(struct daemon *d)
{
    struct source *source = &d->source;
    struct writer *writer = &source->writer;

    source->host = writer->host = &d->host;
    source->measures = writer->measures = &d->measures;
    source->notices.pins.name = d->settings.name;
    source->on_failure = writer->on_failure = ask_to_end;
    writer->source = &source->waker;
    writer->places = &d->places;
    writer->retains = d->settings.retention.keep_bytes || d->settings.retention.keep_seconds;
}

static void tell_limits(void)
{
    struct requirement limits[LIMITS_MAX];
    size_t count = requirements_limits(limits, LIMITS_MAX);

    for (size_t i = 0; i < count; i++)
        log_line(LOG_INFO, "%s: %s; what to do: %s", limits[i].name, limits[i].found,
                 limits[i].remedy);
}

/* Whether and how processes are refused. */
static void tell_policy(const struct daemon *d)
{
    struct rollcall_stats stats;

    if (d->settings.capture.on_full != ROLLCALL_ON_FULL_DENY ||
        rollcall_stats(d->source.waker.rc, &stats, sizeof(stats)) < 0)
        return;
    log_line(LOG_NOTICE, "the policy `deny` %s, by %s",
             stats.deny_holds ? "holds" : "will hold when there is room", stats.deny_way);
}

static int open_and_serve(struct daemon *d)
{
    struct source *source = &d->source;
    struct writer *writer = &source->writer;
    int err = journal_open(d->settings.journal, &d->settings.retention, &writer->journal);

    if (err < 0)
        return err;
    err = journal_newest(writer->journal, &d->settings.capture.kept_epoch,
                         &d->settings.capture.kept_time_ns);
    if (err == 0)
        err = rollcall_open(&d->settings.capture, &source->waker.rc);
    if (err < 0) {
        journal_discard(writer->journal);
        return err;
    }
    connect(d);
    err = open_host(d);
    if (err < 0)
        goto close_source;
    begin_measures(d);
    tell_policy(d);
    tell_limits();
    err = places_load(&d->places, writer->journal, writer->wake_fd);
    if (err == 0)
        err = listener_open(&d->listener, &d->settings);
    if (err < 0)
        goto close_host;
    err = serve(d);
    listener_close(&d->listener);
close_host:
    places_destroy(&d->places);
    host_close(&d->host);
close_source:
    rollcall_close(source->waker.rc);
    journal_close(writer->journal);
    return err;
}

static int run(struct daemon *d)
{
    int err = signals_install();

    if (err == 0)
        err = reload_prepare(d);
    keep_memory();
    raise_limit();
    d->source.waker.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    d->source.writer.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (err < 0 || d->source.waker.fd < 0 || d->source.writer.wake_fd < 0) {
        complain("%s", strerror(errno));
        return EXIT_FAIL;
    }
    err = open_and_serve(d);
    /* A thread that ended by itself has said why. */
    if (err < 0 && !d->source.failed && !d->source.writer.failed)
        complain("%s", rollcall_error());
    close(d->source.waker.fd);
    close(d->source.writer.wake_fd);
    close(d->reload_fd);
    return err < 0 ? EXIT_FAIL : EXIT_OK;
}

int main(int argc, char **argv)
{
    struct daemon *d = calloc(1, sizeof(*d));
    int status = EXIT_FAIL;

    log_open();
    if (!d) {
        complain("out of memory");
        return EXIT_FAIL;
    }
    d->argc = argc;
    d->argv = argv;
    status = settings_read(&d->settings, argc, argv);
    if (status == EXIT_OK && d->settings.help)
        fputs(help, stdout);
    else if (status == EXIT_OK && d->settings.version)
        puts("rollcalld " ROLLCALL_VERSION);
    else if (status == EXIT_OK)
        status = run(d);
    settings_free(&d->settings);
    free(d);
    return status;
}
