/* SPDX-License-Identifier: MIT */
/* A log: files of ours, or one that the system keeps. */
#include "service/log_file.h"
#include "service/sink.h"
#include "service/system_log.h"

#include "lib/error.h"
#include "program/system.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USER_SIZE    256
#define USER_GAPS    "+gaps"    /* no user has a + in the name: who is it that is missing? */
#define USER_UNKNOWN "+unknown" /* the event does not tell it */

struct log {
    struct log_files *files; /* or ... */
    struct system_log *system;
};

static struct log *own(const struct sink *sink)
{
    return sink->own;
}

static int log_open(struct sink *sink)
{
    const struct config *config = sink->config;
    struct log *log = calloc(1, sizeof(*log));

    if (log && config->kind == CONFIG_LOG_FILE)
        log->files = log_files_new(config->log, config->rotate_size, config->rotate_keep);
    else if (log)
        log->system = system_log_new(config->log, config->name);
    if (log && (log->files || log->system)) {
        sink->own = log;
        return 0;
    }
    free(log);
    return rollcall_fail(-ENOMEM, "out of memory");
}

static void log_close(struct sink *sink)
{
    struct log *log = own(sink);

    log_files_free(log->files);
    system_log_free(log->system);
    free(log);
}

static bool log_has_room(const struct sink *sink)
{
    return pending_count(&sink->pending) < sink->config->window;
}

/* The name, else the number or SID. */
static void user_of(const struct rollcall_event *event, char user[USER_SIZE])
{
    struct rollcall_string sid;

    snprintf(user, USER_SIZE, "%s", event->type == ROLLCALL_GAP ? USER_GAPS : USER_UNKNOWN);
    if (rollcall_event_text(event, ROLLCALL_USER, &sid)) {
        char text[USER_SIZE];

        snprintf(text, sizeof(text), "%.*s", (int)sid.size, sid.data);
        if (!system_account_name(text, user, USER_SIZE))
            memcpy(user, text, sizeof(text));
    } else if (event->present & ROLLCALL_HAS_USER &&
               !system_user_name(event->uid, user, USER_SIZE)) {
        snprintf(user, USER_SIZE, "%u", event->uid);
    }
}

static int log_give(struct sink *sink, const struct given *given)
{
    struct log *log = own(sink);
    char user[USER_SIZE] = "";
    size_t size;
    char *line = sink_line(given, &size);
    int err = -ENOMEM;

    if (line && log->system) {
        err = system_log_write(log->system, line, size - 1);
    } else if (line) {
        if (strstr(sink->config->log, "%u"))
            user_of(given->event, user);
        err = log_files_add(log->files, user, line, size);
    }
    free(line);
    if (err < 0)
        return err;
    pending_add(&sink->pending, given->epoch, given->event->seq,
                rollcall_event_last_seq(given->event));
    return 0;
}

/* Only what is on the disk is done. */
static int log_turn(struct sink *sink)
{
    struct log *log = own(sink);
    int err = log->files ? log_files_sync(log->files) : 0;

    if (err < 0)
        return err;
    if (pending_count(&sink->pending) > 0)
        backoff_reset(sink->backoff);
    pending_finish_all(&sink->pending);
    return 0;
}

static bool log_finish(struct sink *sink)
{
    return pending_count(&sink->pending) == 0;
}

static uint64_t log_wait(const struct sink *sink, struct job_wait *wait)
{
    (void)sink;
    wait->jobs = NULL;
    wait->count = 0;
    return UINT64_MAX;
}

const struct sink_class sink_log = {
    .open = log_open,
    .close = log_close,
    .has_room = log_has_room,
    .give = log_give,
    .turn = log_turn,
    .finish = log_finish,
    .wait = log_wait,
};
