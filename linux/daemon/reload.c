/* SPDX-License-Identifier: MIT */
#include "linux/daemon/reload.h"

#include "linux/daemon/log.h"
#include "linux/daemon/notify.h"
#include "linux/daemon/upkeep.h"
#include "program/status.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static bool equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* ---- what cannot change ---- */

static void stays(const char *name, bool changed)
{
    if (changed)
        log_line(LOG_WARNING,
                 "`%s` cannot change while rollcalld runs: it stays until rollcalld is "
                 "started again",
                 name);
}

static void say_what_stays(const struct settings *now, const struct settings *fresh)
{
    stays("socket", strcmp(now->socket, fresh->socket) != 0);
    stays("journal", strcmp(now->journal, fresh->journal) != 0);
    stays("name", strcmp(now->name, fresh->name) != 0);
    stays("ring-size", now->capture.ring_size != fresh->capture.ring_size);
    stays("args-max", now->capture.args_max != fresh->capture.args_max);
    stays("latency", now->capture.latency_us != fresh->capture.latency_us);
    stays("confine", now->confine != fresh->confine);
    stays("on-full", now->capture.on_full != fresh->capture.on_full);
    stays("deny-grace", now->capture.deny_grace_ms != fresh->capture.deny_grace_ms);
    stays("deny-exempt", !equal(now->exempt, fresh->exempt));
}

/* ---- what can ---- */

static void exchange(char **a, char **b)
{
    char *before = *a;

    *a = *b;
    *b = before;
}

static void set_memory(struct daemon *daemon, uint64_t bytes)
{
    const struct rollcall_configure request = {.request = {.version = ROLLCALL_PROTOCOL_VERSION,
                                                           .flags = ROLLCALL_CONFIGURE_BUDGET,
                                                           .size = sizeof(request)},
                                               .budget = bytes};

    if (daemon->settings.memory != bytes)
        engine_configure(daemon->host.engine, &request, sizeof(request));
    daemon->settings.memory = bytes;
}

static void set_access(struct daemon *daemon, struct settings *fresh)
{
    struct settings *now = &daemon->settings;
    unsigned count;

    now->access = fresh->access;
    exchange(&now->group, &fresh->group);
    /* The group of the socket's file is changed by who has CAP_CHOWN, which is given up. */
    if (listener_set_mode(&daemon->listener, now) < 0)
        log_line(LOG_WARNING,
                 "the socket '%s' keeps its group until rollcalld is started again: who is in the "
                 "new one may not reach it before",
                 now->socket);
    count = server_set_access(&daemon->server, &now->access);
    if (count > 0)
        log_line(LOG_NOTICE, "%u connections have lost a right, and were ended", count);
}

/* First what can fail: then nothing has changed. */
static void apply(struct daemon *daemon, struct settings *fresh)
{
    struct settings *now = &daemon->settings;

    if (!equal(now->metrics, fresh->metrics)) {
        if (upkeep_set_metrics(daemon, fresh->metrics) < 0) {
            log_line(LOG_ERR, "%s; all stays as it was", rollcall_error());
            return;
        }
        exchange(&now->metrics, &fresh->metrics);
    }
    say_what_stays(now, fresh);
    set_access(daemon, fresh);
    set_memory(daemon, fresh->memory);
    now->retention = fresh->retention;
    writer_keep(&daemon->source.writer, now->retention.keep_bytes, now->retention.keep_seconds);
    log_line(LOG_NOTICE, "the configuration was read again");
}

static void run(void *context)
{
    struct daemon *daemon = context;
    struct signalfd_siginfo info;
    struct settings fresh = {0};

    if (read(daemon->reload_fd, &info, sizeof(info)) < 0)
        return;
    notify_reloading();
    if (settings_read(&fresh, daemon->argc, daemon->argv) == EXIT_OK)
        apply(daemon, &fresh);
    else
        log_line(LOG_ERR, "the configuration stays as it was");
    settings_free(&fresh);
    notify_ready();
}

int reload_prepare(struct daemon *daemon)
{
    sigset_t hangup;

    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &hangup, NULL) < 0)
        return -errno;
    daemon->reload_fd = signalfd(-1, &hangup, SFD_CLOEXEC | SFD_NONBLOCK);
    return daemon->reload_fd < 0 ? -errno : 0;
}

int reload_open(struct daemon *daemon)
{
    return server_watch(&daemon->server, daemon->reload_fd, run, daemon);
}
